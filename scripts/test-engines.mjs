// The library's tests over the kernel's engines, each in a boot of the lab: what `npm test` runs behind the tests of this machine. Each set
// holds what an engine does differently; all tests over one engine are `npm run test:lab -- --engine NAME`.
import { spawnSync } from 'node:child_process';
import { CRASHED, UNAVAILABLE } from '../test/vm/failure.mjs';

process.chdir(new URL('..', import.meta.url).pathname);
const sets = [
  [
    '--engine',
    'ktls',
    'ktls/',
    'record/tls',
    'record/bad',
    'socket/arming.',
    'send-file',
    'tls/matrix-node',
    'https/',
    'nginx',
    'socket/other-process',
    'handshake-workers/connections',
  ],
  ['--engine', 'ktls/evp', 'record/chunking', 'send-file', 'tls/https-curl'],
  [
    '--engine',
    'so_crypt',
    'record/',
    'test/ssh/',
    'socket/arming.',
    'socket/other-process',
    'send-file',
    'tls/matrix-openssl',
    'nginx-suites',
    '-vectors',
  ],
  ['--engine', 'so_crypt', 'ssh2/sessions'],
  [
    '--engine',
    'af_alg',
    'af-alg/',
    'test/ssh/packets',
    'test/ssh/rekey',
    'test/ssh/bad',
    'record/tls',
    'record/chunking',
  ],
  ['--engine', 'cryptodev', 'record/tls12', 'test/ssh/packets', 'test/ssh/rekey', 'send-file'],
];

for (const set of sets) {
  process.stdout.write(`over ${set[1]}, in the lab\n`);
  const run = () =>
    spawnSync(process.execPath, ['scripts/test-lab.mjs', ...set], { stdio: 'inherit' }).status;
  let status = run();
  // An emulated kernel that dies before it runs anything says nothing about us. Once.
  if (status === CRASHED) status = run();
  if (status === UNAVAILABLE && process.env.SO_CRYPT_LAB !== 'required') {
    process.stdout.write('The kernel engines were not tested: see above what is missing.\n');
    break;
  }
  if (status !== 0) process.exit(status ?? 1);
}
