import assert from 'node:assert/strict';
import { test } from 'node:test';
import { armedPair, flushed } from '../support/armed.js';
import { able, testWhere } from '../support/engine.js';
import { checkReading, checkWriting } from '../support/exercise.js';
import { contentType } from '../support/oracle-keys.js';
import { pause } from '../support/patience.js';
import { splitRecords } from '../support/records.js';
import { until } from '../support/sockets.js';
import { suiteNamed, suites13 } from '../support/suites.js';

const gcm = suiteNamed('tls1.3 aes-128-gcm');

for (const suite of suites13) {
  test(`${suite.name} writes what the oracle opens`, () => checkWriting(suite));
  test(`${suite.name} reads what the oracle seals`, () => checkReading(suite));
}

test('padded records are read, and a full one that is padded to the limit', async () => {
  const { peer, sealer, read } = await armedPair(gcm);
  peer.write(sealer.data('some', { zeros: 1000 }));
  peer.write(sealer.data('', { zeros: 16_384 }));
  peer.write(sealer.data('more', { zeros: 16_380 }));
  await until(() => read.length === 8 || read.errors.length > 0, '8 bytes');
  assert.deepEqual(read.errors, []);
  assert.equal(read.bytes.toString(), 'somemore');
});

testWhere(able.pad)('padTo pads each record to a multiple, never past the limit', async () => {
  const { ours, opener, wire } = await armedPair(gcm, { crypt: { padTo: 1000 } });
  for (const size of [1, 999, 1000, 16_384]) await flushed(ours, Buffer.alloc(size, 1));
  ours.end();
  await until(() => wire.ended, 'FIN');
  const bodies = splitRecords(wire.bytes).map((record) => record.length - 5 - 16);
  for (const body of bodies) assert.ok(body % 1000 === 0 || body === 16_385, `${body} bytes`);
  assert.deepEqual(
    opener.openAll(wire.bytes).map(({ plaintext }) => plaintext.length),
    [1, 999, 1000, 16_384, 2],
  );
});

test('tickets go to onHandshakeMessage, whole, however they are cut into records', async () => {
  const messages: Buffer[] = [];
  const { peer, sealer, read } = await armedPair(gcm, {
    crypt: { onHandshakeMessage: (message) => messages.push(message) },
  });
  const ticket = Buffer.concat([Buffer.from([4, 0, 1, 0]), Buffer.alloc(256, 9)]);
  const two = Buffer.concat([ticket, ticket]);
  for (const [from, to] of [
    [0, 2],
    [2, 100],
    [100, 300],
    [300, 520],
  ]) {
    peer.write(sealer.seal(contentType.handshake, two.subarray(from, to)));
  }
  peer.write(sealer.data('data'));
  await until(() => read.length === 4 || read.errors.length > 0, 'data');
  assert.deepEqual(read.errors, []);
  assert.deepEqual(messages, [ticket, ticket]);
});

test('without onHandshakeMessage tickets are ignored', async () => {
  const { peer, sealer, read } = await armedPair(gcm);
  peer.write(sealer.seal(contentType.handshake, Buffer.from([4, 0, 0, 1, 0])));
  peer.write(sealer.data('data'));
  await until(() => read.length === 4, 'data');
});

test('user_canceled is harmless, any other alert but close_notify is fatal whatever its level says', async () => {
  const { peer, sealer, read } = await armedPair(gcm);
  peer.write(sealer.seal(contentType.alert, Buffer.from([1, 90])));
  peer.write(sealer.data('data'));
  peer.write(sealer.seal(contentType.alert, Buffer.from([1, 116])));
  await until(() => read.closed, 'closed');
  assert.equal(read.bytes.toString(), 'data');
  const error = read.errors[0] as NodeJS.ErrnoException & { alert?: number };
  assert.deepEqual([error.code, error.alert], ['ERR_SO_CRYPT_ALERT', 116]);
});

test('what comes after close_notify is ignored', async () => {
  const { peer, sealer, read } = await armedPair(gcm);
  peer.write(
    Buffer.concat([sealer.data('data'), sealer.closeNotify(), sealer.data('late'), Buffer.from('garbage')]),
  );
  await until(() => read.ended, 'end');
  peer.end('more garbage');
  await pause(20);
  assert.deepEqual(read.errors, []);
  assert.equal(read.bytes.toString(), 'data');
});
