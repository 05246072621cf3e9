// Programs of this machine that the lab runs while it prepares a boot.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { unavailable } from './failure.mjs';

export const say = (text) => process.stderr.write(`vm: ${text}\n`);

/** Runs a program to its end and returns its output; its failure is the lab's. */
export function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    ...options,
  });
  if (error?.code === 'ENOENT') throw unavailable(`${command} is missing`);
  if (status !== 0) {
    const tail = `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`
      .trim()
      .split('\n')
      .slice(-8)
      .join('\n');
    throw unavailable(`${[command, ...args].join(' ')} failed:\n${tail}`);
  }
  return stdout;
}

/** A command, or the path of a file. */
export const exists = (name) =>
  name.startsWith('/') ? existsSync(name) : spawnSync('sh', ['-c', 'command -v "$0"', name]).status === 0;

/** Whether this machine can start a program at all, whatever the program then says about having no arguments. */
export function canRun(program) {
  const { status, error } = spawnSync(program, { stdio: 'ignore' });
  return !error && status !== 127;
}

/** Installs what is missing of [command, Debian package], if that is possible here; else says what to install. */
export function install(wanted) {
  const missing = wanted.filter(([command]) => !exists(command));
  if (missing.length === 0) return;
  const packages = missing.map(([, name]) => name).join(' ');
  if (process.getuid?.() !== 0 || !exists('apt-get'))
    throw unavailable(
      `${missing.map(([command]) => command).join(', ')} missing. As root: apt-get install --no-install-recommends ${packages}`,
    );
  say(`installing ${packages}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const wait = ['-q', '-o', 'DPkg::Lock::Timeout=120'];
  const quiet = ['install', '-y', '--no-install-recommends', '--no-upgrade'];
  run('apt-get', [...wait, 'update'], { env });
  run('apt-get', [...wait, ...quiet, ...packages.split(' ')], { env });
}
