// Allocations that fail. For a kernel with fault injection: `npm run test:kasan` runs it.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { before, test } from 'node:test';

/** In memory: 9p, where it comes from, does not do well where allocations fail. */
const program = (name: string) => `/dev/shm/${name}`;

before(() => {
  for (const name of ['faults', 'fuzz']) copyFileSync(`${process.env.SO_CRYPT_BIN}/${name}`, program(name));
  for (const kind of ['failslab', 'fail_page_alloc']) {
    const set = (knob: string, text: string) => writeFileSync(`/sys/kernel/debug/${kind}/${knob}`, text);
    set('verbose', '0');
    // Also those that may sleep; for them the kernel would try again.
    set('ignore-gfp-wait', 'N');
    set('task-filter', 'Y');
  }
  writeFileSync('/sys/kernel/debug/fail_page_alloc/min-order', '0');
  writeFileSync('/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem', 'N');
});

test('each allocation of each system call fails once', (t) => {
  const { status, stdout, stderr } = spawnSync(program('faults'), { encoding: 'utf8', timeout: 1_200_000 });
  const lines = stdout.trim().split('\n');
  const faults = lines.reduce((sum, line) => sum + Number(/: (\d+) faults/.exec(line)?.[1] ?? 0), 0);
  t.diagnostic(`${faults} faults in ${lines.length} kinds of calls`);
  assert.equal(status, 0, `${lines.at(-1)}\n${stderr}`);
  // Without allocations there would be nothing to test.
  assert.ok(faults > 500, stdout);
});

for (const [kind, seed] of [
  ['failslab', 21],
  ['fail_page_alloc', 22],
] as const)
  test(`one in fifty allocations fails (${kind}) while system calls get nonsense, seed ${seed}`, (t) => {
    const knob = (name: string, text: string) => writeFileSync(`/sys/kernel/debug/${kind}/${name}`, text);
    knob('times', '-1');
    knob('probability', '2');
    try {
      const env = { ...process.env, SO_CRYPT_MAKE_IT_FAIL: '1' };
      const args = [String(seed), '3000'];
      const said = execFileSync(program('fuzz'), args, { encoding: 'utf8', timeout: 600_000, env });
      t.diagnostic(said.trim());
      assert.ok(Number(said.split(' of ')[0]) > 300, said);
    } finally {
      knob('probability', '0');
    }
  });
