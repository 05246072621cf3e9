// Brings a fresh clone to where the bench and the tests can run: dependencies, the addon, dist/. Does what is out of date only, and
// writes to standard error, because the bench's standard output is a document.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
process.chdir(root);

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19))
  fail(`Node ${process.versions.node} is too old`, 'so-crypt needs Node 20.19 or newer');

/** Files below a folder, newest change of all. */
function newest(...paths) {
  const time = (path) => {
    if (!existsSync(path)) return 0;
    const stat = statSync(path);
    if (!stat.isDirectory()) return stat.mtimeMs;
    return Math.max(0, ...readdirSync(path).map((name) => time(join(path, name))));
  };
  return Math.max(...paths.map(time));
}

function run(what, command, args, hint, env = {}) {
  process.stderr.write(`${what} …\n`);
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  if (status !== 0) fail(`${what} failed\n${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`, hint);
}

function fail(message, hint) {
  process.stderr.write(`${message}\n${hint}\n`);
  process.exit(1);
}

if (newest('package-lock.json') > newest('node_modules/.package-lock.json'))
  run(
    'installing dependencies',
    'npm',
    ['ci', '--ignore-scripts', '--loglevel=error'],
    'The npm registry must be reachable',
  );
if (newest('native', 'binding.gyp') > newest('build/Release/so_crypt.node'))
  run(
    'building the addon',
    'npx',
    ['node-gyp', 'rebuild'],
    'It takes a C++17 compiler, make and python3: apt-get install g++ make python3',
  );
if (newest('lib', 'bench', 'test', 'tsconfig.json') > newest('dist/.built'))
  run('compiling TypeScript', 'node', ['scripts/compile.mjs'], 'See the messages above');

/** Programs that the tests and the bench run: [command, Debian package]. */
const peers = [
  ['openssl', 'openssl'],
  ['curl', 'curl'],
  ['strace', 'strace'],
  ['nginx', 'nginx'],
  ['ssh', 'openssh-client'],
  ['sshd', 'openssh-server'],
  ['wrk', 'wrk'],
  ['h2load', 'nghttp2-client'],
];
const withSbin = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
const missing = peers
  .filter(([command]) => spawnSync('which', [command], { env: withSbin }).status !== 0)
  .map(([, name]) => name);
if (missing.length > 0) {
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    run('apt-get update', 'apt-get', ['-qq', 'update'], 'The Debian mirror must be reachable');
    run(
      `installing ${missing.join(' ')}`,
      'apt-get',
      ['-qq', 'install', '-y', '--no-install-recommends', '--no-upgrade', ...missing],
      '',
      // Of the servers only the programs are wanted, no service that starts now and with the machine.
      { RUNLEVEL: '1', DEBIAN_FRONTEND: 'noninteractive' },
    );
    for (const [name, service] of [
      ['nginx', 'nginx'],
      ['openssh-server', 'ssh'],
    ])
      if (missing.includes(name) && existsSync('/run/systemd/system'))
        run('disabling the service', 'systemctl', ['disable', '--now', service], '');
  } else {
    process.stderr.write(`missing: ${missing.join(' ')}. As root: apt-get install ${missing.join(' ')}\n`);
  }
}
