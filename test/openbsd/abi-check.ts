// SPDX-License-Identifier: MIT
// struct so_crypt_info and all numbers are the same on OpenBSD and Linux: a program compiled with each header prints them.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const [cc = 'cc'] = process.argv.slice(2);
const linux = 'kernel-patch/linux/include/uapi/linux/so_crypt.h';
const openbsd = 'kernel-patch/openbsd/sys/sys/so_crypt.h';
const build = '.cache/openbsd';

// On Linux the option has a level and a name of its own to be reached by; EKEYEXPIRED is missing on OpenBSD.
const own = /^(SO_CRYPT_ULP|SOL_SO_CRYPT|SO_CRYPT_EKEYEXPIRED|_.*)$/;

function read(path: string): { numbers: string[]; members: string[] } {
  const text = readFileSync(path, 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '');
  const defines = [...text.matchAll(/^\s*#\s*define\s+(\w+)\s+\S/gm)].map((match) => match[1]!);
  const enums = [...text.matchAll(/^\s*(SO_CRYPT_\w+)\s*=/gm)].map((match) => match[1]!);
  const members: string[] = [];
  for (const [, name, body] of text.matchAll(/struct (\w+) \{([^}]*)\}/g)) {
    members.push(`sizeof(struct ${name})`);
    for (const declaration of body!.split(';')) {
      const member = /(\w+)\s*(?:\[[^\]]*\])?\s*$/.exec(declaration.trim())?.[1];
      if (!member) continue;
      members.push(`offsetof(struct ${name}, ${member})`, `sizeof(((struct ${name} *)0)->${member})`);
    }
  }
  return { numbers: [...defines, ...enums].filter((name) => !own.test(name)), members };
}

function values(path: string): string {
  const { numbers, members } = read(path);
  assert.ok(numbers.length > 25 && members.length > 100, `${path}: not understood`);
  const lines = [...numbers, ...members]
    .sort()
    .map((name) => `printf("%s %lld\\n", ${JSON.stringify(name)}, (long long)(${name}));`);
  const source = `${build}/abi.c`;
  writeFileSync(
    source,
    `#include <stddef.h>\n#include <stdint.h>\n#include <stdio.h>\n#include "../../${path}"\nint main(void) {${lines.join('\n')}return 0;}\n`,
  );
  const compiled = spawnSync(cc, [source, '-o', `${build}/abi`], { encoding: 'utf8' });
  assert.equal(compiled.status, 0, compiled.stderr);
  return spawnSync(`${build}/abi`, { encoding: 'utf8' }).stdout;
}

mkdirSync(build, { recursive: true });
const expected = values(linux);
assert.equal(values(openbsd), expected);
process.stdout.write(`ok - ${expected.split('\n').length - 1} numbers of the ABI are those of Linux\n`);
