import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type net from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Armed, armedPair } from '../support/armed.js';
import { able, isCarried } from '../support/engine.js';
import { contentType } from '../support/oracle-keys.js';
import { applicationData, splitRecords } from '../support/records.js';
import { sha256, until } from '../support/sockets.js';
import { suiteNamed } from '../support/suites.js';

const suites = [
  'tls1.3 aes-128-gcm',
  'tls1.3 chacha20-poly1305',
  'tls1.2 aes-256-gcm',
  'tls1.2 aes-128-cbc hmac-sha1',
  'tls1.2 aes-256-cbc hmac-sha384 encrypt-then-MAC',
  'tls1.0 aes-128-cbc hmac-sha1',
]
  .map(suiteNamed)
  .filter(({ protocol, cipher }) => isCarried(protocol, cipher));

const suite = fc.constantFrom(...suites);
const size = fc.oneof({ weight: 4, arbitrary: fc.nat(600) }, { weight: 1, arbitrary: fc.nat(16_384) });

// Cut so that each piece makes a read of its own, mostly: the kernel may still join some.
async function sendCut(peer: net.Socket, stream: Buffer, cuts: readonly number[]): Promise<void> {
  const places = [...new Set(cuts.map((cut) => cut % (stream.length + 1)))].sort((a, b) => a - b);
  let at = 0;
  for (const place of [...places, stream.length]) {
    if (place > at) peer.write(stream.subarray(at, place));
    at = place;
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  }
}

function closed(pair: Armed): void {
  assert.deepEqual(pair.read.errors, []);
  pair.close();
}

test('a stream of records arrives intact wherever it is cut', async () => {
  const sizes = fc.array(size, { minLength: 1, maxLength: 12 });
  const cuts = fc.array(fc.nat(200_000), { maxLength: 25 });
  const property = fc.asyncProperty(suite, sizes, cuts, async (chosen, lengths, places) => {
    const pair = await armedPair(chosen);
    const data = lengths.map((length) => randomBytes(length));
    const stream = Buffer.concat([
      ...data.map((chunk) => pair.sealer.data(chunk)),
      pair.sealer.closeNotify(),
    ]);
    await sendCut(pair.peer, stream, places);
    await until(() => pair.read.ended || pair.read.errors.length > 0, 'end');
    assert.equal(sha256(pair.read.bytes), sha256(Buffer.concat(data)));
    closed(pair);
  });
  await fc.assert(property, { numRuns: 120 });
});

test('a record that comes byte by byte arrives as soon as it is whole, and not before', async () => {
  for (const chosen of suites) {
    const pair = await armedPair(chosen);
    for (const record of [pair.sealer.data('first'), pair.sealer.data('second')]) {
      const before = pair.read.length;
      for (const byte of record.subarray(0, -1)) await sendCut(pair.peer, Buffer.from([byte]), []);
      assert.equal(pair.read.length, before);
      pair.peer.write(record.subarray(-1));
      await until(() => pair.read.length > before, 'the record');
    }
    assert.equal(pair.read.bytes.toString(), 'firstsecond');
    closed(pair);
  }
});

test('control records among data do not disturb it', async () => {
  const chosen = suiteNamed('tls1.3 aes-128-gcm');
  const kinds = fc.array(fc.constantFrom('data', 'empty', 'ticket', 'padded'), {
    minLength: 1,
    maxLength: 15,
  });
  const cuts = fc.array(fc.nat(5000), { maxLength: 10 });
  const property = fc.asyncProperty(kinds, cuts, async (order, places) => {
    const pair = await armedPair(chosen);
    const ticket = Buffer.concat([Buffer.from([4, 0, 0, 60]), Buffer.alloc(60)]);
    const make = {
      data: () => pair.sealer.data('data'),
      empty: () => pair.sealer.data(''),
      ticket: () => pair.sealer.seal(contentType.handshake, ticket),
      padded: () => pair.sealer.data('data', { zeros: 77 }),
    };
    const stream = Buffer.concat([...order.map((kind) => make[kind]()), pair.sealer.closeNotify()]);
    await sendCut(pair.peer, stream, places);
    await until(() => pair.read.ended || pair.read.errors.length > 0, 'end');
    const words = order.filter((kind) => kind === 'data' || kind === 'padded');
    assert.equal(pair.read.bytes.toString(), 'data'.repeat(words.length));
    closed(pair);
  });
  await fc.assert(property, { numRuns: 60 });
});

test('writes of any sizes come out in order, in records as full as they can be', async () => {
  const writes = fc.array(fc.record({ length: fc.oneof(size, fc.nat(60_000)), wait: fc.boolean() }), {
    minLength: 1,
    maxLength: 15,
  });
  const shorter = able.cutRecords ? [fc.integer({ min: 64, max: 16_384 })] : [];
  const maxFragment = fc.oneof(fc.constant(16_384), ...shorter);
  const property = fc.asyncProperty(suite, writes, maxFragment, async (chosen, list, limit) => {
    const pair = await armedPair(chosen, { crypt: { maxFragment: limit } });
    const data = list.map(({ length }) => randomBytes(length));
    for (const [i, { wait }] of list.entries()) {
      pair.ours.write(data[i]!);
      if (wait) await new Promise((resolve) => setImmediate(resolve));
    }
    pair.ours.end();
    await until(() => pair.wire.ended, 'FIN');
    const records = pair.opener.openAll(pair.wire.bytes);
    assert.equal(sha256(applicationData(records)), sha256(Buffer.concat(data)));
    const lengths = records.slice(0, -1).map(({ plaintext }) => plaintext.length);
    assert.ok(
      lengths.every((length) => length <= limit),
      `at most ${limit}: ${lengths}`,
    );
    // Joined or not, a write never takes more records than it needs by itself (TLS 1.0: and the one of a
    // byte).
    const split = chosen.protocol === 'tls1.0' ? 1 : 0;
    const needed = data.reduce((sum, { length }) => sum + Math.max(1, Math.ceil(length / limit)) + split, 0);
    assert.ok(lengths.length <= needed, `${lengths.length} records where ${needed} do`);
    closed(pair);
  });
  await fc.assert(property, { numRuns: 80 });
});

test('a long write is made of full records and one rest', async () => {
  const { ours, opener, wire } = await armedPair(suiteNamed('tls1.3 aes-256-gcm'));
  const data = randomBytes(5_000_001);
  ours.end(data);
  await until(() => wire.ended, 'FIN', 10_000);
  const records = opener.openAll(wire.bytes);
  const lengths = records.slice(0, -1).map(({ plaintext }) => plaintext.length);
  assert.equal(sha256(applicationData(records)), sha256(data));
  assert.ok(lengths.slice(0, -1).every((length) => length === 16_384));
});

test('small writes of one turn share records', async () => {
  const { ours, opener, wire } = await armedPair(suiteNamed('tls1.3 aes-128-gcm'));
  const words = Array.from({ length: 1000 }, (_, i) => `word ${i}, `);
  for (const word of words) ours.write(word);
  ours.end();
  await until(() => wire.ended, 'FIN');
  assert.equal(applicationData(opener.openAll(wire.bytes)).toString(), words.join(''));
  assert.ok(splitRecords(wire.bytes).length < 50, `${splitRecords(wire.bytes).length} records`);
});

test('strings, encodings and setEncoding work as on any stream', async () => {
  const { ours, peer, opener, sealer, wire } = await armedPair(suiteNamed('tls1.3 aes-128-gcm'));
  ours.write('zażółć ', 'utf8');
  ours.write('6a617aú', 'latin1');
  ours.end('6ac5ba', 'hex');
  await until(() => wire.ended, 'FIN');
  const expected = Buffer.concat([
    Buffer.from('zażółć '),
    Buffer.from('6a617aú', 'latin1'),
    Buffer.from('jź'),
  ]);
  assert.deepEqual(applicationData(opener.openAll(wire.bytes)), expected);
  let text = '';
  ours.removeAllListeners('data').setEncoding('utf8');
  ours.on('data', (chunk: string) => {
    text += chunk;
  });
  const bytes = Buffer.from('gęślą');
  peer.write(sealer.data(bytes.subarray(0, 2)));
  peer.write(sealer.data(bytes.subarray(2)));
  peer.end(sealer.closeNotify());
  await until(() => text === 'gęślą', 'the text, undivided characters');
});
