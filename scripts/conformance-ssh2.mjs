// Runs ssh2's own tests on so-crypt/ssh: `npm run conformance:ssh2 -- FOLDER [FILTER]`.
//
// FOLDER holds a copy of ssh2's repository, or of its test/; nothing of it is part of this one. The tests run on the ssh2 that is
// installed here. One that fails is run again with ssh2 alone: what fails there, too, says nothing about so-crypt. The rest are
// deviations; those that are known stand with their reasons below, and any other makes the run fail.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

const LIMIT = 120_000;
const known = new Map();

const [folder, filter = ''] = process.argv.slice(2);
const given = folder && (existsSync(join(folder, 'test/common.js')) ? join(folder, 'test') : folder);
if (!given || !existsSync(join(given, 'common.js'))) {
  process.stderr.write(
    'npm run conformance:ssh2 -- FOLDER [FILTER]: FOLDER must have ssh2’s test/common.js\n',
  );
  process.exit(2);
}
const tests = realpathSync(given);
const preload = join(import.meta.dirname, 'conformance/ssh2-preload.cjs');

function run(name, ours) {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [join(tests, name)], {
    cwd: tests,
    encoding: 'utf8',
    timeout: LIMIT,
    killSignal: 'SIGKILL',
    env: {
      ...process.env,
      NODE_OPTIONS: `--require=${preload} --disable-warning=ExperimentalWarning`,
      SO_CRYPT_CONFORMANCE: tests,
      SO_CRYPT_CONFORMANCE_OURS: ours ? '1' : '0',
    },
  });
  return { passed: status === 0, why: signal ?? `status ${status}`, output: `${stdout}${stderr}` };
}

const names = readdirSync(tests)
  .filter((name) => /^test-.*\.js$/.test(name) && name.includes(filter))
  .sort();
const count = { passed: 0, 'failed with ssh2, too': 0, 'known deviations': 0, deviations: 0 };
for (const name of names) {
  const ours = run(name, true);
  let result = 'passed';
  if (!ours.passed) {
    if (!run(name, false).passed) result = 'failed with ssh2, too';
    else result = known.has(name) ? 'known deviations' : 'deviations';
  }
  count[result]++;
  const skipped = /^Skipping/im.test(ours.output) ? ' (skips some)' : '';
  process.stdout.write(`${result.padEnd(22)} ${name}${skipped} ${known.get(name) ?? ''}\n`);
  if (result === 'deviations') process.stdout.write(`${ours.why}\n${ours.output.slice(-4000)}\n`);
}
process.stdout.write(`${JSON.stringify(count)}\n`);
process.exitCode = count.deviations > 0 || names.length === 0 ? 1 : 0;
