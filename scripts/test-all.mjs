// npm test: the tests of this machine, then, if none is named, those of the kernel engines in the lab.
import { spawnSync } from 'node:child_process';

process.chdir(new URL('..', import.meta.url).pathname);
const args = process.argv.slice(2);
const run = (script, ...rest) =>
  spawnSync(process.execPath, [script, ...rest], { stdio: 'inherit' }).status ?? 1;
let status = run('scripts/test.mjs', ...args);
if (status === 0 && args.length === 0) status = run('scripts/test-engines.mjs');
process.exitCode = status;
