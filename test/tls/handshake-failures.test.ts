import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type nodeTls from 'node:tls';
import * as https from '../../lib/https.js';
import { SoCryptError } from '../../lib/index.js';
import * as ours from '../../lib/tls.js';
import { certificates } from '../support/certificates.js';
import { collect, waitFor } from '../support/sockets.js';
import {
  asOurs,
  closeAfterTest,
  engine,
  listen,
  tested,
  tlsClient,
  tlsListener,
  tlsPair,
} from '../support/tls-ends.js';

const hasCode = (code: string) => (error: unknown) => (error as NodeJS.ErrnoException).code === code;

async function errorOf(socket: net.Socket): Promise<NodeJS.ErrnoException> {
  const [error] = await waitFor(socket, 'error');
  return error as NodeJS.ErrnoException;
}

test('what is no handshake gets an alert, the server hears of it and goes on', async () => {
  const { server, port } = await tlsListener(tested);
  const cases: [send: string | Buffer | null, code: RegExp][] = [
    ['GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', /ERR_SSL_HTTP_REQUEST/],
    [Buffer.alloc(300, 0xff), /ERR_SSL_/],
    [Buffer.from('160301000501000001ff', 'hex'), /ERR_SSL_/],
    [null, /ECONNRESET/],
  ];
  for (const [send, code] of cases) {
    const failed = waitFor(server, 'tlsClientError') as Promise<[NodeJS.ErrnoException, nodeTls.TLSSocket]>;
    const client = closeAfterTest(net.connect(port, '127.0.0.1'));
    client.on('error', () => {});
    client.resume();
    await waitFor(client, 'connect');
    if (send === null) client.end();
    else client.write(send);
    const [error, socket] = await failed;
    assert.match(String(error.code), code);
    assert.ok(socket instanceof ours.TLSSocket);
    if (!client.closed) await waitFor(client, 'close');
  }
  await waitFor(tlsClient(tested, port), 'secureConnect');
});

test('RST in the middle of a handshake', async () => {
  const { server, port } = await tlsListener(tested);
  const client = closeAfterTest(net.connect(port, '127.0.0.1'));
  await waitFor(client, 'connect');
  client.write(Buffer.from('1603010200010001fc0303', 'hex'));
  await sleep(10);
  const failed = waitFor(server, 'tlsClientError') as Promise<[NodeJS.ErrnoException]>;
  client.resetAndDestroy();
  assert.equal((await failed)[0].code, 'ECONNRESET');
});

test('handshakeTimeout', async () => {
  const { server, port } = await tlsListener(tested, { handshakeTimeout: 30 });
  const client = closeAfterTest(net.connect(port, '127.0.0.1'));
  const closed = new Promise((resolve) => client.resume().once('close', resolve));
  const [error, socket] = (await waitFor(server, 'tlsClientError')) as [NodeJS.ErrnoException, net.Socket];
  assert.equal(error.code, 'ERR_TLS_HANDSHAKE_TIMEOUT');
  socket.destroy(); // as with node:tls, the application does it
  await closed;
});

test('no cipher in common fails on both sides', async () => {
  const { server, port } = await tlsListener(tested, {
    ciphers: 'TLS_AES_128_GCM_SHA256',
    minVersion: 'TLSv1.3',
  });
  const failed = waitFor(server, 'tlsClientError') as Promise<[NodeJS.ErrnoException]>;
  const client = tlsClient(tested, port, { ciphers: 'TLS_AES_256_GCM_SHA384', minVersion: 'TLSv1.3' });
  const error = await errorOf(client);
  assert.match(String(error.code), /ALERT_HANDSHAKE_FAILURE/);
  assert.equal((await failed)[0].code, 'ERR_SSL_NO_SHARED_CIPHER');
});

/** OpenSSL has them, no engine has. */
const foreign = { ciphers: 'ECDHE-ARIA128-GCM-SHA256', maxVersion: 'TLSv1.2' } as const;

for (const handshakeWorkers of [0, 1])
  test(`a suite that no engine carries: the server hears of it; ${handshakeWorkers} threads`, async () => {
    const { server, port } = await tlsListener('so-crypt', { ...foreign, handshakeWorkers });
    server.on('secureConnection', () => assert.fail('established'));
    const failed = new Promise<{ error: unknown; shown: unknown[] }>((resolve) =>
      server.once('tlsClientError', (error: unknown, socket: nodeTls.TLSSocket) => {
        resolve({ error, shown: [socket instanceof ours.TLSSocket, socket.destroyed, socket.remotePort] });
        // Nothing of it may reach the peer, where it would be plain text.
        socket.write('never sent');
      }),
    );
    const raw = closeAfterTest(net.connect(port, '127.0.0.1'));
    await waitFor(raw, 'connect');
    const { localPort } = raw;
    const client = tlsClient('node', port, { socket: raw });
    const closed = new Promise((resolve) => client.once('close', resolve));
    client.on('error', (error) => assert.fail(error));
    client.on('data', () => assert.fail('data'));
    const { error, shown } = await failed;
    assert.ok(hasCode('ERR_SO_CRYPT_UNSUPPORTED')(error) && /ARIA/.test(String(error)), String(error));
    assert.deepEqual(shown, [true, false, localPort]);
    await closed;
    // Nobody has to listen: neither the process nor the server ends.
    const other = tlsClient('node', port).resume();
    other.on('error', () => {});
    await new Promise((resolve) => other.once('close', resolve));
  });

test('a suite that no engine carries: the client hears of it', async () => {
  const { port } = await tlsListener('node', foreign);
  const client = tlsClient('so-crypt', port);
  client.on('secureConnect', () => assert.fail('established'));
  assert.equal((await errorOf(client)).code, 'ERR_SO_CRYPT_UNSUPPORTED');
  if (!client.closed) await waitFor(client, 'close');
});

test("a suite that no engine carries: 'clientError' of https, 'error' of a TLSSocket made by hand", async () => {
  const { cert, key } = certificates().rsaServer;
  const server = https.createServer({ cert, key, engine, ...foreign });
  const told = waitFor(server, 'clientError') as Promise<[NodeJS.ErrnoException]>;
  tlsClient('node', await listen(server)).on('error', () => {});
  assert.equal((await told)[0].code, 'ERR_SO_CRYPT_UNSUPPORTED');

  const byHand = net.createServer();
  const port = await listen(byHand);
  const accepted = waitFor(byHand, 'connection') as Promise<[net.Socket]>;
  tlsClient('node', port).on('error', () => {});
  const secureContext = ours.createSecureContext({ cert, key, ...foreign });
  const socket = closeAfterTest(
    new ours.TLSSocket((await accepted)[0], { isServer: true, secureContext, engine }),
  );
  assert.equal((await errorOf(socket)).code, 'ERR_SO_CRYPT_UNSUPPORTED');
});

test('a connection that breaks between the handshake and the engine', async () => {
  const { server, port } = await tlsListener('so-crypt', { handshakeWorkers: 0 });
  server.on('secureConnection', () => assert.fail('established'));
  const failed = waitFor(server, 'tlsClientError') as Promise<[NodeJS.ErrnoException]>;
  // The client's last flight is there in one piece: before the next tick OpenSSL is done, and its answer is not out yet.
  server.on('keylog', (_line: Buffer, socket: nodeTls.TLSSocket) => {
    process.nextTick(() => socket.destroy(Object.assign(new Error('broken'), { code: 'EPIPE' })));
  });
  tlsClient('node', port, { maxVersion: 'TLSv1.2' }).on('error', () => {});
  assert.equal((await failed)[0].code, 'EPIPE');
});

test('what a listener throws is an uncaught exception, also when it is an error of so-crypt', async () => {
  const { server, port } = await tlsListener('so-crypt', { handshakeWorkers: 0 });
  server.on('tlsClientError', (error) => assert.fail(error));
  const thrown = new SoCryptError('ERR_SO_CRYPT_CLOSED', 'thrown by a listener');
  server.on('secureConnection', () => {
    throw thrown;
  });
  const uncaught = new Promise((resolve) => process.setUncaughtExceptionCaptureCallback(resolve));
  try {
    tlsClient('node', port).on('error', () => {});
    assert.equal(await uncaught, thrown);
  } finally {
    process.setUncaughtExceptionCaptureCallback(null);
  }
});

test('a server that closes or is not there', async () => {
  const rude = net.createServer((socket) => socket.end());
  const port = await listen(rude);
  assert.equal((await errorOf(tlsClient(tested, port))).code, 'ECONNRESET');
  const gone = net.createServer();
  const free = await listen(gone);
  gone.close();
  await waitFor(gone, 'close');
  assert.equal((await errorOf(tlsClient(tested, free))).code, 'ECONNREFUSED');
});

test('destroy() at each moment of a handshake leaves nothing behind', async () => {
  const { server, port } = await tlsListener(tested);
  server.on('tlsClientError', () => {});
  for (let delay = 0; delay < 8; delay++) {
    const client = tlsClient(tested, port);
    client.on('error', (error) => assert.fail(error));
    client.write('never sent');
    await sleep(delay / 2);
    client.destroy();
    if (!client.closed) await waitFor(client, 'close');
  }
  // Every connection from now on: on a slow machine the first may still be one of those above.
  server.on('connection', (socket: net.Socket) => socket.destroy());
  const client = tlsClient(tested, port);
  assert.equal((await errorOf(client)).code, 'ECONNRESET');
});

test('end() and write() before the handshake is done come through', async () => {
  const { server, port } = await tlsListener(tested);
  const text = waitFor(server, 'secureConnection').then(([socket]) => collect(socket as net.Socket));
  const client = tlsClient(tested, port);
  client.write('early ');
  client.end('and ended');
  client.resume();
  assert.equal(String(await text), 'early and ended');
});

test('FIN without close_notify ends a stream as with node:tls, or is an error', async () => {
  for (const truncation of [undefined, 'error'] as const) {
    const { client, peer } = await tlsPair(['node', tested], {
      server: { ...(truncation && { truncation }) },
    });
    const socket = asOurs(peer);
    const closed = new Promise<boolean>((resolve) => socket.once('close', resolve));
    const errors: unknown[] = [];
    socket.on('error', (error) => errors.push(error));
    const data: Buffer[] = [];
    socket.on('data', (part: Buffer) => data.push(part));
    // With the session tickets unread, the client's end would be a RST.
    await sleep(50);
    client.write('all there is', () => client.destroy());
    assert.equal(await closed, truncation === 'error');
    assert.equal(String(Buffer.concat(data)), 'all there is');
    assert.equal(socket.crypt?.read?.truncated, true);
    assert.deepEqual(
      errors.map((error) => (error as SoCryptError).code),
      truncation ? ['ERR_SO_CRYPT_TRUNCATED'] : [],
    );
  }
});

test('garbage behind the handshake is fatal, without a byte of it', async () => {
  const { server, port } = await tlsListener(tested);
  const secure = waitFor(server, 'secureConnection') as Promise<[ours.TLSSocket]>;
  const raw = closeAfterTest(net.connect(port, '127.0.0.1'));
  await waitFor(raw, 'connect');
  const client = tlsClient('node', port, { socket: raw });
  client.on('error', () => {});
  const [[socket]] = await Promise.all([secure, waitFor(client, 'secureConnect')]);
  socket.on('data', (data) => assert.fail(String(data)));
  const failed = errorOf(socket);
  // Below Node's TLSSocket, straight to the connection.
  net.Socket.prototype.write.call(raw, Buffer.from('17030300200102030405060708090a0b0c0d0e0f', 'hex'));
  net.Socket.prototype.write.call(raw, Buffer.alloc(17, 9));
  assert.equal((await failed).code, 'ERR_SO_CRYPT_BAD_RECORD_MAC');
});

test('a connection that breaks ends no server that does not listen for errors', async () => {
  const { server, port } = await tlsListener(tested);
  const secure = waitFor(server, 'secureConnection') as Promise<[ours.TLSSocket]>;
  const raw = closeAfterTest(net.connect(port, '127.0.0.1'));
  await waitFor(raw, 'connect');
  const client = tlsClient('node', port, { socket: raw });
  client.on('error', () => {});
  const [[socket]] = await Promise.all([secure, waitFor(client, 'secureConnect')]);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  raw.resetAndDestroy();
  assert.equal(await closed, true);
});

test('options that can not work throw at once', () => {
  const unknown = { engine: 'none' as 'evp' };
  assert.throws(() => ours.createServer(unknown), hasCode('ERR_SO_CRYPT_UNKNOWN_ENGINE'));
  assert.throws(() => ours.connect({ port: 1, ...unknown }), hasCode('ERR_SO_CRYPT_UNKNOWN_ENGINE'));
  assert.throws(() => ours.createServer({ cert: 'no certificate', key: 'no key' }));
  assert.throws(() => ours.connect({ port: 1, cert: 'no certificate' }));
});

test('a TLSSocket takes no keys, and no renegotiation', async () => {
  const { peer } = await tlsPair(['node', tested]);
  const socket = asOurs(peer);
  assert.throws(() => socket.setCrypt({} as never), hasCode('ERR_SO_CRYPT_ALREADY_ARMED'));
  const error = await new Promise((resolve) => socket.renegotiate({}, resolve));
  assert.ok(error instanceof SoCryptError && error.code === 'ERR_SO_CRYPT_AFTER_HANDOVER');
});
