// npm run test:kernel -- cryptodev [--kernel V] [--accelerator] [part…]: the tests of the module cryptodev and of the engine on it, in the lab.
// Builds the module and the C programs of the tests for that kernel (6.1 if none is named) and runs there the tests whose path contains
// a part.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../test/vm/failure.mjs';
import { kernelWithHeaders } from '../test/vm/headers.mjs';

process.chdir(new URL('..', import.meta.url).pathname);
const source = 'test/kernel/cryptodev';
const parts = [];
let name = '6.1';
let accelerator = false;
for (const args = process.argv.slice(2); args.length > 0; ) {
  const word = args.shift();
  if (word === '--kernel') name = args.shift() ?? '';
  else if (word === '--accelerator') accelerator = true;
  else parts.push(word);
}

function run(command, args) {
  const { status } = spawnSync(command, args, { stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}

/** A copy, for kbuild writes beside its sources and every kernel has its own. */
function buildModule({ headers, release }) {
  const place = join(process.cwd(), '.cache/kernel', release);
  cpSync('kernel-patch/linux', place, { recursive: true, preserveTimestamps: true });
  run('make', ['-s', '-C', place, `KDIR=${headers}`, 'W=1', 'modules']);
  return place;
}

function buildPrograms(place) {
  mkdirSync(join(place, 'bin'), { recursive: true });
  const flags = ['-O2', '-Wall', '-Wextra', '-Werror', '-pthread', '-I', 'kernel-patch/linux/include/uapi'];
  for (const file of readdirSync(source).filter((it) => it.endsWith('.c')))
    run('cc', [...flags, '-o', join(place, 'bin', `cryptodev-${file.slice(0, -2)}`), join(source, file)]);
}

try {
  const place = buildModule(await kernelWithHeaders(name));
  buildPrograms(place);
  const files = readdirSync(join('dist', source))
    .filter((it) => it.endsWith('.test.js') && parts.every((part) => it.includes(part)))
    // With a device the kernel takes it for every AES-CBC: its test is one of its own.
    .filter((it) => it.startsWith('accelerator') === accelerator)
    // Only there allocations can be made to fail.
    .filter((it) => !it.startsWith('faults') || name.endsWith('-debug'))
    .map((it) => join('dist', source, it));
  if (files.length === 0) {
    process.stderr.write(`no test matches ${parts.join(' ')}\n`);
    process.exit(2);
  }
  const options = ['--kernel', name, '--timeout', '3600', ...(accelerator ? ['--accelerator'] : [])];
  const guest = ['node', join(source, 'guest.mjs'), join(place, 'cryptodev/cryptodev.ko'), ...files];
  const vm = ['test/vm/vm.mjs', ...options, '--', ...guest];
  const env = { ...process.env, SO_CRYPT_KERNEL_BUILD: place };
  process.exit(spawnSync(process.execPath, vm, { stdio: 'inherit', env }).status ?? 1);
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.code;
}
