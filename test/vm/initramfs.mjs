// The guest's first file system: busybox, init.sh and the modules that init.sh needs to reach this machine's files.
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cached } from './cache.mjs';
import { dependencyMap, loadOrder } from './module-files.mjs';
import { run } from './tools.mjs';

const needed = ['virtio_pci', 'virtio_console', '9pnet_virtio', '9p', 'overlay'];

export function initramfs(kernel, busybox) {
  const init = new URL('init.sh', import.meta.url);
  const key = createHash('sha256')
    .update(readFileSync(init))
    .update(needed.join())
    .digest('hex')
    .slice(0, 12);
  return cached(join(`kernel-${kernel.name}`, `initramfs-${key}`), (folder) => {
    const tree = join(folder, 'tree');
    for (const name of ['bin', 'dev', 'modules', 'proc', 'sys'])
      mkdirSync(join(tree, name), { recursive: true });
    copyFileSync(busybox, join(tree, 'bin/busybox'));
    writeFileSync(join(tree, 'init'), readFileSync(init), { mode: 0o755 });
    for (const [i, file] of loadOrder(dependencyMap(kernel.modules), needed).entries()) {
      const to = join(
        tree,
        'modules',
        `${String(i).padStart(2, '0')}-${basename(file).replace(/\.ko.*$/, '.ko')}`,
      );
      copyFileSync(join(kernel.modules, file), file.endsWith('.xz') ? `${to}.xz` : to);
    }
    for (const name of readdirSync(join(tree, 'modules')).filter((file) => file.endsWith('.xz')))
      run(busybox, ['unxz', join(tree, 'modules', name)]);
    const archive = join(folder, 'initramfs');
    run('sh', ['-c', 'find . | "$1" cpio -o -H newc >"$2"', 'sh', busybox, archive], { cwd: tree });
    return archive;
  });
}
