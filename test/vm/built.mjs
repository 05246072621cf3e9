// Kernels that are built here, from Debian's sources with the patch of kernel-patch/linux: `6.1-patched`, and `6.1-debug` with all that
// finds mistakes (KASAN, lockdep, …). Sources and objects stay in the cache, so that the next build makes only what has changed.
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cached, cacheFolder, lock } from './cache.mjs';
import { unavailable } from './failure.mjs';
import { depmod } from './module-files.mjs';
import { unpackFrom } from './packages.mjs';
import { install, run, say } from './tools.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const configs = { patched: ['kernel.config'], debug: ['kernel.config', 'debug.config'] };
/** What newer kernels do without. */
const optional = new Set(['CONFIG_CRYPTO_CFB=y', 'CONFIG_CRYPTO_OFB=y']);

/** The names of these kernels, from those that Debian's have. */
export const builtNames = (versions) =>
  versions.flatMap((version) => Object.keys(configs).map((kind) => `${version}-${kind}`));

/** @returns the kernel's folder as kernels.mjs arranges it, with `release`, and `headers` for modules: the folder that it was built in */
export async function built(name, suites, busybox) {
  const [version, kind] = name.split('-');
  install([
    ...[
      ['make', 'make'],
      ['gcc', 'gcc'],
      ['ld', 'binutils'],
      ['patch', 'patch'],
      ['flex', 'flex'],
      ['bison', 'bison'],
    ],
    ...[
      ['bc', 'bc'],
      ['xz', 'xz-utils'],
      ['/usr/include/gelf.h', 'libelf-dev'],
    ],
  ]);
  const pristine = await source(version, suites);
  const config = configs[kind].map((file) => readFileSync(here(`built/${file}`), 'utf8')).join('\n');
  const patch = run(process.execPath, [here('../../kernel-patch/linux/patches/generate.mjs'), pristine]);
  const key = createHash('sha256').update(config).update(patch).digest('hex');
  const keyOf = (folder) => readFileSync(join(folder, 'key'), 'utf8');
  const headers = join(cacheFolder, `built-${version}`, kind);
  const upToDate = (folder) => existsSync(join(folder, 'key')) && keyOf(folder) === key;

  let folder = join(cacheFolder, `kernel-${name}`);
  if (!upToDate(folder)) {
    const tree = join(cacheFolder, `built-${version}`, 'source');
    mkdirSync(headers, { recursive: true });
    // Others may take kernels and headers out of the cache meanwhile.
    const unlock = await lock('build-lock');
    try {
      patchTree(pristine, tree, patch);
      configure(tree, headers, config, kind);
      say(`building the kernel ${name} (up to half an hour the first time)`);
      make(tree, headers, ['bzImage', 'modules']);
      const keep = (place) => {
        // Not vmlinux: QEMU would start that at its PVH entry, whose code KASAN checks before there is a KASAN.
        copyFileSync(join(headers, 'arch/x86/boot/bzImage'), join(place, 'image'));
        make(tree, headers, ['modules_install', `INSTALL_MOD_PATH=${place}`, 'DEPMOD=true']);
        const [release] = readdirSync(join(place, 'lib/modules'));
        for (const link of ['build', 'source'])
          rmSync(join(place, 'lib/modules', release, link), { force: true });
        depmod(busybox, place, release);
        writeFileSync(join(place, 'key'), key);
      };
      folder = await cached(`kernel-${name}`, keep, (place) => !upToDate(place));
    } finally {
      unlock();
    }
  }
  return { folder, headers };
}

/** Debian's sources, unpacked. */
function source(version, suites) {
  return cached(`source-${version}`, (folder) => {
    say(`fetching the sources of Linux ${version} (some 150 MB)`);
    unpackFrom(suites[version], () => [`linux-source-${version}`], folder);
    const archive = join(folder, 'usr/src', `linux-source-${version}.tar.xz`);
    const tree = join(folder, 'tree');
    mkdirSync(tree);
    run('tar', ['-xf', archive, '--strip-components=1', '-C', tree]);
    return tree;
  });
}

/** A copy of the sources (by links, which patch(1) breaks before it writes) with the patch; files that it leaves as they are keep their times. */
function patchTree(pristine, tree, patch) {
  if (!existsSync(join(tree, '.copied'))) {
    rmSync(tree, { recursive: true, force: true });
    run('cp', ['-al', pristine, tree]);
    writeFileSync(join(tree, '.copied'), '');
  }
  const work = join(tree, '..', 'patched');
  rmSync(work, { recursive: true, force: true });
  const paths = [...patch.matchAll(/^\+\+\+ b\/(.*)$/gm)].map(([, path]) => path);
  for (const path of paths)
    if (existsSync(join(pristine, path))) {
      mkdirSync(dirname(join(work, path)), { recursive: true });
      writeFileSync(join(work, path), readFileSync(join(pristine, path)));
    }
  run('patch', ['-p1', '--fuzz=0', '-d', work], { input: patch });
  const ours = join(tree, 'net/so_crypt');
  for (const path of existsSync(ours) ? readdirSync(ours, { recursive: true }) : [])
    if (!existsSync(join(work, 'net/so_crypt', path))) rmSync(join(ours, path), { recursive: true });
  for (const path of paths) {
    const [from, to] = [join(work, path), join(tree, path)];
    if (existsSync(to) && readFileSync(to).equals(readFileSync(from))) continue;
    mkdirSync(dirname(to), { recursive: true });
    rmSync(to, { force: true });
    writeFileSync(to, readFileSync(from));
  }
}

/** tinyconfig and our lines. */
function configure(tree, folder, config, kind) {
  const record = join(folder, '.wanted');
  const file = join(folder, '.config');
  const whole = `${config}\nCONFIG_LOCALVERSION="-so-crypt-${kind}"\n`;
  if (existsSync(record) && readFileSync(record, 'utf8') === whole) return;
  make(tree, folder, ['tinyconfig']);
  // Of two lines about the same the later one holds.
  writeFileSync(file, `${readFileSync(file, 'utf8')}\n${whole}`);
  make(tree, folder, ['olddefconfig']);
  const has = new Set(readFileSync(file, 'utf8').split('\n'));
  const lacks = whole.split('\n').filter((line) => /^CONFIG_/.test(line) && !has.has(line));
  const needed = lacks.filter((line) => !optional.has(line));
  if (needed.length > 0) throw unavailable(`this kernel can't be configured so:\n${needed.join('\n')}`);
  writeFileSync(record, whole);
}

/** At most two jobs, and a little behind everybody else: it takes long. */
function make(tree, folder, what) {
  run('nice', ['-n', '2', 'make', '-s', '-C', tree, `O=${folder}`, '-j2', ...what]);
}
