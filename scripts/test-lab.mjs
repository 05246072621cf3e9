// Runs tests under the lab's kernel, in one boot: npm run test:lab -- [--engine NAME] [LAB'S OPTION…] [part…]. The parts choose tests as
// with `npm test`; the lab's options are those of `npm run vm`.
import { spawnSync } from 'node:child_process';

process.chdir(new URL('..', import.meta.url).pathname);
const flags = ['--accelerator', '--icount', '--no-modules'];
const lab = ['--timeout', '2400'];
const parts = [];
const env = { ...process.env };
for (const args = process.argv.slice(2); args.length > 0; ) {
  const arg = args.shift();
  if (!arg.startsWith('--')) parts.push(arg);
  else if (flags.includes(arg)) lab.push(arg);
  else {
    const [name, text = args.shift()] = arg.split(/=(.*)/s);
    if (name === '--engine') env.SO_CRYPT_ENGINE = text;
    else lab.push(name, text ?? '');
  }
}
// The guest's standard output is never a terminal.
env.SO_CRYPT_REPORTER ??= process.stdout.isTTY ? 'spec' : 'dot';
const run = (args) => {
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', env });
  if (status !== 0) process.exit(status ?? 1);
};
run(['scripts/setup.mjs']);
// A lab within the lab is none of the guest's tests.
run(['test/vm/vm.mjs', ...lab, 'node', 'scripts/test.mjs', ...parts, '-vm/', '-browser/']);
