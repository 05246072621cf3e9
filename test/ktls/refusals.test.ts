import assert from 'node:assert/strict';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { connect, createServer, engines } from '../../lib/index.js';
import { armedPair, flushed } from '../support/armed.js';
import { able, testWhere } from '../support/engine.js';
import { Generations, keyUpdateMessage } from '../support/generations.js';
import { contentType } from '../support/oracle-keys.js';
import { pause } from '../support/patience.js';
import { connectedPair, Recorder, until, waitFor } from '../support/sockets.js';
import { makeDirection, refusedSuites, suiteNamed, suiteOptions } from '../support/suites.js';
import { closeAfterTest, tlsClient, tlsListener } from '../support/tls-ends.js';

const gcm = suiteNamed('tls1.3 aes-128-gcm');
const unsupported = { code: 'ERR_SO_CRYPT_UNSUPPORTED' };

test('engines() says that ktls works', () => {
  const report = engines().find(({ name }) => name === 'ktls')!;
  assert.deepEqual([report.available, report.reason], [true, undefined]);
});

test('what kTLS has not is refused at once, and the socket stays as it was', async () => {
  assert.ok(refusedSuites.length > 10);
  for (const suite of refusedSuites) {
    const { ours, peer } = await connectedPair();
    const wire = new Recorder(peer);
    const keys = () => makeDirection(suite).keys;
    assert.throws(
      () => ours.setCrypt({ ...suiteOptions(suite), write: keys(), read: keys(), engine: 'ktls' }),
      unsupported,
    );
    assert.equal(ours.crypt, null);
    ours.end('plain');
    await until(() => wire.ended, 'FIN');
    assert.equal(wire.bytes.toString(), 'plain');
  }
  const { ours } = await connectedPair();
  const { keys } = makeDirection(gcm);
  for (const options of [{ padTo: 64 }, { maxFragment: 1024 }])
    assert.throws(
      () => ours.setCrypt({ ...suiteOptions(gcm), write: keys, engine: 'ktls', ...options }),
      unsupported,
    );
});

test('both directions have the same version and cipher', async () => {
  const { ours } = await connectedPair();
  const other = suiteNamed('tls1.2 aes-128-gcm');
  ours.setCrypt({ ...suiteOptions(gcm), write: makeDirection(gcm).keys, engine: 'ktls' });
  assert.throws(
    () => ours.setCrypt({ ...suiteOptions(other), read: makeDirection(other).keys, engine: 'ktls' }),
    unsupported,
  );
  ours.setCrypt({ ...suiteOptions(other), read: makeDirection(other).keys, engine: 'evp' });
  assert.deepEqual([ours.crypt?.write?.engine, ours.crypt?.read?.engine], ['ktls', 'evp']);
});

test('a direction that the kernel carries does not come back into the process', async () => {
  const { ours } = await connectedPair();
  ours.setCrypt({
    ...suiteOptions(gcm),
    write: makeDirection(gcm).keys,
    read: makeDirection(gcm).keys,
    engine: 'ktls',
  });
  for (const direction of ['write', 'read'])
    assert.throws(
      () => ours.setCrypt({ ...suiteOptions(gcm), [direction]: makeDirection(gcm).keys, engine: 'evp' }),
      unsupported,
    );
  assert.deepEqual([ours.crypt?.write?.engine, ours.crypt?.read?.engine], ['ktls', 'ktls']);
});

test('auto takes evp for what kTLS has not', async () => {
  for (const suite of refusedSuites.slice(0, 3)) {
    const { ours } = await connectedPair();
    ours.setCrypt({ ...suiteOptions(suite), write: makeDirection(suite).keys, engine: 'auto' });
    assert.equal(ours.crypt?.engine, 'evp');
  }
});

test('a socket that is not TCP is refused', async () => {
  const name = path.join(os.tmpdir(), `so-crypt-ktls-${process.pid}.sock`);
  const server = closeAfterTest(createServer());
  server.listen(name);
  await waitFor(server, 'listening');
  const client = closeAfterTest(connect({ path: name }));
  await waitFor(client, 'connect');
  assert.throws(
    () => client.setCrypt({ ...suiteOptions(gcm), write: makeDirection(gcm).keys, engine: 'ktls' }),
    unsupported,
  );
  assert.equal(client.crypt, null);
});

test('a connection whose peer has sent FIN is refused by ktls, and carried by auto', async () => {
  const { ours, peer } = await connectedPair();
  peer.end();
  await pause(50);
  const options = { ...suiteOptions(gcm), write: makeDirection(gcm).keys };
  assert.throws(
    () => ours.setCrypt({ ...options, engine: 'ktls' }),
    (error: NodeJS.ErrnoException) => {
      assert.equal(error.code, 'ERR_SO_CRYPT_UNSUPPORTED');
      assert.match(error.message, /FIN/);
      return true;
    },
  );
  ours.setCrypt({ ...options, engine: 'auto' });
  assert.equal(ours.crypt?.engine, 'evp');
});

for (const handshakeWorkers of [0, 1])
  test(`a handshake that ends in a suite without kTLS fails the connection, and says why; ${handshakeWorkers} threads`, async () => {
    const options = { engine: 'ktls', maxVersion: 'TLSv1.2', handshakeWorkers } as const;
    const { server, port } = await tlsListener('so-crypt', options);
    server.on('secureConnection', () => assert.fail('established'));
    const failed = waitFor(server, 'tlsClientError', 30_000) as Promise<[NodeJS.ErrnoException, object]>;
    const client = tlsClient('node', port, { ciphers: 'ECDHE-ECDSA-AES128-SHA' });
    const closed = new Promise((resolve) => client.on('close', resolve));
    client.on('error', () => {});
    assert.equal((await failed)[0].code, 'ERR_SO_CRYPT_UNSUPPORTED');
    await closed;
  });

testWhere(!able.changeKeys)(
  'before Linux 6.14: keys can not be changed, and nothing is lost for it',
  async () => {
    const { ours, peer, read, crypt } = await armedPair(gcm, { secretOnly: true });
    assert.throws(() => ours.keyUpdate(), { code: 'ERR_SO_CRYPT_KEY_UPDATE' });
    assert.throws(
      () => ours.setCrypt({ ...suiteOptions(gcm), write: makeDirection(gcm).keys, engine: 'ktls' }),
      (error: NodeJS.ErrnoException) => /6\.14/.test(error.message),
    );
    const sealer = makeDirection(gcm);
    assert.ok(sealer);
    const theirs = new Generations(gcm.cipher, crypt.read!.secret!);
    peer.write(theirs.oracle.data('still read'));
    await until(() => read.length === 10, 'data');
    await flushed(ours, Buffer.from('still written'));
  },
);

testWhere(!able.changeKeys)(
  "before Linux 6.14: the peer's KeyUpdate ends the connection with an alert, after all data",
  async () => {
    for (const request of [false, true]) {
      const { peer, opener, read, wire, crypt } = await armedPair(gcm, { secretOnly: true });
      const theirs = new Generations(gcm.cipher, crypt.read!.secret!);
      peer.write(
        Buffer.concat([
          theirs.oracle.data('before'),
          theirs.oracle.seal(contentType.handshake, keyUpdateMessage(request)),
        ]),
      );
      await until(() => read.closed && (wire.ended || wire.closed), 'closed');
      assert.equal(read.bytes.toString(), 'before');
      const error = read.errors[0] as NodeJS.ErrnoException;
      assert.equal(error.code, 'ERR_SO_CRYPT_KEY_UPDATE');
      assert.match(error.message, /6\.14/);
      const last = opener.openAll(wire.bytes).at(-1)!;
      assert.deepEqual([last.type, ...last.plaintext], [contentType.alert, 2, 80]);
    }
  },
);
