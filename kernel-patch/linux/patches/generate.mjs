// SPDX-License-Identifier: MIT
// node generate.mjs TREE [OUT]: the patch that puts so_crypt into the kernel sources at TREE (6.1 or 6.12), to OUT or standard output. The new
// files are this checkout's; of existing files a few lines change, counted here: more than 100 is an error.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MOST_CHANGED_LINES = 100;
const [tree, out] = process.argv.slice(2);
if (!tree) {
  process.stderr.write('node generate.mjs TREE [OUT]\n');
  process.exit(64);
}
const here = dirname(fileURLToPath(import.meta.url));
const linux = join(here, '..');

/** Lines to add to existing files: each behind the one line that is `behind`. */
const hooks = {
  'net/Makefile': [
    { behind: 'obj-$(CONFIG_TLS)		+= tls/', add: ['obj-$(if $(CONFIG_SO_CRYPT),y)	+= so_crypt/'] },
  ],
  'net/Kconfig': [{ behind: 'source "net/tls/Kconfig"', add: ['source "net/so_crypt/Kconfig"'] }],
  'net/core/sock.c': [
    { behind: '#include <net/sock.h>', add: ['#include <net/sock_crypt.h>'] },
    {
      behind: '		return sock_setbindtodevice(sk, optval, optlen);',
      add: ['', '	if (optname == SO_CRYPT)', '		return sock_crypt_setsockopt(sk, optval, optlen);'],
    },
    {
      behind: '	int lv = sizeof(int);\n	int len;',
      add: ['', '	if (optname == SO_CRYPT)', '		return sock_crypt_getsockopt(sk, optval, optlen);'],
    },
  ],
};

function hooked(path, text) {
  for (const { behind, add } of hooks[path]) {
    const parts = text.split(`${behind}\n`);
    if (parts.length !== 2) throw new Error(`${path}: "${behind}" is there ${parts.length - 1} times`);
    text = parts.join(`${behind}\n${add.join('\n')}\n`);
  }
  return text;
}

/** so_crypt/Kbuild as it is inside a kernel: chosen by CONFIG_SO_CRYPT, its header where all are. */
function makefile() {
  const text = readFileSync(join(linux, 'so_crypt/Kbuild'), 'utf8')
    .replace(/^ccflags-y .*\n/m, '')
    .replaceAll('$(SO_CRYPT_DEBUG)', '$(CONFIG_SO_CRYPT_SELFTEST)')
    .replace(/^obj-m := .*$/m, 'obj-$(CONFIG_SO_CRYPT) += so_crypt.o\nobj-y += hook.o');
  return text;
}

const work = mkdtempSync(join(tmpdir(), 'so-crypt-patch-'));
try {
  let changed = 0;
  for (const path of Object.keys(hooks))
    for (const [side, text] of [
      ['a', readFileSync(join(tree, path), 'utf8')],
      ['b', hooked(path, readFileSync(join(tree, path), 'utf8'))],
    ]) {
      mkdirSync(join(work, side, dirname(path)), { recursive: true });
      writeFileSync(join(work, side, path), text);
    }
  for (const { add } of Object.values(hooks).flat()) changed += add.length;
  if (changed > MOST_CHANGED_LINES) throw new Error(`${changed} lines of existing files change`);

  const target = join(work, 'b/net/so_crypt');
  mkdirSync(join(target, 'selftest'), { recursive: true });
  for (const folder of ['.', 'selftest'])
    for (const name of readdirSync(join(linux, 'so_crypt', folder)).filter(
      (file) => /\.[ch]$/.test(file) && !/\.mod\.c$/.test(file),
    ))
      cpSync(join(linux, 'so_crypt', folder, name), join(target, folder, name));
  writeFileSync(join(target, 'Makefile'), makefile());
  for (const name of ['Kconfig', 'hook.c']) cpSync(join(here, 'files', name), join(target, name));
  mkdirSync(join(work, 'b/include/net'), { recursive: true });
  cpSync(join(here, 'files/sock_crypt.h'), join(work, 'b/include/net/sock_crypt.h'));
  mkdirSync(join(work, 'b/include/uapi/linux'), { recursive: true });
  cpSync(join(linux, 'include/uapi/linux/so_crypt.h'), join(work, 'b/include/uapi/linux/so_crypt.h'));

  // diff's status is 1 when there are differences; without times, so that the same sources give the same patch.
  const diff = spawnSync('diff', ['-urN', 'a', 'b'], { cwd: work, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (diff.status !== 1) throw new Error(diff.stderr || 'no differences');
  const patch = diff.stdout
    .replace(/^((?:---|\+\+\+) [^\t\n]+)\t.*$/gm, '$1')
    .replace(/^diff -urN /gm, 'diff -urN ');
  if (out) writeFileSync(out, patch);
  else process.stdout.write(patch);
  const version = execFileSync('make', ['-s', '-C', tree, 'kernelversion'], { encoding: 'utf8' }).trim();
  process.stderr.write(`${version}: ${changed} lines added to ${Object.keys(hooks).length} existing files\n`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
