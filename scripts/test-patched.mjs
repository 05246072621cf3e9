// npm run test:patched [-- --kernel 6.12] [part…]: a kernel built from Debian's sources with the patch of kernel-patch/linux, where SO_CRYPT is
// an option of SOL_SOCKET. npm run test:kasan: the same with KASAN, lockdep, kmemleak, UBSAN and fault injection, and the tests of
// /dev/crypto, too. Whatever the kernel reports is a failure. The first build takes long (test/vm/built.mjs keeps it).
import { spawnSync } from 'node:child_process';

process.chdir(new URL('..', import.meta.url).pathname);
const parts = process.argv.slice(2);
const take = (name) => {
  const at = parts.indexOf(name);
  return at < 0 ? undefined : parts.splice(at, name === '--debug' ? 1 : 2);
};
const kind = take('--debug') ? 'debug' : 'patched';
const kernel = `${take('--kernel')?.[1] ?? '6.1'}-${kind}`;

const failed = [];
function run(what, script, args, env) {
  process.stdout.write(`${what}, ${kernel}\n`);
  const { status } = spawnSync(process.execPath, [script, '--kernel', kernel, ...args], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (status !== 0) failed.push(what);
}

const soCrypt = 'scripts/test-so-crypt.mjs';
run('at SOL_SOCKET', soCrypt, parts, { SO_CRYPT_LEVEL: 'socket' });
if (parts.length === 0) {
  run('a soak at SOL_SOCKET', soCrypt, ['soak'], { SO_CRYPT_LEVEL: 'socket', SO_CRYPT_SOAK_MB: '30' });
  run('behind TCP_ULP', soCrypt, ['stream', 'refused', 'fuzz', 'wire'], {});
  if (kind === 'debug') run('/dev/crypto', 'scripts/test-cryptodev.mjs', [], {});
}
if (failed.length > 0) process.stderr.write(`failed: ${failed.join(', ')}\n`);
process.exitCode = failed.length > 0 ? 1 : 0;
