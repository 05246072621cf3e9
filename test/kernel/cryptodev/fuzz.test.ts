// Thousands of calls with nonsense in any field, as root and as nobody: an errno, never more. The kernel's log is looked at afterwards.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { program } from './remote.js';

const NOBODY = 65534;

function fuzz(
  seed: number,
  calls: number,
  threads: number,
  uid = 0,
): Map<number, { calls: number; done: number }> {
  const args = [seed, calls, threads].map(String);
  const { status, stdout, signal } = spawnSync(program('cryptodev-fuzz'), args, { encoding: 'utf8', uid });
  assert.equal(status, 0, `seed ${seed}: ${stdout}${signal ?? ''}`);
  const lines = stdout.trim().split('\n');
  return new Map(
    lines.map((line) => {
      const [ioctl, tried, done] = line.split(' ').map(Number);
      return [ioctl!, { calls: tried!, done: done! }];
    }),
  );
}

for (const [seed, threads, uid] of [
  [1, 1, 0],
  [2, 1, NOBODY],
  [3, 4, 0],
  [4, 8, NOBODY],
] as const)
  test(`seed ${seed}, ${threads} threads, user ${uid}`, (t) => {
    const counts = fuzz(seed, 6000, threads, uid);
    // A fuzzer that is always refused at the door tests nothing.
    for (const ioctl of [101, 102, 103, 104, 106, 107, 109, 112, 160])
      assert.ok((counts.get(ioctl)?.done ?? 0) > 0, `ioctl ${ioctl} never succeeded`);
    const sum = [...counts.values()].reduce((total, { calls }) => total + calls, 0);
    t.diagnostic(`${sum} calls`);
    assert.ok(
      (counts.get(104)?.done ?? 0) > 150 && (counts.get(109)?.done ?? 0) > 15,
      JSON.stringify([...counts]),
    );
  });
