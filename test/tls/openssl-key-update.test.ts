import assert from 'node:assert/strict';
import { SoCryptError } from '../../lib/index.js';
import { able, testWhere } from '../support/engine.js';
import { handshakeDone, opensslClient, opensslServer } from '../support/peers.js';
import { until, waitFor } from '../support/sockets.js';
import { asOurs, type TlsSocket, tested, tlsClient, tlsListener, tlsPair } from '../support/tls-ends.js';

const test = testWhere(able.changeKeys);

// s_client and s_server: K changes their key and asks us to change ours, k changes theirs alone.

for (const letter of ['K', 'k'])
  test(`s_client's ${letter} in the middle of data`, async (t) => {
    const { server, port } = await tlsListener(tested);
    const peer = opensslClient(port, ['-tls1_3'], { quiet: false });
    t.after(() => peer.stop());
    const [socket] = (await waitFor(server, 'secureConnection')) as [TlsSocket];
    let received = '';
    socket.on('data', (data: Buffer) => {
      received += data;
      socket.write(`got ${data}`);
    });
    await peer.printed(handshakeDone);
    for (let round = 1; round <= 3; round++) {
      peer.write(`line ${round}\n`);
      await peer.printed(`got line ${round}`);
      peer.write(`${letter}\n`);
      await peer.complained('KEYUPDATE').catch(() => {});
      await until(() => Number(asOurs(socket).crypt?.read?.keyUpdates) === round, 'its KeyUpdate');
    }
    peer.write('last\n');
    await peer.printed('got last');
    assert.equal(received, 'line 1\nline 2\nline 3\nlast\n');
    assert.equal(asOurs(socket).crypt?.write?.keyUpdates, letter === 'K' ? 3 : 0);
  });

for (const letter of ['K', 'k'])
  test(`s_server's ${letter}, our client`, async (t) => {
    const { peer, port } = await opensslServer(['-tls1_3'], { quiet: false });
    t.after(() => peer.stop());
    const client = tlsClient(tested, port);
    await waitFor(client, 'secureConnect');
    let received = '';
    client.on('data', (data: Buffer) => {
      received += data;
    });
    peer.write('one\n');
    await until(() => received === 'one\n', 'one');
    peer.write(`${letter}\n`);
    await until(() => asOurs(client).crypt?.read?.keyUpdates === 1, 'its KeyUpdate');
    peer.write('two\n');
    await until(() => received === 'one\ntwo\n', 'two');
    client.write('still readable\n');
    await peer.printed('still readable');
    assert.equal(asOurs(client).crypt?.write?.keyUpdates, letter === 'K' ? 1 : 0);
  });

test('keyUpdate() of ours, with and without a request, between writes', async (t) => {
  const { peer, port } = await opensslServer(['-tls1_3']);
  t.after(() => peer.stop());
  const client = asOurs(tlsClient(tested, port));
  await waitFor(client, 'secureConnect');
  client.resume();
  for (let round = 0; round < 4; round++) {
    client.write(`round ${round}\n`);
    client.keyUpdate(round % 2 === 1);
  }
  client.write('end\n');
  await peer.printed('round 0\nround 1\nround 2\nround 3\nend\n');
  // s_server answers a request with its next write.
  peer.write('x');
  await until(() => Number(client.crypt?.read?.keyUpdates) >= 1, "the server's KeyUpdate");
  assert.equal(client.crypt?.write?.keyUpdates, 4);
});

test('keyUpdate() needs TLS 1.3', async () => {
  const { client } = await tlsPair([tested, tested], { both: { maxVersion: 'TLSv1.2' } });
  assert.throws(
    () => asOurs(client).keyUpdate(),
    (error) => error instanceof SoCryptError && error.code === 'ERR_SO_CRYPT_KEY_UPDATE',
  );
});
