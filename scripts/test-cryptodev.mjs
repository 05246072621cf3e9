// Tests the kernel module cryptodev in the lab: npm run test:kernel -- cryptodev [--kernel V] [--accelerator] [part…]
// Builds the modules and the C programs of test/kernel for that kernel and runs there the tests whose path contains a part.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Failure } from '../test/vm/failure.mjs';
import { kernelWithHeaders } from '../test/vm/headers.mjs';

process.chdir(new URL('..', import.meta.url).pathname);
const options = ['--timeout', '1800'];
const parts = [];
let name = '6.1';
for (let args = process.argv.slice(2); args.length > 0; ) {
  const word = args.shift();
  if (word === '--kernel') name = args.shift() ?? '';
  else if (word === '--accelerator') options.push(word);
  else parts.push(word);
}

function run(command, args, env) {
  const { status } = spawnSync(command, args, { stdio: ['ignore', 2, 2], env: { ...process.env, ...env } });
  if (status !== 0) process.exit(status ?? 1);
}

/** A copy, for kbuild writes beside its sources and every kernel has its own. */
function buildModules({ headers, release }) {
  const place = join(process.cwd(), '.cache/kernel', release);
  cpSync('kernel-patch/linux', place, { recursive: true, preserveTimestamps: true });
  run('make', ['-s', '-C', headers, `M=${place}`, 'W=1', 'modules']);
  return place;
}

function buildPrograms(place) {
  mkdirSync(join(place, 'bin'), { recursive: true });
  for (const file of readdirSync('test/kernel/cryptodev').filter((it) => it.endsWith('.c'))) {
    const program = `cryptodev-${file.replace(/\.c$/, '')}`;
    const flags = ['-O2', '-Wall', '-Wextra', '-Werror', '-pthread', '-I', 'kernel-patch/linux/include/uapi'];
    run('cc', [...flags, '-o', join(place, 'bin', program), join('test/kernel/cryptodev', file)]);
  }
}

try {
  const place = buildModules(await kernelWithHeaders(name));
  buildPrograms(place);
  const accelerator = options.includes('--accelerator');
  const files = readdirSync('dist/test/kernel/cryptodev')
    .filter((it) => it.endsWith('.test.js') && parts.every((part) => it.includes(part)))
    // Tests of a device are for where there is one, and the others are quicker elsewhere.
    .filter((it) => basename(it).startsWith('accelerator') === accelerator)
    .map((it) => join('dist/test/kernel/cryptodev', it));
  if (files.length === 0) {
    process.stderr.write(`no test matches ${parts.join(' ')}\n`);
    process.exit(2);
  }
  const modules = [...new Set(files.map((it) => it.split('/')[3]))]
    .map((it) => join(place, it, `${it}.ko`))
    .filter((it) => existsSync(it));
  const guest = ['node', 'scripts/test-kernel-guest.mjs', modules.join(), ...files];
  const env = { ...process.env, SO_CRYPT_KERNEL_BUILD: place };
  const vm = ['test/vm/vm.mjs', '--kernel', name, ...options, '--', ...guest];
  process.exit(spawnSync(process.execPath, vm, { stdio: 'inherit', env }).status ?? 1);
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.code;
}
