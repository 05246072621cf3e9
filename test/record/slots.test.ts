import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validate } from '../../lib/arm.js';
import { OpenStatus, SealStatus } from '../../lib/native/records.js';
import { native } from '../../lib/native.js';
import { makeDirection, suiteNamed, suiteOptions } from '../support/suites.js';

// The addon knows what seals and opens by numbers.

const suite = suiteNamed('tls1.3 aes-128-gcm');

function layer() {
  const { keys, oracle } = makeDirection(suite);
  const { write, read } = validate({ ...suiteOptions(suite), engine: 'evp', write: keys, read: keys });
  return { oracle: oracle(), sealer: new native.Sealer(write!), opener: new native.Opener(read!) };
}

test('each has a number of its own, for which it opens what it should and where it should', () => {
  const layers = Array.from({ length: 5 }, layer);
  assert.equal(new Set(layers.map(({ opener }) => opener.slot)).size, 5);
  assert.equal(new Set(layers.map(({ sealer }) => sealer.slot)).size, 5);
  for (const { oracle, opener } of layers) {
    const record = oracle.data('hello');
    const out = Buffer.alloc(100, 0x2e);
    assert.equal(native.open(opener.slot, record, 0, record.length, out, 40), OpenStatus.needMore);
    assert.deepEqual([...native.result.subarray(0, 2)], [record.length, 5]);
    assert.deepEqual(out.subarray(0, 45), Buffer.from(`${'.'.repeat(40)}hello`));
    // Room counts from there.
    const next = oracle.data('hello');
    assert.equal(native.open(opener.slot, next, 0, next.length, out, 90), OpenStatus.capacity);
    assert.equal(native.open(opener.slot, next, 0, next.length, out, 1000), OpenStatus.capacity);
  }
});

test('a number that is nobody’s, or of one that is disposed of, does nothing', () => {
  const { oracle, opener, sealer } = layer();
  const record = oracle.data('hello');
  const out = Buffer.alloc(100);
  opener.dispose();
  sealer.dispose();
  for (const slot of [opener.slot, 1_000_000, -1])
    assert.equal(native.open(slot, record, 0, record.length, out, 0), OpenStatus.limit);
  for (const slot of [sealer.slot, 1_000_000, -1])
    assert.equal(native.sendSmall(slot, -1, 'a', false, undefined), SealStatus.limit);
  assert.deepEqual(out, Buffer.alloc(100));
});

test('what is too long for the short way uses up no sequence number', () => {
  const { sealer } = layer();
  const before = sealer.sequence;
  for (const [head, isUtf8] of [
    ['a'.repeat(16_385), false],
    ['a'.repeat(1_000_000), true],
    ['€'.repeat(5_462), true],
  ] as const)
    assert.equal(native.sendSmall(sealer.slot, -1, head, isUtf8, undefined), SealStatus.capacity);
  assert.equal(
    native.sendSmall(sealer.slot, -1, Buffer.alloc(20_481), false, undefined),
    SealStatus.capacity,
  );
  assert.equal(sealer.sequence, before);
  // No socket takes it, and so all of it is left.
  const length = native.sendSmall(sealer.slot, -1, 'é'.repeat(8_192), true, Buffer.alloc(3));
  assert.ok(native.result[0]! < 0);
  assert.equal(native.result[1], 16_387);
  assert.equal(native.takeSealed(0).length, length);
  assert.equal(native.takeSealed(length).length, 0);
});
