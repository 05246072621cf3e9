// SPDX-License-Identifier: MIT
// Writes patches/: each is the hooks in existing files (hooks/N-name.diff) and the new files it brings (sys/…). Nothing in
// patches/ is edited by hand. `--check` fails when a patch is not what its sources make. Prints the lines each patch changes in
// existing files.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const here = import.meta.dirname;

// Which patch brings a new file: the first whose pattern fits.
const owners = [
  ['0003', /^crypto\/cryptodev\.c$/],
  ['0002', /^crypto\//],
  ['0001', /^/],
];

function newFileDiff(path) {
  const text = readFileSync(join(here, 'sys', path), 'utf8');
  const lines = text.split('\n').slice(0, -1);
  return `--- /dev/null\n+++ ${path}\n@@ -0,0 +1,${lines.length} @@\n${lines.map((line) => `+${line}\n`).join('')}`;
}

/** Lines added and removed in existing files. */
function changedLines(diff) {
  return diff.split('\n').filter((line) => /^[-+](?![-+]{2} )/.test(line)).length;
}

const newFiles = readdirSync(join(here, 'sys'), { recursive: true })
  .filter((name) => /\.[ch]$/.test(name))
  .sort();
let stale = false;
for (const name of readdirSync(join(here, 'hooks')).sort()) {
  const number = name.slice(0, 4);
  const hooks = readFileSync(join(here, 'hooks', name), 'utf8');
  const files = newFiles.filter((path) => owners.find(([, pattern]) => pattern.test(path))[0] === number);
  const patch = hooks + files.map(newFileDiff).join('');
  const target = join(here, 'patches', name);
  if (process.argv.includes('--check')) {
    if (!existsSync(target) || readFileSync(target, 'utf8') !== patch) {
      process.stderr.write(
        `${name} is not what its sources make: run kernel-patch/openbsd/make-patches.mjs\n`,
      );
      stale = true;
    }
  } else {
    writeFileSync(target, patch);
  }
  process.stdout.write(
    `${name}: ${changedLines(hooks)} lines changed in existing files, ${files.length} new files\n`,
  );
}
if (changedLines(readFileSync(join(here, 'hooks/0001-so_crypt.diff'), 'utf8')) >= 100) {
  process.stderr.write('0001-so_crypt.diff: the hooks must stay under 100 lines\n');
  stale = true;
}
process.exit(stale ? 1 : 0);
