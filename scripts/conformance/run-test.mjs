// One test of Node's in a process group of its own.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const preload = join(import.meta.dirname, 'preload.cjs');

/** Flags that the test asks for in its first comment lines. */
function flagsOf(path) {
  const found = /^\/\/ Flags:(.*)$/m.exec(readFileSync(path, 'utf8'));
  return found ? found[1].trim().split(/\s+/) : [];
}

/**
 * Runs a test; `ours`: with so-crypt's modules in place of Node's. The result is pass, skip (the test itself says so) or fail, with the
 * first line that looks like the reason.
 */
export function runTest({ node, tests, name, ours, slot, scratch, limit }) {
  const path = join(tests, 'parallel', name);
  const env = {
    ...process.env,
    // What Node's own test runner sets: tests that run at the same time have ports and folders of their own.
    TEST_THREAD_ID: String(slot),
    TEST_PARALLEL: '1',
    NODE_TEST_DIR: scratch,
    NODE_OPTIONS: ours ? `--require=${preload}` : '',
    SO_CRYPT_CONFORMANCE: join(tests, 'parallel'),
  };
  const started = Date.now();
  return new Promise((done) => {
    const child = spawn(node, [...flagsOf(path), path], {
      cwd: dirname(tests),
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data) => {
        if (output.length < 100_000) output += data;
      });
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      kill(child);
    }, limit);
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      // What the test has left behind holds the pipes open.
      kill(child);
      setImmediate(() => {
        const seconds = (Date.now() - started) / 1000;
        const isSkipped = /^1\.\.0 # skipped/im.test(output);
        if (code === 0) return done({ result: isSkipped ? 'skip' : 'pass', seconds, output });
        const error = late ? `not done after ${limit / 1000} s` : errorIn(output, code, signal);
        done({ result: 'fail', seconds, output, error });
      });
    });
  });
}

function errorIn(output, code, signal) {
  const line = output
    .split('\n')
    .find((line) => /^\s*(\S*Error\b.*|Mismatched .*|.*Assertion .*failed)/.test(line));
  return line?.trim().slice(0, 160) ?? (signal ? `ended by ${signal}` : `exit status ${code}`);
}

function kill(child) {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nobody is left.
  }
}
