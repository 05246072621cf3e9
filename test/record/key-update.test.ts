import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { CryptOptions } from '../../lib/crypt-options.js';
import { armedPair, flushed } from '../support/armed.js';
import { able, testWhere } from '../support/engine.js';
import { Generations, keyUpdateMessage } from '../support/generations.js';
import { contentType } from '../support/oracle-keys.js';
import { applicationData } from '../support/records.js';
import { sha256, until } from '../support/sockets.js';
import { suiteNamed, suites13 } from '../support/suites.js';

const test = testWhere(able.changeKeys);

async function pairWithGenerations(name: string, crypt: Partial<CryptOptions> = {}) {
  const suite = suiteNamed(name);
  const armed = await armedPair(suite, { secretOnly: true, crypt });
  const theirs = new Generations(suite.cipher, armed.crypt.read!.secret!);
  const own = new Generations(suite.cipher, armed.crypt.write!.secret!);
  return { ...armed, theirs, own };
}

for (const { name } of suites13) {
  test(`${name}: the peer changes its key without and with update_requested`, async () => {
    const { ours, peer, theirs, own, read, wire } = await pairWithGenerations(name);
    peer.write(theirs.oracle.data('one '));
    peer.write(theirs.sealKeyUpdate(false));
    peer.write(theirs.oracle.data('two '));
    await until(() => read.length === 8 || read.errors.length > 0, 'two words');
    assert.equal(wire.length, 0, 'no answer to update_not_requested');
    peer.write(theirs.sealKeyUpdate(true));
    peer.write(theirs.oracle.data('three'));
    await until(() => read.length === 13 || read.errors.length > 0, 'three words');
    assert.deepEqual(read.errors, []);
    assert.equal(read.bytes.toString(), 'one two three');
    assert.equal(ours.crypt?.read?.keyUpdates, 2);
    await until(() => ours.crypt?.write?.keyUpdates === 1, 'our own key has changed');
    ours.end('under the new key');
    await until(() => wire.ended, 'FIN');
    assert.equal(applicationData(own.openAll(wire.bytes)).toString(), 'under the new key');
    assert.deepEqual(own.requests, [0], 'the answer asks for nothing');
    assert.deepEqual(own.counts, [0, 1]);
  });
}

test('many requests at once are answered at least once, and never more often than asked', async () => {
  const { ours, peer, theirs, own, wire, read } = await pairWithGenerations('tls1.3 aes-128-gcm');
  const updates = Array.from({ length: 10 }, () => theirs.sealKeyUpdate(true));
  peer.write(Buffer.concat([...updates, theirs.oracle.data('x')]));
  await until(() => read.length === 1 || read.errors.length > 0, 'the data behind');
  assert.deepEqual(read.errors, []);
  ours.end('y');
  await until(() => wire.ended, 'FIN');
  own.openAll(wire.bytes);
  assert.ok(own.requests.length >= 1 && own.requests.length <= 10, `${own.requests.length} answers`);
});

test('the answer comes between our writes, and all arrives', async () => {
  const { ours, peer, theirs, own, wire } = await pairWithGenerations('tls1.3 aes-256-gcm');
  const data = Array.from({ length: 40 }, () => randomBytes(30_000));
  for (const [i, chunk] of data.entries()) {
    ours.write(chunk);
    if (i % 5 === 0) peer.write(theirs.sealKeyUpdate(true));
    if (i % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => ours.crypt?.read?.keyUpdates === 8, 'all updates are read');
  ours.end();
  await until(() => wire.ended, 'FIN');
  assert.equal(sha256(applicationData(own.openAll(wire.bytes))), sha256(Buffer.concat(data)));
});

test('keyUpdateAfter: no key serves for more records, and the peer need not ask', async () => {
  for (const [keyUpdateAfter, size] of [
    [1, 10],
    [4, 10],
    [4, 16_384],
    [8, 100_000],
  ] as const) {
    const { ours, own, wire } = await pairWithGenerations('tls1.3 aes-128-gcm', { keyUpdateAfter });
    const data = Array.from({ length: 12 }, () => randomBytes(size));
    for (const chunk of data) await flushed(ours, chunk);
    ours.end();
    await until(() => wire.ended, 'FIN');
    assert.equal(sha256(applicationData(own.openAll(wire.bytes))), sha256(Buffer.concat(data)));
    const most = Math.max(...own.counts);
    assert.ok(most <= keyUpdateAfter, `${most} records under one key, keyUpdateAfter ${keyUpdateAfter}`);
    assert.ok(own.requests.length > 0);
    assert.equal(ours.crypt?.write?.keyUpdates, own.requests.length);
  }
});

test('keyUpdateAfter holds within one write that is longer', async () => {
  const { ours, own, wire } = await pairWithGenerations('tls1.3 aes-128-gcm', { keyUpdateAfter: 4 });
  const data = randomBytes(400_000);
  ours.end(data);
  await until(() => wire.ended, 'FIN');
  assert.equal(sha256(applicationData(own.openAll(wire.bytes))), sha256(data));
  assert.ok(Math.max(...own.counts) <= 4, `records under each key: ${own.counts}`);
});

test('keyUpdate() changes our key and can ask for the same', async () => {
  const { ours, own, wire } = await pairWithGenerations('tls1.3 chacha20-poly1305');
  await flushed(ours, Buffer.from('a'));
  ours.keyUpdate();
  ours.keyUpdate(true);
  ours.end('b');
  await until(() => wire.ended, 'FIN');
  assert.equal(applicationData(own.openAll(wire.bytes)).toString(), 'ab');
  assert.deepEqual(own.requests, [0, 1]);
});

type Fault = { code: string; alert: number; send: (theirs: Generations) => Buffer };

const faults: Record<string, Fault> = {
  'with a request_update that is neither 0 nor 1': {
    code: 'ERR_SO_CRYPT_BAD_RECORD',
    alert: 47, // illegal_parameter (RFC 8446 4.6.3)
    send: (theirs) => theirs.oracle.seal(contentType.handshake, Buffer.from([24, 0, 0, 1, 2])),
  },
  'of the wrong length': {
    code: 'ERR_SO_CRYPT_BAD_RECORD',
    alert: 50,
    send: (theirs) => theirs.oracle.seal(contentType.handshake, Buffer.from([24, 0, 0, 2, 0, 0])),
  },
  'that does not end its record': {
    code: 'ERR_SO_CRYPT_UNEXPECTED_RECORD',
    alert: 10, // RFC 8446 5.1
    send: ({ oracle }) =>
      oracle.seal(contentType.handshake, Buffer.concat([keyUpdateMessage(false), Buffer.from([4])])),
  },
  'with data after it under the old key': {
    code: 'ERR_SO_CRYPT_BAD_RECORD_MAC',
    alert: 20,
    send: ({ oracle }) =>
      Buffer.concat([oracle.seal(contentType.handshake, keyUpdateMessage(false)), oracle.data('old key')]),
  },
};

for (const [what, { code, alert, send }] of Object.entries(faults)) {
  test(`a KeyUpdate ${what} is fatal`, async () => {
    const { peer, theirs, own, read, wire } = await pairWithGenerations('tls1.3 aes-128-gcm');
    peer.write(send(theirs));
    await until(() => read.closed && wire.ended, 'closed');
    assert.equal((read.errors[0] as NodeJS.ErrnoException).code, code);
    assert.equal(read.length, 0);
    assert.deepEqual([...own.openAll(wire.bytes).at(-1)!.plaintext], [2, alert]);
  });
}

test('without the traffic secret a KeyUpdate is fatal, and keyUpdate() throws', async () => {
  const { ours, peer, sealer, opener, read, wire } = await armedPair(suiteNamed('tls1.3 aes-128-gcm'), {
    keyOnly: true,
  });
  assert.throws(() => ours.keyUpdate(), { code: 'ERR_SO_CRYPT_KEY_UPDATE' });
  peer.write(sealer.data('before'));
  peer.write(sealer.seal(contentType.handshake, keyUpdateMessage(false)));
  await until(() => read.closed && wire.ended, 'closed');
  assert.equal(read.bytes.toString(), 'before');
  assert.equal((read.errors[0] as NodeJS.ErrnoException).code, 'ERR_SO_CRYPT_KEY_UPDATE');
  const last = opener.openAll(wire.bytes).at(-1)!;
  assert.deepEqual([last.type, last.plaintext[0]], [contentType.alert, 2]);
});
