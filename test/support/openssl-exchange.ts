import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { EngineOptions } from '../../lib/tls.js';
import { certificates } from './certificates.js';
import { opensslClient, opensslServer, type Peer } from './peers.js';
import { Random } from './random.js';
import { sha256, until, waitFor } from './sockets.js';
import { asOurs, engine, type TlsSocket, tlsClient, tlsListener } from './tls-ends.js';
import { suiteArguments, suiteOnly, type TlsSuite } from './tls-suites.js';
import { cut, Digest, oddSizes, writeAll } from './transfer.js';

const data = new Random(2).bytes(200_003);
const digest = sha256(data);

// Both directions at once; then our end says that it is over.
async function exchange(socket: TlsSocket, peer: Peer, { suite, version, cipher }: TlsSuite): Promise<void> {
  const received = new Digest(socket);
  peer.write(data);
  await writeAll(socket, cut(data, oddSizes));
  assert.equal(sha256(await peer.printed(data.length)), digest);
  await until(() => received.length === data.length, 'all has come');
  assert.equal(received.hex(), digest);
  const crypt = asOurs(socket).crypt!;
  assert.deepEqual([crypt.engine, crypt.cipher], [engine, cipher]);
  assert.ok(crypt.write!.records > 0n && crypt.read!.records > 0n);
  assert.equal((socket.getCipher() as { name: string }).name, suite);
  assert.deepEqual([socket.getProtocol(), socket.alpnProtocol], [version, 'echo']);
  socket.end();
}

/** Both directions at once, with our client and openssl's s_server. */
export async function toServer(t: TestContext, suite: TlsSuite, more: EngineOptions = {}): Promise<void> {
  const { rsaServer } = certificates();
  const rsa = ['-dcert', rsaServer.certFile, '-dkey', rsaServer.keyFile];
  const args = ['-alpn', 'echo', '-naccept', '1', ...rsa, ...suiteArguments(suite)];
  const { peer, port } = await opensslServer(args);
  t.after(() => peer.stop());
  const client = tlsClient('so-crypt', port, { ...suiteOnly(suite), ...more, ALPNProtocols: ['echo'] });
  await waitFor(client, 'secureConnect');
  assert.equal(client.authorized, true);
  await exchange(client, peer, suite);
  await waitFor(client, 'close');
  peer.end();
  assert.equal((await peer.exit()).code, 0);
}

/** Both directions at once, with our server and openssl's s_client. */
export async function fromClient(t: TestContext, suite: TlsSuite, more: EngineOptions = {}): Promise<void> {
  const options = { ...suiteOnly(suite), ...more, ALPNProtocols: ['echo'] };
  const { server, port } = await tlsListener('so-crypt', options);
  const secured = waitFor(server, 'secureConnection') as Promise<[TlsSocket]>;
  const args = ['-alpn', 'echo', '-verify_return_error', '-nocommands', ...suiteArguments(suite)];
  const peer = opensslClient(port, args);
  t.after(() => peer.stop());
  const [socket] = await secured;
  await exchange(socket, peer, suite);
  await waitFor(socket, 'close');
  assert.equal((await peer.exit()).code, 0);
}
