import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type nodeTls from 'node:tls';
import { ConnectionMadeByHand } from '../support/client-hello.js';
import { until, waitFor } from '../support/sockets.js';
import { closeAfterTest, engine, type TlsSocket, tlsClient, tlsListener } from '../support/tls-ends.js';
import { threads } from '../support/worker-threads.js';

// With a kernel engine there are no native handshakes, but what is tested here holds all the same.
const isNative = engine === 'evp';
/** In threads, and in this one. */
const places = [2, 0];
const workers = (native: boolean, threads = 2) => ({ handshakeWorkers: { threads, native } });

const facts = (socket: TlsSocket) => ({
  protocol: socket.getProtocol(),
  cipher: socket.getCipher(),
  sigalgs: socket.getSharedSigalgs(),
  alpn: socket.alpnProtocol,
  servername: (socket as { servername?: unknown }).servername,
  authorized: socket.authorized,
  authorizationError: socket.authorizationError ?? null,
  certificate: (socket.getCertificate() as nodeTls.PeerCertificate).fingerprint256,
  peer: Object.keys(socket.getPeerCertificate() ?? {}),
  reused: socket.isSessionReused(),
});

const suites = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];
for (const [place, ciphers] of places.flatMap((place) => suites.map((suite) => [place, suite] as const)))
  for (const more of [{}, { ALPNProtocols: ['http/1.1'], servername: '' }] as nodeTls.ConnectionOptions[])
    test(`all facts of a handshake are those of node:tls, ${place} threads, ${ciphers}, ${Object.keys(more)}`, async () => {
      const before = threads.length;
      const server = { ciphers, ALPNProtocols: ['h2', 'http/1.1'] };
      const told: unknown[][] = [];
      for (const [library, options] of [
        ['so-crypt', { ...server, ...workers(true, place) }],
        ['node', server],
      ] as const) {
        const all: unknown[] = [];
        const listener = await tlsListener(library, options);
        let session: Buffer | undefined;
        for (let i = 0; i < 2; i++) {
          const secured = waitFor(listener.server, 'secureConnection') as Promise<[TlsSocket]>;
          const client = tlsClient('node', listener.port, {
            ...more,
            checkServerIdentity: () => undefined,
            ...(session && { session }),
          });
          client.once('session', (ticket: Buffer) => {
            session = ticket;
          });
          const [[socket]] = await Promise.all([secured, waitFor(client, 'secureConnect')]);
          all.push(facts(socket));
          assert.deepEqual(
            socket.exportKeyingMaterial(40, 'label', Buffer.from('context')),
            client.exportKeyingMaterial(40, 'label', Buffer.from('context')),
          );
          assert.deepEqual(socket.getFinished(), client.getPeerFinished());
          assert.deepEqual(socket.getPeerFinished(), client.getFinished());
          const data = waitFor(client, 'data');
          socket.end('bye');
          assert.equal(String((await data)[0]), 'bye');
          await until(() => session !== undefined, 'a ticket');
        }
        told.push(all);
      }
      assert.deepEqual(told[0], told[1]);
      if (isNative) assert.equal(threads.length, before, 'no thread of Node’s is needed');
    });

for (const place of places)
  test(`what is not done without JavaScript goes to Node’s TLSSocket, ${place} threads, from the first byte`, async () => {
    const { server, port } = await tlsListener('so-crypt', workers(true, place));
    const secured = waitFor(server, 'secureConnection', 30_000) as Promise<[TlsSocket]>;
    const client = tlsClient('node', port, { maxVersion: 'TLSv1.2' });
    client.write('early');
    const [socket] = await secured;
    assert.equal(socket.getProtocol(), 'TLSv1.2');
    assert.equal(String((await waitFor(socket, 'data'))[0]), 'early');
    // A listener that wants to know of what happens on the way.
    const lines: string[] = [];
    server.on('keylog', (line: Buffer) => lines.push(line.toString('latin1')));
    await waitFor(tlsClient('node', port), 'secureConnect');
    await until(() => lines.some((line) => line.startsWith('SERVER_TRAFFIC_SECRET_0')), 'the key log');
  });

for (const place of places)
  test(`a HelloRetryRequest, ${place} threads`, async () => {
    const before = threads.length;
    const { server, port } = await tlsListener('so-crypt', { ...workers(true, place), ecdhCurve: 'P-384' });
    const secured = waitFor(server, 'secureConnection') as Promise<[TlsSocket]>;
    const client = tlsClient('node', port, { ecdhCurve: 'X25519:P-384' });
    const [[socket]] = await Promise.all([secured, waitFor(client, 'secureConnect')]);
    assert.equal((client.getEphemeralKeyInfo() as { name?: string }).name, 'secp384r1');
    client.write('hello');
    assert.equal(String((await waitFor(socket, 'data'))[0]), 'hello');
    if (isNative) assert.equal(threads.length, before);
  });

for (const place of places)
  test(`no tickets, or stateful ones, ${place} threads`, async () => {
    const { SSL_OP_NO_TICKET } = (await import('node:crypto')).constants;
    const { server, port } = await tlsListener('so-crypt', {
      ...workers(true, place),
      secureOptions: SSL_OP_NO_TICKET,
    });
    for (let i = 0; i < 3; i++) {
      const secured = waitFor(server, 'secureConnection') as Promise<[TlsSocket]>;
      const client = tlsClient('node', port);
      const [socket] = await secured;
      socket.end('bye');
      assert.equal(String((await waitFor(client, 'data'))[0]), 'bye');
    }
  });

/** The error of a handshake that fails. */
async function failure(
  options: { native: boolean; threads: number; handshakeTimeout?: number },
  run: (hand: ConnectionMadeByHand) => void | Promise<void>,
) {
  const { native, threads, ...more } = options;
  const { server, port } = await tlsListener('so-crypt', { ...workers(native, threads), ...more });
  const failed = waitFor(server, 'tlsClientError', 30_000) as Promise<[NodeJS.ErrnoException, TlsSocket]>;
  const hand = await ConnectionMadeByHand.to(port);
  await run(hand);
  const [error, socket] = await failed;
  // Node leaves it to the application to close what has timed out.
  if ((native && isNative) || more.handshakeTimeout === undefined)
    await until(() => socket.destroyed, 'it is closed');
  hand.socket.destroy();
  const { code, message, name, library, reason } = error as NodeJS.ErrnoException & Record<string, unknown>;
  const { servername } = socket as { servername?: unknown };
  // Address of a thread, file and line of OpenSSL's source are nobody's business.
  const plain = message.replace(/^[0-9A-F]+:|:[^:]*:\d+:/g, '');
  return { code, plain, name, library, reason, servername };
}

for (const [what, run] of [
  ['an alert', (hand) => hand.afterFlight(() => hand.socket.write(Buffer.from('15030300020230', 'hex')))],
  ['garbage', (hand) => hand.afterFlight(() => hand.socket.write(Buffer.alloc(100, 0xff)))],
  [
    'a forged Finished',
    (hand) => hand.afterFlight(() => hand.socket.write(Buffer.from(`1703030035${'5a'.repeat(53)}`, 'hex'))),
  ],
  ['FIN', (hand) => hand.afterFlight(() => hand.socket.end())],
  ['FIN in the ClientHello', (hand) => void hand.socket.end(hand.hello.subarray(0, 50))],
  ['FIN at once', (hand) => void hand.socket.end()],
  ['RST', (hand) => hand.afterFlight(() => hand.socket.resetAndDestroy())],
  ['another protocol', (hand) => void hand.socket.write('GET / HTTP/1.1\r\n\r\n')],
] as [string, (hand: ConnectionMadeByHand) => void | Promise<void>][])
  for (const threads of places)
    test(`${what} is the same error without JavaScript and with it, ${threads} threads`, async () => {
      const one = await failure({ native: true, threads }, run);
      // (In this thread Node's TLSSocket tells of RST as of FIN, or as the system does.)
      assert.deepEqual(one, await failure({ native: false, threads: what === 'RST' ? 2 : threads }, run));
    });

for (const [threads, bytes] of places.flatMap((place) => [0, 40, 600].map((n) => [place, n] as const)))
  test(`handshakeTimeout, ${threads} threads, ${bytes} bytes of a ClientHello`, async () => {
    const late = (native: boolean) =>
      failure(
        { native, threads, handshakeTimeout: 300 },
        (hand) => void hand.socket.write(hand.hello.subarray(0, bytes)),
      );
    const [one, other] = [await late(true), await late(false)];
    assert.equal(one.code, 'ERR_TLS_HANDSHAKE_TIMEOUT');
    assert.deepEqual(one, other);
  });

for (const place of places)
  test(`a ClientHello byte by byte, ${place} threads`, async () => {
    const { server, port } = await tlsListener('so-crypt', workers(true, place));
    const secured = waitFor(server, 'secureConnection', 30_000) as Promise<[TlsSocket]>;
    const front = closeAfterTest(
      net.createServer((from) => {
        const to = closeAfterTest(net.connect({ port, host: '127.0.0.1', noDelay: true }));
        for (const end of [from, to]) end.on('error', () => {});
        to.pipe(from);
        from.on('data', async (data) => {
          from.pause();
          for (const byte of data) {
            to.write(Uint8Array.of(byte));
            await sleep(0);
          }
          from.resume();
        });
      }),
    );
    front.listen(0, '127.0.0.1');
    await waitFor(front, 'listening');
    const client = tlsClient('node', (front.address() as net.AddressInfo).port);
    const [[socket]] = await Promise.all([secured, waitFor(client, 'secureConnect', 30_000)]);
    client.write('hello');
    assert.equal(String((await waitFor(socket, 'data'))[0]), 'hello');
  });

for (const place of places)
  test(`a connection that the application destroys in the middle of its handshake, ${place} threads`, async () => {
    const { server, port } = await tlsListener('so-crypt', workers(true, place));
    const errors: unknown[] = [];
    server.on('tlsClientError', (error) => errors.push(error));
    server.on('connection', (connection: net.Socket) => setTimeout(() => connection.destroy(), 100));
    const hand = await ConnectionMadeByHand.to(port);
    hand.socket.write(hand.hello);
    await waitFor(hand.socket, 'close');
    await until(() => (server as unknown as { _connections: number })._connections === 0, 'it is closed');
    assert.deepEqual(errors, []);
  });

for (const place of places)
  test(`the process ends in the middle of handshakes, ${place} threads`, async () => {
    const { spawnSync } = await import('node:child_process');
    const library = new URL('../../lib/tls.js', import.meta.url).href;
    const { certificates } = await import('../support/certificates.js');
    const { cert, key } = certificates().server;
    for (const end of ['process.exit(7)', 'process.exitCode = 7; server.close()']) {
      const { status, stderr } = spawnSync(
        process.execPath,
        [
          '--input-type=module',
          '-e',
          `import tls from ${JSON.stringify(library)}; import node from 'node:tls';
         const server = tls.createServer(${JSON.stringify({ cert, key, handshakeWorkers: place })}, (socket) => {
           socket.on('error', () => {});
           socket.destroy();
         });
         server.on('tlsClientError', () => {});
         server.listen(0, '127.0.0.1', () => {
           const { port } = server.address();
           for (let i = 0; i < 50; i++) node.connect({ port, rejectUnauthorized: false }).on('error', () => {});
           setTimeout(() => { ${end} }, 150);
         });`,
        ],
        { encoding: 'utf8', timeout: 60_000 },
      );
      assert.equal(status, 7, stderr);
    }
  });
