// The kernel modules of this checkout: built for a lab kernel once per state of their sources, and loaded in the guest before the command.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { cached, isCached } from './cache.mjs';
import { Failure, MODULES } from './failure.mjs';
import { kernelWithHeaders } from './headers.mjs';
import { kernel } from './kernels.mjs';
import { dependencyMap, loadOrder, moduleName } from './module-files.mjs';
import { say } from './tools.mjs';

/** What make leaves behind in a source folder. */
const product = /^(\..*\.(cmd|d)|\.tmp_.*|\..*\.o|.*\.(o|ko|mod|mod\.c|a|order|symvers)|Module\.symvers)$/;

const isSource = (path) => !product.test(basename(path));

/** Of the names and contents of all sources below a folder. */
function hashOf(folder) {
  const hash = createHash('sha256');
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && isSource(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
  for (const file of files) {
    const content = readFileSync(file);
    hash.update(`${file.slice(folder.length)}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex').slice(0, 16);
}

/**
 * A kernel as kernel() gives it, with `extra`: the modules of `source` (a folder with a Makefile for kbuild), as { names, files, dep }. Their
 * order is that of the Makefile, or of a file `modules.load` beside it, but for what they need of each other. Without a Makefile there
 * are none.
 */
export async function kernelWithModules(name, source) {
  const plain = await kernel(name);
  if (!source || !existsSync(join(source, 'Makefile'))) return plain;
  const hash = hashOf(source);
  const key = ({ release }) => `modules-${release}-${hash}`;
  const it = isCached(key(plain)) ? plain : await kernelWithHeaders(name).catch(hint);
  const built = await cached(key(it), (folder) => build(folder, source, it));
  return { ...it, extra: describe(built, it.modules) };
}

function hint(error) {
  if (error instanceof Failure)
    error.message += "\n(--no-modules does without this checkout's kernel modules.)";
  throw error;
}

function build(folder, source, { release, headers }) {
  say(`building ${basename(source)}'s modules for ${release}`);
  const work = join(folder, 'work');
  cpSync(source, work, {
    recursive: true,
    dereference: true,
    filter: (path) => path === source || isSource(path),
  });
  const args = ['-C', headers, `M=${work}`, `-j${availableParallelism()}`, 'modules'];
  const { status, stdout, stderr, error } = spawnSync('make', args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  const output = `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`.replaceAll(work, source);
  if (status !== 0) throw new Failure(MODULES, `the modules don't build:\n${output}`);
  if (/\bwarning:/i.test(output)) say(output);
  const kept = join(folder, 'kept');
  mkdirSync(kept);
  const order = readFileSync(join(work, 'modules.order'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => line.replace(/\.o$/, '.ko'));
  for (const line of order) {
    const file = line.startsWith('/') ? line : join(work, line);
    renameSync(file, join(kept, basename(file)));
  }
  const list = join(work, 'modules.load');
  const names = order.map(moduleName);
  const wanted = existsSync(list) ? readFileSync(list, 'utf8').split(/\s+/).filter(Boolean) : names;
  for (const name of wanted)
    if (!names.includes(name))
      throw new Failure(MODULES, `modules.load names ${name}, which the Makefile does not build`);
  writeFileSync(join(kept, 'load'), wanted.join('\n'));
  return kept;
}

/** What depmod would say of them. */
function describe(folder, modules) {
  const all = dependencyMap(modules);
  const ours = readdirSync(folder).filter((file) => file.endsWith('.ko'));
  const needs = new Map(ours.map((file) => [file, needsOf(join(folder, file))]));
  for (const file of ours) {
    const names = needs.get(file);
    const [own, others] = [ours.filter((other) => names.includes(moduleName(other))), loadOrder(all, names)];
    all.set(`extra/${file}`, [...others, ...own.map((other) => `extra/${other}`)]);
  }
  const dep = ours.map((file) => {
    const needed = loadOrder(all, [moduleName(file)]).filter((other) => other !== `extra/${file}`);
    // In modules.dep what comes last is loaded first.
    return `extra/${file}: ${needed.reverse().join(' ')}`.trimEnd();
  });
  const names = readFileSync(join(folder, 'load'), 'utf8').split('\n').filter(Boolean);
  return { names, files: ours.map((file) => join(folder, file)), dep: `${dep.join('\n')}\n` };
}

/** modinfo -F depends */
function needsOf(file) {
  const found = /\0depends=([^\0]*)\0/.exec(readFileSync(file, 'latin1'));
  return (found?.[1] ?? '').split(',').filter(Boolean).map(moduleName);
}
