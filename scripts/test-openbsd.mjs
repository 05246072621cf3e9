// SPDX-License-Identifier: MIT
// Tests kernel-patch/openbsd without OpenBSD: compiles its sources, unchanged, on top of the small kernel in test/openbsd (AddressSanitizer
// and UBSan on), and runs them; then what the library does otherwise on OpenBSD. Needs gcc or clang (CC) and libssl-dev. `--long`: a
// million frames of random shapes instead of 30,000.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join, resolve } from 'node:path';

process.chdir(new URL('..', import.meta.url).pathname);
const long = process.argv.includes('--long');
const cc = process.env.CC ?? (works('gcc') ? 'gcc' : 'clang');
const build = '.cache/openbsd';
const kernel = 'kernel-patch/openbsd/sys';
const tests = 'test/openbsd';

function works(command) {
  return spawnSync(command, ['--version']).status === 0;
}

function run(command, args, env = process.env) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env });
  if (error) process.stderr.write(`${command}: ${error.message}\n`);
  if (status !== 0) process.exit(1);
}

function compile(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(cc, args, { stdio: 'inherit' });
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${cc} ${args.join(' ')}`))));
  });
}

// All headers that the kernel sources include are kern.h.
const headers = {
  sys: 'param systm errno malloc mbuf proc protosw queue task types socket socketvar uio conf fcntl file filedesc ioctl rwlock stat',
  netinet: 'in',
  crypto: 'aes cryptodev xform sha1 sha2',
};
rmSync(build, { recursive: true, force: true });
for (const [folder, names] of Object.entries(headers)) {
  mkdirSync(join(build, 'include', folder), { recursive: true });
  for (const name of names.split(' '))
    writeFileSync(join(build, 'include', folder, `${name}.h`), '#include "kern.h"\n');
}

const sanitizers = ['-g', '-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
const warnings = [
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Wno-sign-compare',
  '-Wno-missing-field-initializers',
  '-Wno-unused-parameter',
  '-Wno-pointer-sign',
];
const builtin = spawnSync(cc, ['-print-file-name=include'], { encoding: 'utf8' }).stdout.trim();
const kernelFlags = [
  '-std=gnu11',
  '-ffreestanding',
  '-nostdinc',
  '-isystem',
  builtin,
  `-I${build}/include`,
  `-I${tests}`,
  `-I${kernel}`,
];

const hosted = new Set(['host.c', 'main.c', 'peer.c']);
const sources = [
  ...readdirSync(join(kernel, 'kern')).map((name) => join(kernel, 'kern', name)),
  join(kernel, 'crypto/cryptodev.c'),
  ...readdirSync(tests).map((name) => join(tests, name)),
].filter((name) => name.endsWith('.c'));
const jobs = sources.map((source) => {
  const object = join(build, `${basename(source, '.c')}.o`);
  const flags = hosted.has(basename(source)) ? ['-std=gnu11'] : kernelFlags;
  return { object, args: [...flags, ...sanitizers, ...warnings, '-c', source, '-o', object] };
});
const queue = [...jobs];
await Promise.all(
  Array.from({ length: availableParallelism() }, async () => {
    for (let job = queue.shift(); job; job = queue.shift()) await compile(job.args);
  }),
).catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
const program = join(build, 'so_crypt_test');
run(cc, [...sanitizers, ...jobs.map(({ object }) => object), '-lssl', '-lcrypto', '-o', program]);

run(process.execPath, ['kernel-patch/openbsd/make-patches.mjs', '--check']);
run(process.execPath, ['dist/test/openbsd/abi-check.js', cc]);
run(program, ['unit']);
run(process.execPath, ['dist/test/openbsd/records-check.js', program]);
run(process.execPath, ['dist/test/openbsd/peers-check.js', program]);
run(program, ['fuzz', long ? '1000000' : '30000']);

run(process.execPath, ['scripts/openbsd-addon.mjs']);
for (const addon of ['', resolve('.cache/openbsd-addon/so_crypt.node')])
  run(process.execPath, ['dist/test/openbsd/readiness-check.js'], { ...process.env, SO_CRYPT_ADDON: addon });
