// Runs the tests under other versions of Node: the addon that was built for the oldest one must work unchanged. Arguments: major
// versions; default 22 24 26.
import { spawnSync } from 'node:child_process';
import { nodeOf } from './nodes.mjs';

process.chdir(new URL('..', import.meta.url).pathname);
const wanted = process.argv.length > 2 ? process.argv.slice(2) : ['22', '24', '26'];
for (const major of wanted) {
  const node = nodeOf(major);
  process.stdout.write(`\nNode ${major}: `);
  spawnSync(node, ['-p', "process.version + ', OpenSSL ' + process.versions.openssl"], { stdio: 'inherit' });
  // The lab has nothing to do with the version of Node.
  const { status } = spawnSync(node, ['scripts/test.mjs', '-vm/', '-browser/'], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
