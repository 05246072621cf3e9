// Debian's kernels, unpacked in the cache, and busybox, which prepares and starts them. A kernel stays as it was fetched first; removing
// its folder from the cache fetches the suite's present one.
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { built, builtNames } from './built.mjs';
import { cached } from './cache.mjs';
import { Failure, USAGE } from './failure.mjs';
import { depmod } from './module-files.mjs';
import { dependencies, unpackFrom } from './packages.mjs';
import { say } from './tools.mjs';
import { vmlinux } from './vmlinux.mjs';

/** Where each kernel is, best suite first. */
export const suites = {
  6.1: ['bookworm'],
  6.12: ['bookworm-backports', 'trixie'],
  sid: ['sid'],
  experimental: ['experimental'],
};

/** Those that are built here. */
const ours = builtNames(['6.1', '6.12']);

/** What `--kernel newest` tries, newest first. */
export const newest = ['experimental', 'sid'];

/** Statically linked: it runs here, whatever libraries there are, and in the guest before it has a disk. */
export const busybox = () =>
  cached('busybox', (folder) => {
    say('fetching busybox');
    unpackFrom(['bookworm', 'trixie', 'sid'], () => ['busybox-static'], folder);
    return join(folder, existsSync(join(folder, 'bin/busybox')) ? 'bin/busybox' : 'usr/bin/busybox');
  });

/**
 * @param insteadOf a release that is to be replaced by the suite's present one
 * @returns {{ name, release, folder, image, modules }} `image` is what QEMU starts, `modules` what the guest calls /lib/modules/RELEASE
 */
export async function kernel(name, { insteadOf } = {}) {
  if (ours.includes(name)) {
    const { folder, headers } = await built(name, suites, await busybox());
    return { ...described(name, folder), headers };
  }
  if (!(name in suites)) {
    const known = [...Object.keys(suites), 'newest', ...ours].join(', ');
    throw new Failure(USAGE, `there is no kernel ${name}; there are ${known}`);
  }
  const tool = await busybox();
  const make = (place) => {
    say(`fetching kernel ${name} (some 100 MB)`);
    const pattern = /^linux-(image|base|binary|modules)-\d/;
    unpackFrom(suites[name], (apt) => dependencies(apt, 'linux-image-amd64', pattern), place);
    arrange(place, tool);
  };
  const stale = (place) => insteadOf === releaseIn(place);
  return described(name, await cached(`kernel-${name}`, make, stale));
}

function described(name, folder) {
  const release = releaseIn(folder);
  const modules = join(folder, 'lib/modules', release);
  return { name, release, folder, image: join(folder, 'image'), modules };
}

const releaseIn = (folder) => readdirSync(join(folder, 'lib/modules'))[0];

/** Debian has changed where a kernel's files are: `image` and lib/modules/RELEASE remain, without what no virtual machine has. */
function arrange(folder, tool) {
  if (!existsSync(join(folder, 'lib/modules'))) {
    rmSync(join(folder, 'lib'), { recursive: true, force: true });
    renameSync(join(folder, 'usr/lib'), join(folder, 'lib'));
  }
  const release = releaseIn(folder);
  const modules = join(folder, 'lib/modules', release);
  const inModules = join(modules, 'vmlinuz');
  const packed = existsSync(inModules) ? inModules : join(folder, 'boot', `vmlinuz-${release}`);
  const elf = vmlinux(packed);
  if (elf) writeFileSync(join(folder, 'image'), elf);
  else renameSync(packed, join(folder, 'image'));
  rmSync(inModules, { force: true });
  for (const name of readdirSync(folder))
    if (!['image', 'lib'].includes(name)) rmSync(join(folder, name), { recursive: true });
  for (const name of readdirSync(join(folder, 'lib')))
    if (name !== 'modules') rmSync(join(folder, 'lib', name), { recursive: true });

  const drivers = join(modules, 'kernel/drivers');
  const wanted = ['block', 'char', 'crypto', 'net', 'virtio'];
  rmSync(join(modules, 'kernel/sound'), { recursive: true, force: true });
  for (const name of readdirSync(drivers))
    if (!wanted.includes(name)) rmSync(join(drivers, name), { recursive: true });
  for (const entry of readdirSync(join(drivers, 'net'), { withFileTypes: true }))
    if (entry.isDirectory()) rmSync(join(drivers, 'net', entry.name), { recursive: true });
  depmod(tool, folder, release);
}
