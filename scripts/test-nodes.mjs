// Runs the tests under other versions of Node, whose binaries the npm package `node` carries: the addon that was built for the oldest
// one must work unchanged. Arguments: major versions; default 22 24 26.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';

process.chdir(new URL('..', import.meta.url).pathname);
const wanted = process.argv.length > 2 ? process.argv.slice(2) : ['22', '24', '26'];
for (const major of wanted) {
  const folder = resolve('.cache/nodes', major);
  const node = resolve(folder, 'node_modules/node/bin/node');
  if (!existsSync(node)) {
    mkdirSync(folder, { recursive: true });
    const args = ['install', '--no-save', '--prefix', folder, '--loglevel=error', `node@${major}`];
    const { status } = spawnSync('npm', args, { stdio: ['ignore', 'ignore', 'inherit'] });
    if (status !== 0) process.exit(status ?? 1);
  }
  process.stdout.write(`\nNode ${major}: `);
  spawnSync(node, ['-p', "process.version + ', OpenSSL ' + process.versions.openssl"], { stdio: 'inherit' });
  // The lab has nothing to do with the version of Node.
  const { status } = spawnSync(node, ['scripts/test.mjs', '-vm/'], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
