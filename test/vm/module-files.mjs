// Which of a kernel's module files need which: modules.dep, read.
import { readFileSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { run } from './tools.mjs';

/** [file, the files it needs] for each module below `modules`. */
export function dependencyMap(modules) {
  return new Map(
    readFileSync(join(modules, 'modules.dep'), 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .filter((parts) => parts.length === 2)
      .map(([file, others]) => [file, others.split(' ').filter(Boolean)]),
  );
}

/** A module's name is its file's, with "_" for "-". */
export const moduleName = (file) =>
  basename(file)
    .replace(/\.ko.*$/, '')
    .replaceAll('-', '_');

/** The files of `names` and of what they depend on, in the order of loading. A name without a file is in the kernel itself. */
export function loadOrder(dependencies, names) {
  const order = new Set();
  const add = (file) => {
    if (order.has(file)) return;
    for (const other of dependencies.get(file)) add(other);
    order.add(file);
  };
  for (const file of dependencies.keys()) if (names.includes(moduleName(file))) add(file);
  return [...order];
}

/** Writes modules.dep and the like of the kernel in `folder`, with busybox. */
export function depmod(busybox, folder, release) {
  // It takes only names that begin with three numbers for a release, and "7.3-amd64" does not.
  const alias = join(folder, 'lib/modules/0.0.0');
  symlinkSync(release, alias);
  run(busybox, ['depmod', '-b', folder, '0.0.0']);
  rmSync(alias);
}
