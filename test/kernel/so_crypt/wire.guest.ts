// A wire that does something to the bytes: what is read is the beginning of what was written, or all of it.
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { patient } from '../../support/patience.js';

for (const seed of [1, 2, 3])
  test(`300 connections, seed ${seed}`, (t) => {
    const args = [String(seed), '300'];
    const said = execFileSync(`${process.env.SO_CRYPT_BIN}/wire`, args, {
      encoding: 'utf8',
      timeout: patient(120_000),
    });
    t.diagnostic(said.trim());
  });
