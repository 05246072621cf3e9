import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import type nodeTls from 'node:tls';
import { certificates } from '../support/certificates.js';
import { patient } from '../support/patience.js';
import { opensslClient } from '../support/peers.js';
import { collect, sha256, until, waitFor } from '../support/sockets.js';
import {
  asOurs,
  closeAfterTest,
  engine,
  type TlsSocket,
  tlsClient,
  tlsListener,
} from '../support/tls-ends.js';

/** Keeps the least busy thread busy, so that the next handshake goes to another one. */
async function occupyOneThread(port: number): Promise<net.Socket> {
  const idle = closeAfterTest(net.connect(port, '127.0.0.1'));
  idle.on('error', () => {});
  await waitFor(idle, 'connect');
  return idle;
}

async function visit(
  port: number,
  options: nodeTls.ConnectionOptions,
): Promise<{ session: Buffer | undefined; reused: boolean }> {
  const client = tlsClient('node', port, options);
  let session: Buffer | undefined;
  client.on('session', (one) => {
    session = one;
  });
  // The first one waits until the threads have started.
  await waitFor(client, 'secureConnect', 30_000);
  client.write('hello');
  await waitFor(client, 'data', 30_000);
  const reused = client.isSessionReused();
  if (!reused) await until(() => session !== undefined, 'a session');
  client.destroy();
  return { session, reused };
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
  test(`a client resumes with any thread, ${version}`, async () => {
    const { server, port } = await tlsListener('so-crypt', { handshakeWorkers: 3 }, (socket) => {
      socket.on('error', () => {});
      socket.pipe(socket);
    });
    server.on('tlsClientError', () => {});
    const both = { minVersion: version, maxVersion: version } as const;
    const { session } = await visit(port, both);
    for (let i = 0; i < 3; i++) {
      const { reused } = await visit(port, { ...both, session: session! });
      assert.equal(reused, true, `thread ${i}`);
      await occupyOneThread(port);
    }
  });

test('data right behind the Finished, and FIN behind that', async () => {
  const sums: Promise<string>[] = [];
  const { port } = await tlsListener('so-crypt', { handshakeWorkers: 2 }, (socket) => {
    assert.equal(asOurs(socket).crypt?.engine, engine);
    sums.push(collect(socket).then(sha256));
  });
  const sent: string[] = [];
  for (const [version, length] of [
    ['TLSv1.2', 5],
    ['TLSv1.3', 5],
    ['TLSv1.2', 300_000],
    ['TLSv1.3', 300_000],
  ] as const) {
    const data = Buffer.alloc(length, `${version} ${length}`);
    // Written before the handshake: OpenSSL sends it with its Finished, and end() sends close_notify and FIN at once.
    const client = tlsClient('node', port, { minVersion: version, maxVersion: version });
    client.end(data);
    client.resume();
    sent.push(sha256(data));
    await new Promise((resolve) => client.once('close', resolve));
  }
  assert.deepEqual(await Promise.all(sums), sent);
});

test('s_client that ends its input at once', async () => {
  const texts: Promise<Buffer>[] = [];
  const { port } = await tlsListener('so-crypt', { handshakeWorkers: 2 }, (socket) => {
    texts.push(collect(socket));
  });
  for (const flag of ['-tls1_2', '-tls1_3']) {
    const peer = opensslClient(port, [flag]);
    peer.end('all of it\n');
    await peer.exit();
  }
  assert.deepEqual((await Promise.all(texts)).map(String), ['all of it\n', 'all of it\n']);
});

test('500 at once', async () => {
  // An emulated processor has enough to do with fewer.
  const count = patient(1) > 1 ? 60 : 500;
  let seen = 0;
  const { port } = await tlsListener(
    'so-crypt',
    { handshakeWorkers: { threads: 2, mostInFlight: 50 } },
    (socket) => {
      seen++;
      socket.pipe(socket);
    },
  );
  const one = async (i: number): Promise<void> => {
    const client = tlsClient('node', port);
    await waitFor(client, 'secureConnect', 60_000);
    const text = `number ${i}`;
    client.write(text);
    const [data] = await waitFor(client, 'data', 60_000);
    assert.equal(String(data), text);
    client.destroy();
  };
  await Promise.all(Array.from({ length: count }, (_, i) => one(i)));
  assert.equal(seen, count);
});

for (const native of [true, false])
  test(`silent clients do not keep others out, native ${native}`, async () => {
    const { server, port } = await tlsListener('so-crypt', {
      handshakeWorkers: { threads: 1, mostInFlight: 2, native },
    });
    server.on('tlsClientError', () => {});
    for (let i = 0; i < 5; i++) await occupyOneThread(port);
    await waitFor(tlsClient('node', port), 'secureConnect', 20_000);
  });

test('a connection that the application has seen, by its listener or because it was its own', async () => {
  const { server, port } = await tlsListener('so-crypt', { handshakeWorkers: 1 }, (socket) => {
    socket.pipe(socket);
  });
  const connections: net.Socket[] = [];
  server.on('connection', (connection: net.Socket) => {
    connections.push(connection);
    // What node:tls tolerates: it reads by the handle.
    connection.pause();
    connection.resume();
  });
  const first = tlsClient('node', port);
  first.write('one');
  assert.equal(String((await waitFor(first, 'data', 30_000))[0]), 'one');
  assert.equal(connections.length, 1);

  // A front that looks at the first byte, and gives the connection away with it.
  const front = closeAfterTest(
    net.createServer((socket) => {
      socket.once('readable', () => {
        const head = socket.read() as Buffer;
        assert.equal(head[0], 22);
        socket.unshift(head);
        server.emit('connection', socket);
      });
    }),
  );
  front.listen(0, '127.0.0.1');
  await waitFor(front, 'listening');
  const second = tlsClient('node', (front.address() as net.AddressInfo).port);
  second.write('two');
  assert.equal(String((await waitFor(second, 'data'))[0]), 'two');
  const closed = new Promise((resolve) => second.once('close', resolve));
  connections[1]!.destroy();
  await closed;
});

test('a client certificate, its chain and the answer to a wrong one', async () => {
  const { ca, client: own, server: strange } = certificates();
  const { server, port } = await tlsListener('so-crypt', {
    handshakeWorkers: 2,
    requestCert: true,
    ca: ca.cert,
    ALPNProtocols: ['h2', 'http/1.1'],
  });
  const secure = waitFor(server, 'secureConnection', 30_000) as Promise<[TlsSocket]>;
  const client = tlsClient('node', port, { cert: own.cert, key: own.key, ALPNProtocols: ['h2'] });
  const [[socket]] = await Promise.all([secure, waitFor(client, 'secureConnect', 30_000)]);
  assert.deepEqual([socket.authorized, socket.alpnProtocol, client.alpnProtocol], [true, 'h2', 'h2']);
  const shown = socket.getPeerX509Certificate()!;
  assert.equal(shown.issuerCertificate?.subject, 'CN=so-crypt test CA');
  const chain = socket.getPeerCertificate(true) as nodeTls.DetailedPeerCertificate;
  assert.equal(chain.issuerCertificate.issuerCertificate, chain.issuerCertificate);
  assert.ok(Buffer.isBuffer(chain.raw));

  const failed = waitFor(server, 'tlsClientError', 30_000) as Promise<[NodeJS.ErrnoException]>;
  tlsClient('node', port, { cert: strange.cert, key: strange.key }).on('error', () => {});
  assert.ok((await failed)[0] instanceof Error);
});
