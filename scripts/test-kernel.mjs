// npm run test:kernel [-- so_crypt|cryptodev] [option…] [part…]: the tests of the kernel modules in the lab, of both or of one.
import { spawnSync } from 'node:child_process';

process.chdir(new URL('..', import.meta.url).pathname);
const scripts = { so_crypt: 'scripts/test-so-crypt.mjs', cryptodev: 'scripts/test-cryptodev.mjs' };
const args = process.argv.slice(2);
const named = Object.hasOwn(scripts, args[0]) ? [args.shift()] : Object.keys(scripts);
for (const name of named) {
  const { status } = spawnSync(process.execPath, [scripts[name], ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
