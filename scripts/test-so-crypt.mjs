// npm run test:kernel -- so_crypt [--kernel V]… [part…]: the tests of the kernel module so_crypt, in the lab, under 6.1 and 6.12 if no kernel is named.
// Modules are built with their vectors (DEBUG=1) and loaded by guest.sh, which fails when the kernel's log has anything to complain of.
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
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

async function modules(name, folder) {
  const { headers } = await kernelWithHeaders(name);
  rmSync(folder, { recursive: true, force: true });
  cpSync('kernel-patch/linux', folder, { recursive: true });
  cpSync('bench/paper/copied', join(folder, 'copied'), { recursive: true });
  appendFileSync(join(folder, 'Kbuild'), 'obj-m += copied/\n');
  run('make', ['-s', '-C', folder, `KDIR=${headers}`, 'DEBUG=1', '-j2', 'modules']);
}

run(process.execPath, ['scripts/compile.mjs']);
const cache = join(process.cwd(), '.cache/kernel-test');
programs('test/kernel/so_crypt', join(cache, 'bin'));
transfer(join(cache, 'bin'));
const tests = readdirSync('dist/test/kernel/so_crypt')
  .filter((name) => name.endsWith('.guest.js'))
  .filter((name) => parts.length === 0 || parts.some((part) => name.includes(part)))
  .map((name) => `dist/test/kernel/so_crypt/${name}`);
const failed = [];
for (const kernel of kernels.length > 0 ? kernels : ['6.1', '6.12']) {
  const folder = join(cache, kernel);
  await modules(kernel, folder);
  for (const file of tests) {
    // The module that counts copies knows the routines of Linux 6.1.
    if (/paper/.test(file) && kernel !== '6.1') continue;
    process.stdout.write(`${file} under ${kernel}\n`);
    const command = [
      'node',
      '--test',
      `--test-reporter=${/accelerator|paper/.test(file) ? 'spec' : 'dot'}`,
      file,
    ];
    const guest = [
      'sh',
      'test/kernel/so_crypt/guest.sh',
      join(folder, 'so_crypt/so_crypt.ko'),
      join(cache, 'bin'),
    ];
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
          '900',
          ...guest,
        ],
        ...command,
      ],
      { stdio: 'inherit' },
    );
    if (status !== 0) failed.push(`${file} under ${kernel}`);
  }
}
if (failed.length > 0) {
  process.stderr.write(`failed: ${failed.join(', ')}\n`);
  process.exitCode = 1;
}
