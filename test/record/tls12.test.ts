import assert from 'node:assert/strict';
import { test } from 'node:test';
import { armedPair, flushed } from '../support/armed.js';
import { able, testWhere } from '../support/engine.js';
import { checkReading, checkWriting } from '../support/exercise.js';
import { contentType } from '../support/oracle-keys.js';
import { connectedPair, Recorder, until } from '../support/sockets.js';
import { makeDirection, suiteNamed, suiteOptions, suites12 } from '../support/suites.js';

for (const suite of suites12) {
  test(`${suite.name} writes what the oracle opens`, () => checkWriting(suite));
  test(`${suite.name} reads what the oracle seals`, () => checkReading(suite));
}

for (const name of ['tls1.2 aes-128-gcm', 'tls1.2 aes-128-ccm']) {
  test(`${name} counts the explicit nonce up from explicitNonce, apart from the sequence number`, async () => {
    const { keys, oracle } = makeDirection(suiteNamed(name));
    const { ours, peer } = await connectedPair();
    const wire = new Recorder(peer);
    ours.setCrypt({
      ...suiteOptions(suiteNamed(name)),
      write: { ...keys, sequence: 5, explicitNonce: 0xffff_fffe_ffff_ffffn },
    });
    for (const text of ['a', 'b']) await flushed(ours, Buffer.from(text));
    ours.end();
    await until(() => wire.ended, 'FIN');
    const opener = oracle();
    opener.sequence = 5n;
    const nonces = opener.openAll(wire.bytes).map(({ explicit }) => explicit.toString('hex'));
    assert.deepEqual(nonces, ['fffffffeffffffff', 'ffffffff00000000', 'ffffffff00000001']);
  });
}

test('a peer may choose explicit nonces as it likes', async () => {
  const { peer, sealer, read } = await armedPair(suiteNamed('tls1.2 aes-128-gcm'));
  for (const explicitNonce of [77n, 3n, 2n ** 64n - 1n]) peer.write(sealer.data('x', { explicitNonce }));
  await until(() => read.length === 3, '3 bytes');
});

testWhere(able.carryCbc)('a peer may pad with more blocks than needed', async () => {
  for (const name of [
    'tls1.2 aes-128-cbc hmac-sha1',
    'tls1.0 des-ede3-cbc hmac-sha1',
    'tls1.1 aes-256-cbc hmac-sha1 encrypt-then-MAC',
  ]) {
    const { peer, sealer, read } = await armedPair(suiteNamed(name));
    for (let extraBlocks = 0; extraBlocks <= 14; extraBlocks++)
      peer.write(sealer.data('xyz', { extraBlocks }));
    await until(() => read.length === 45 || read.errors.length > 0, '45 bytes');
    assert.deepEqual(read.errors, []);
  }
});

test('TLS 1.2 warnings do not disturb, a fatal alert ends it', async () => {
  const { peer, sealer, read } = await armedPair(suiteNamed('tls1.2 aes-128-gcm'));
  peer.write(sealer.data('before'));
  peer.write(sealer.seal(contentType.alert, Buffer.from([1, 90])));
  peer.write(sealer.data(' after'));
  peer.write(sealer.seal(contentType.alert, Buffer.from([2, 80])));
  await until(() => read.closed, 'closed');
  assert.equal(read.bytes.toString(), 'before after');
  const error = read.errors[0] as NodeJS.ErrnoException & { alert?: number };
  assert.deepEqual([error.code, error.alert], ['ERR_SO_CRYPT_ALERT', 80]);
});

test('a renegotiation attempt is answered with the warning no_renegotiation', async () => {
  const { peer, sealer, opener, read, wire } = await armedPair(suiteNamed('tls1.2 aes-128-gcm'));
  peer.write(sealer.seal(contentType.handshake, Buffer.from([0, 0, 0, 0])));
  peer.write(sealer.data('still here'));
  await until(() => read.length === 10 && wire.length > 0, 'data and an alert');
  assert.deepEqual([...opener.openAll(wire.bytes)[0]!.plaintext], [1, 100]);
});
