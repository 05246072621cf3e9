// Binaries of other versions of Node, from the npm package `node`, kept in .cache/.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';

const cache = resolve(import.meta.dirname, '../.cache/nodes');

/** The path of the binary of a major version; it is fetched when it is not there yet. */
export function nodeOf(major) {
  const folder = resolve(cache, major);
  const node = resolve(folder, 'node_modules/node/bin/node');
  if (!existsSync(node)) {
    mkdirSync(folder, { recursive: true });
    const args = ['install', '--no-save', '--prefix', folder, '--loglevel=error', `node@${major}`];
    const { status } = spawnSync('npm', args, { stdio: ['ignore', 'ignore', 'inherit'] });
    if (status !== 0) process.exit(status ?? 1);
  }
  return node;
}
