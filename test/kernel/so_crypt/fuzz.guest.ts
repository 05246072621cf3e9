import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { patient } from '../../support/patience.js';

for (const [seed, company] of [
  [1, []],
  [2, []],
  [3, ['company']],
  [4, ['company']],
] as const)
  test(`8,000 calls, seed ${seed} ${company}`, () => {
    const fuzz = `${process.env.SO_CRYPT_BIN}/fuzz`;
    const said = execFileSync(fuzz, [String(seed), '8000', ...company], {
      encoding: 'utf8',
      timeout: patient(40_000),
    });
    const [good, all] = said.split(' of ').map(Number);
    // Enough of them get through the first checks to be worth it.
    assert.equal(all, 8000);
    assert.ok(good! > 1600, said);
  });
