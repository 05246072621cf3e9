import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

for (let seed = 1; seed <= 3; seed++)
  test(`8,000 calls, seed ${seed}`, () => {
    const fuzz = `${process.env.SO_CRYPT_BIN}/fuzz`;
    const said = execFileSync(fuzz, [String(seed), '8000'], { encoding: 'utf8', timeout: 300_000 });
    const [good, all] = said.split(' of ').map(Number);
    // Enough of them get through the first checks to be worth it.
    assert.equal(all, 8000);
    assert.ok(good! > 1600, said);
  });
