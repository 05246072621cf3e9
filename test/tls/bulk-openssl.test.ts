import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { opensslClient, opensslServer, type Peer } from '../support/peers.js';
import { Random } from '../support/random.js';
import { sha256, until, waitFor } from '../support/sockets.js';
import { type TlsSocket, tested, tlsClient, tlsListener } from '../support/tls-ends.js';
import { readSlowly, writeAtRandom } from '../support/transfer.js';

const [up, down] = [randomBytes(20_000_003), randomBytes(20_000_003)];
const args = ['-nocommands'];

async function toServer(t: TestContext): Promise<[TlsSocket, Peer]> {
  const { peer, port } = await opensslServer();
  t.after(() => peer.stop());
  const client = tlsClient(tested, port);
  await waitFor(client, 'secureConnect');
  return [client, peer];
}

async function fromClient(t: TestContext): Promise<[TlsSocket, Peer]> {
  const { server, port } = await tlsListener(tested);
  const secured = waitFor(server, 'secureConnection') as Promise<[TlsSocket]>;
  const peer = opensslClient(port, args);
  t.after(() => peer.stop());
  return [(await secured)[0], peer];
}

for (const connect of [toServer, fromClient])
  test(`20 MB each way at the same time with openssl: ${connect.name}`, async (t) => {
    const [socket, peer] = await connect(t);
    const received = readSlowly(socket, new Random(1));
    // openssl's commands write to the connection until it takes no more and read nothing meanwhile.
    peer.write(down);
    await writeAtRandom(socket, up, new Random(2));
    assert.equal(sha256(await peer.printed(up.length)), sha256(up));
    await until(() => received.length >= down.length, 'all has come', 10_000);
    assert.equal(received.hex(), sha256(down));
    assert.equal(received.length, down.length);
  });
