// Builds the addon with ASan and UBSan (CMakeLists.txt) and runs the tests on it; arguments choose tests as with `npm test`.
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

process.chdir(new URL('..', import.meta.url).pathname);
const run = (command, args, env = {}) => {
  const { status } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  if (status !== 0) process.exit(status ?? 1);
};
run('node', ['scripts/setup.mjs']);
run('npx', ['cmake-js', 'compile', '--out', '.cache/sanitize']);
const library = (name) => spawnSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' }).stdout.trim();
// A failed load is told apart from a failed test by this first line.
const env = {
  SO_CRYPT_ADDON: resolve('.cache/sanitize/Release/so_crypt.node'),
  LD_PRELOAD: `${library('libasan.so')}:${library('libubsan.so')}`,
  // Node itself leaks on purpose at its end; what so-crypt leaks per connection, the tests count.
  ASAN_OPTIONS: 'detect_leaks=0,halt_on_error=1',
  UBSAN_OPTIONS: 'print_stacktrace=1,halt_on_error=1',
};
run('node', ['scripts/test.mjs', ...process.argv.slice(2), '-vm/', '-browser/'], env);
