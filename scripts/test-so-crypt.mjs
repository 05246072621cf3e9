// npm run test:kernel -- so_crypt [--kernel V]… [part…]: the tests of the kernel module so_crypt, in the lab, under 6.1 and 6.12 if no kernel is named.
// Modules are built with their vectors (DEBUG=1) and loaded by guest.sh, which fails when the kernel's log has anything to complain of. A kernel
// that was built with our patch (6.1-patched, 6.1-debug) has the module already. `soak` is only run by its name.
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { kernelWithHeaders } from '../test/vm/headers.mjs';

process.chdir(new URL('..', import.meta.url).pathname);
const [kernels, parts] = [[], []];
for (const args = process.argv.slice(2); args.length > 0; ) {
  const word = args.shift();
  if (word === '--kernel') kernels.push(args.shift());
  else parts.push(word);
}

function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** The C programs of the tests, beside their names. */
function programs(source, folder) {
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(source).filter((name) => name.endsWith('.c'))) {
    const flags = [
      '-O1',
      '-Wall',
      '-Wextra',
      '-Werror',
      '-pthread',
      // Where allocations fail, pages of a shared library can't be read.
      '-static',
      '-Ikernel-patch/linux/include/uapi/linux',
    ];
    run('gcc', [...flags, '-o', join(folder, file.slice(0, -2)), join(source, file)]);
  }
}

/** The paper's experiment, which is the bench's. */
function transfer(folder) {
  const include = ['-Ikernel-patch/linux/include/uapi', '-Ikernel-patch/linux/include/uapi/linux'];
  const sources = ['transfer.c', 'frame.c', 'count.c'].map((file) => join('bench/paper', file));
  run('gcc', [
    '-O2',
    '-Wall',
    '-Wextra',
    '-Werror',
    ...include,
    '-o',
    join(folder, 'transfer'),
    ...sources,
    '-lcrypto',
  ]);
}

/** Whether a test is named, or all are, and this kernel is able to do it. */
function isChosen(path, kernel) {
  const file = basename(path);
  const named = parts.some((part) => file.includes(part));
  if (file.startsWith('faults') && !isDebug(kernel)) return false;
  // The module that counts copies knows the routines of Linux 6.1.
  if (file.startsWith('paper') && kernel !== '6.1') return false;
  return named || (parts.length === 0 && !file.startsWith('soak'));
}

const isDebug = (kernel) => kernel.endsWith('-debug');

/** The path of so_crypt.ko. */
async function modules(name, folder) {
  const it = await kernelWithHeaders(name);
  const inTree = join(it.modules, 'kernel/net/so_crypt/so_crypt.ko');
  if (existsSync(inTree)) return inTree;
  rmSync(folder, { recursive: true, force: true });
  cpSync('kernel-patch/linux', folder, { recursive: true });
  cpSync('bench/paper/copied', join(folder, 'copied'), { recursive: true });
  appendFileSync(join(folder, 'Kbuild'), 'obj-m += copied/\n');
  run('make', ['-s', '-C', folder, `KDIR=${it.headers}`, 'DEBUG=1', '-j2', 'modules']);
  return join(folder, 'so_crypt/so_crypt.ko');
}

run(process.execPath, ['scripts/compile.mjs']);
const cache = join(process.cwd(), '.cache/kernel-test');
programs('test/kernel/so_crypt', join(cache, 'bin'));
transfer(join(cache, 'bin'));
const tests = readdirSync('dist/test/kernel/so_crypt')
  .filter((name) => name.endsWith('.guest.js'))
  .map((name) => `dist/test/kernel/so_crypt/${name}`);
const failed = [];
for (const kernel of kernels.length > 0 ? kernels : ['6.1', '6.12']) {
  const module = await modules(kernel, join(cache, kernel));
  // All that is checked there takes time.
  const env = { SO_CRYPT_PATIENCE: isDebug(kernel) ? '40' : '8', ...process.env };
  const wanted = tests.filter((path) => isChosen(path, kernel));
  if (wanted.length === 0) failed.push(`nothing matches ${parts.join(' ')} under ${kernel}`);
  for (const file of wanted) {
    process.stdout.write(`${file} under ${kernel}\n`);
    const command = [
      'node',
      '--test',
      `--test-reporter=${/accelerator|faults|paper|soak|wire/.test(file) ? 'spec' : 'dot'}`,
      file,
    ];
    const guest = ['sh', 'test/kernel/so_crypt/guest.sh', module, join(cache, 'bin')];
    const accelerator = /accelerator|paper/.test(file) ? ['--accelerator'] : [];
    const { status } = spawnSync(
      process.execPath,
      [
        ...[
          'test/vm/vm.mjs',
          '--kernel',
          kernel,
          '--no-modules',
          ...accelerator,
          '--timeout',
          isDebug(kernel) ? '3600' : '1500',
          ...guest,
        ],
        ...command,
      ],
      { stdio: 'inherit', env },
    );
    if (status !== 0) failed.push(`${file} under ${kernel}`);
  }
}
if (failed.length > 0) {
  process.stderr.write(`failed: ${failed.join(', ')}\n`);
  process.exitCode = 1;
}
