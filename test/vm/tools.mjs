// Programs of this machine that the lab runs while it prepares a boot.
import { spawnSync } from 'node:child_process';
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

export const exists = (command) => spawnSync('sh', ['-c', 'command -v "$0"', command]).status === 0;
