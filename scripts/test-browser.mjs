// The test with a real browser: `npm run test:browser`. Installs Debian's chromium (some 400 MB) where it is missing and can be.
import { spawnSync } from 'node:child_process';

process.chdir(new URL('..', import.meta.url).pathname);
const run = (command, args, env = {}) =>
  spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env } })
    .status;
if (spawnSync('chromium', ['--version']).status !== 0) {
  const install = ['-qq', 'install', '-y', '--no-install-recommends', '--no-upgrade', 'chromium'];
  run('apt-get', ['-qq', 'update']);
  if (run('apt-get', install, { DEBIAN_FRONTEND: 'noninteractive' }) !== 0) {
    process.stderr.write('chromium is missing. As root, on Debian: apt-get install chromium\n');
    process.exit(1);
  }
}
process.exitCode =
  run(process.execPath, ['scripts/test.mjs', 'browser/'], { SO_CRYPT_BROWSER: 'required' }) ?? 1;
