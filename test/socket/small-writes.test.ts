import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CryptOptions, Socket } from '../../lib/index.js';
import { type Armed, armedPair } from '../support/armed.js';
import { able, testWhere } from '../support/engine.js';
import { Generations } from '../support/generations.js';
import { Random } from '../support/random.js';
import { applicationData } from '../support/records.js';
import { until } from '../support/sockets.js';
import { suiteNamed } from '../support/suites.js';

// What http writes: a head that is a string and a short body, corked. It goes to the sealer without Buffers in between.

const suite = suiteNamed('tls1.3 aes-128-gcm');
const random = new Random(41);

type Chunk = readonly [chunk: string | Buffer, encoding?: BufferEncoding];

function writeCorked(socket: Socket, chunks: readonly Chunk[]): Promise<unknown>[] {
  socket.cork();
  const done = chunks.map(
    ([chunk, encoding]) => new Promise((resolve) => socket.write(chunk, encoding, resolve)),
  );
  socket.uncork();
  return done;
}

const bytesOf = (chunks: readonly Chunk[]): Buffer =>
  Buffer.concat(chunks.map(([chunk, encoding]) => Buffer.from(chunk as string, encoding)));

async function arrivedAt({ ours, wire, opener }: Armed): Promise<Buffer> {
  ours.end();
  await until(() => wire.ended, 'the end');
  return applicationData(opener.openAll(wire.bytes));
}

const head = 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n';
const anyUnit = (length: number): string =>
  String.fromCharCode(...Array.from({ length }, () => random.integer(0, 65_535)));

const responses: Record<string, Chunk[]> = {
  'a head, a body and nothing': [[head, 'latin1'], [random.bytes(1000)], ['', 'latin1']],
  'a head with its body': [
    [`${head}€ 😀`, 'utf8'],
    ['', 'latin1'],
  ],
  'a head alone': [
    [head, 'latin1'],
    ['', 'latin1'],
  ],
  'units beyond latin1': [[anyUnit(500), 'latin1'], [random.bytes(3)]],
  'lone surrogates': [[`\ud800a\udc00${anyUnit(300)}`, 'utf8'], [random.bytes(3)]],
  'a body first': [[random.bytes(10)], ['x', 'latin1']],
  'two Buffers': [[random.bytes(10)], [random.bytes(900)]],
  'two strings': [
    ['é', 'latin1'],
    ['é', 'utf8'],
  ],
  'other encodings': [['00ff', 'hex'], [random.bytes(5)], ['AAEC', 'base64'], ['é', 'utf16le']],
  chunked: [
    [head, 'latin1'],
    ['3', 'latin1'],
    [Buffer.from('\r\n')],
    [random.bytes(3)],
    [Buffer.from('\r\n')],
  ],
  'nothing at all': [
    ['', 'latin1'],
    ['', 'utf8'],
  ],
};

for (const [name, chunks] of Object.entries(responses))
  test(`${name}: bytes, callbacks and bytesWritten`, async () => {
    const armed = await armedPair(suite);
    await Promise.all(writeCorked(armed.ours, chunks));
    assert.equal(armed.ours.bytesWritten, bytesOf(chunks).length);
    assert.deepEqual(await arrivedAt(armed), bytesOf(chunks));
  });

test('a response goes as one record', async () => {
  const armed = await armedPair(suite);
  await Promise.all(writeCorked(armed.ours, responses['a head, a body and nothing']!));
  await until(() => armed.wire.length > 0, 'it arrives');
  const records = armed.opener.openAll(armed.wire.bytes);
  assert.equal(records.length, 1);
});

test('lengths around what is short', async () => {
  const armed = await armedPair(suite);
  const all: Buffer[] = [];
  for (const length of [0, 1, 5460, 5461, 5462, 15_383, 15_384, 15_385, 16_383, 16_384, 16_385, 40_000])
    for (const [unit, encoding] of [
      ['a', 'latin1'],
      ['€', 'utf8'],
      ['ÿ', 'latin1'],
    ] as const) {
      const chunks: Chunk[] = [[unit.repeat(length), encoding], [random.bytes(1000)]];
      all.push(bytesOf(chunks));
      await Promise.all(writeCorked(armed.ours, chunks));
    }
  assert.deepEqual(await arrivedAt(armed), Buffer.concat(all));
});

const shapes: Record<string, Partial<CryptOptions>> = {
  ...(able.cutRecords && { 'short records': { maxFragment: 64 } }),
  ...(able.pad && { padding: { padTo: 4096 } }),
};

for (const [name, crypt] of Object.entries(shapes))
  test(`${name}: what does not fit the short way goes the long one`, async () => {
    const armed = await armedPair(suite, { crypt });
    const chunks: Chunk[] = [[head, 'latin1'], [random.bytes(9000)], ['', 'latin1']];
    await Promise.all(writeCorked(armed.ours, chunks));
    assert.deepEqual(await arrivedAt(armed), bytesOf(chunks));
  });

testWhere(able.carryCbc)('the first record of a write is split where the IV is known before', async () => {
  const armed = await armedPair(suiteNamed('tls1.0 aes-128-cbc hmac-sha1'));
  const chunks: Chunk[] = [[head, 'latin1'], [random.bytes(1000)]];
  await Promise.all(writeCorked(armed.ours, chunks));
  assert.deepEqual(await arrivedAt(armed), bytesOf(chunks));
});

testWhere(able.changeKeys)('a key update comes when it is due', async () => {
  const { ours, wire, crypt } = await armedPair(suite, { secretOnly: true, crypt: { keyUpdateAfter: 8 } });
  const own = new Generations(suite.cipher, crypt.write!.secret!);
  const all: Buffer[] = [];
  for (let i = 0; i < 60; i++) {
    const chunks: Chunk[] = [[head, 'latin1'], [random.bytes(100)]];
    all.push(bytesOf(chunks));
    await Promise.all(writeCorked(ours, chunks));
  }
  ours.end();
  await until(() => wire.ended, 'the end');
  assert.deepEqual(applicationData(own.openAll(wire.bytes)), Buffer.concat(all));
  assert.ok(Math.max(...own.counts) <= 8, `records under each key: ${own.counts}`);
});

test('a kernel that is full takes a part of a record, the rest follows in order', async () => {
  const armed = await armedPair(suite);
  const all: Buffer[] = [];
  const writes: Promise<unknown>[] = [];
  for (let round = 0; round < 2; round++) {
    armed.peer.pause();
    for (let i = 0; i < 3000; i++) {
      const chunks: Chunk[] = [[head, 'latin1'], [random.bytes(8000 + (i % 7))], ['', 'latin1']];
      all.push(bytesOf(chunks));
      writes.push(...writeCorked(armed.ours, chunks));
    }
    assert.ok(armed.ours.writableLength > 0, 'the kernel is full');
    armed.peer.resume();
    await Promise.all(writes);
  }
  assert.deepEqual(await arrivedAt(armed), Buffer.concat(all));
});

test('a connection that is gone fails the writes', async () => {
  const { ours, peer } = await armedPair(suite);
  ours.on('error', () => {});
  // No event comes before the write.
  peer.resetAndDestroy();
  const [error] = (await Promise.all(writeCorked(ours, [[head, 'latin1'], [random.bytes(10)]]))) as Error[];
  assert.ok(error instanceof Error);
  await until(() => ours.closed, 'the close');
});
