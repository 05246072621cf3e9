// Allocations that fail. For a kernel with fault injection: `npm run test:kasan` runs it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { program } from './remote.js';

before(() => {
  for (const kind of ['failslab', 'fail_page_alloc']) {
    writeFileSync(`/sys/kernel/debug/${kind}/verbose`, '0');
    // Also those that may sleep; for them the kernel would try again.
    writeFileSync(`/sys/kernel/debug/${kind}/ignore-gfp-wait`, 'N');
  }
  writeFileSync('/sys/kernel/debug/fail_page_alloc/min-order', '0');
  writeFileSync('/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem', 'N');
});

test('each allocation of each ioctl fails once', (t) => {
  const { status, stdout, stderr } = spawnSync(program('cryptodev-faults'), {
    encoding: 'utf8',
    timeout: 900_000,
  });
  const lines = stdout.trim().split('\n');
  const faults = lines.reduce((sum, line) => sum + Number(/: (\d+) faults/.exec(line)?.[1] ?? 0), 0);
  t.diagnostic(`${faults} faults: ${lines.join('; ')}`);
  assert.equal(status, 0, `${lines.at(-1)}\n${stderr}`);
  // Without allocations there would be nothing to test.
  assert.ok(faults > 40, stdout);
});
