// One boot: starts QEMU, passes on what the command writes, and ends QEMU when the command has ended.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { writeJob } from './job.mjs';
import { commandLine } from './qemu.mjs';

/** A socket at `path` for QEMU to connect to. */
async function listen(path, onConnection) {
  const server = createServer(onConnection).listen(path);
  await once(server, 'listening');
  return server;
}

/** Passes what a port carries to `target`, no faster than that takes it, and counts. */
class Output {
  count = 0;
  closed = Promise.resolve();

  constructor(target, onData) {
    this.connect = (socket) => {
      this.closed = once(socket, 'close');
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        this.count += chunk.length;
        if (!target.write(chunk)) {
          socket.pause();
          target.once('drain', () => socket.resume());
        }
        onData();
      });
    };
  }
}

/**
 * Runs a command in a guest. The result's `end` is 'exit' (then `status` is the command's), 'timeout', 'aborted', 'unloadable' (a module
 * of this checkout, by its `reason`) or 'crash'; `started` is the time from QEMU's start to the command's in milliseconds.
 * @param stdout what takes the command's standard output; as `stderr`
 * @param signal an AbortSignal that ends the guest
 */
export async function boot({ kernel, initramfs, command, directory, options, stdout, stderr, signal }) {
  const folder = mkdtempSync(join(tmpdir(), 'so-crypt-vm-'));
  const job = join(folder, 'job');
  const console = join(folder, 'console');
  const ports = Object.fromEntries(['control', 'out', 'err'].map((name) => [name, join(folder, name)]));
  const result = { end: 'crash', status: undefined, started: undefined, console: '', qemu: '' };
  let exit;
  let qemu;
  const kill = () => qemu?.kill('SIGKILL');
  const endIfComplete = () => {
    if (exit && out.count >= exit.out && err.count >= exit.err) kill();
  };
  const out = new Output(stdout, endIfComplete);
  const err = new Output(stderr, endIfComplete);
  const onLine = (line) => {
    const [word, ...numbers] = line.split(' ');
    if (word === 'start') result.started = performance.now() - begin;
    if (word === 'unloadable') {
      result.end = 'unloadable';
      result.reason = line.slice(word.length + 1);
      kill();
    }
    if (word === 'exit') {
      result.end = 'exit';
      const [status, outCount, errCount] = numbers.map(Number);
      result.status = status;
      exit = { out: outCount, err: errCount };
      endIfComplete();
    }
  };
  const servers = await Promise.all([
    listen(ports.control, (socket) => {
      socket.on('error', () => {});
      createInterface(socket).on('line', onLine);
    }),
    listen(ports.out, out.connect),
    listen(ports.err, err.connect),
  ]);
  const stop = (end) => () => {
    if (!exit) result.end = end;
    kill();
  };
  const begin = performance.now();
  const timer = setTimeout(stop('timeout'), options.timeout * 1000);
  const abort = stop('aborted');
  try {
    mkdirSync(job);
    writeJob(job, { command, directory, kernel, options });
    signal?.throwIfAborted();
    signal?.addEventListener('abort', abort);
    // With this process, however it ends, QEMU ends too.
    const line = commandLine({ kernel, initramfs, job, ports, console, options });
    qemu = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...line], { stdio: ['ignore', 'ignore', 'pipe'] });
    qemu.stderr.setEncoding('utf8').on('data', (text) => {
      result.qemu += text;
    });
    await once(qemu, 'close');
    await Promise.all([out.closed, err.closed]);
    if (existsSync(console)) result.console = readFileSync(console, 'latin1');
    return result;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
