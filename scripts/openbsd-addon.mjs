// SPDX-License-Identifier: MIT
// Builds the addon on Linux with its kernel engines as OpenBSD compiles them (test/openbsd/native): kqueue instead of epoll, SO_CRYPT at
// SOL_SOCKET, no kTLS, no sendfile. Prints where it is: SO_CRYPT_ADDON=… npm run test:lab -- --engine so_crypt socket/ runs the tests on it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

process.chdir(new URL('..', import.meta.url).pathname);
const build = '.cache/openbsd-addon';
const { nodedir } = process.config.variables;
const prefix = nodedir || process.env.npm_config_nodedir || resolve(process.execPath, '../..');
const [{ sources, conditions, defines }] = JSON.parse(readFileSync('binding.gyp', 'utf8')).targets;
for (const [when, more] of conditions) if (when.includes('openbsd')) sources.push(...more.sources);

mkdirSync(build, { recursive: true });
const flags = [
  ...['-std=c++17', '-O2', '-g', '-fPIC', '-Wall', '-Wextra', '-Werror', '-Itest/openbsd/native'],
  ...[`-isystem${prefix}/include/node`, '-isystemnode_modules/node-addon-api'],
  ...defines.map((name) => `-D${name}`),
];
const cxx = process.env.CXX ?? 'g++';
const run = (args) => {
  const { status, error } = spawnSync(cxx, args, { stdio: 'inherit' });
  if (error) process.stderr.write(`${cxx}: ${error.message}\n`);
  if (status !== 0) process.exit(1);
};
const objects = sources.map((source) => {
  const object = join(build, `${basename(source, '.cc')}.o`);
  const asOpenBsd = /^native\/(addon|kernel\/)/.test(source) ? ['-include', 'as-openbsd.h'] : [];
  run([...flags, ...asOpenBsd, '-c', source, '-o', object]);
  return object;
});
const addon = resolve(build, 'so_crypt.node');
run(['-shared', ...objects, '-o', addon]);
process.stdout.write(`${addon}\n`);
