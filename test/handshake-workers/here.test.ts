import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import net from 'node:net';
import { test } from 'node:test';
import nodeTls from 'node:tls';
import { Worker } from 'node:worker_threads';
import { certificates } from '../support/certificates.js';
import { ConnectionMadeByHand } from '../support/client-hello.js';
import { until, waitFor } from '../support/sockets.js';
import { closeAfterTest, engine, type TlsSocket, tlsClient, tlsListener } from '../support/tls-ends.js';

// Handshakes without JavaScript in this thread: the rule for a server without the option handshakeWorkers. Over a kernel engine there are
// none, but what is tested here holds all the same.
const here = { handshakeWorkers: 0 };

/** Counts the TLSSockets that Node's server makes. */
function countNodes(): { count: number } {
  const prototype = nodeTls.TLSSocket.prototype as unknown as { _init(...args: unknown[]): void };
  const { _init: init } = prototype;
  const counted = { count: 0 };
  prototype._init = function (this: nodeTls.TLSSocket & { _tlsOptions: { isServer?: boolean } }, ...args) {
    if (this._tlsOptions.isServer) counted.count++;
    init.apply(this, args);
  };
  return counted;
}

const nodes = countNodes();
const hello = async (from: TlsSocket, to: TlsSocket): Promise<void> => {
  from.write('hello');
  assert.equal(String((await waitFor(to, 'data'))[0]), 'hello');
};

/** Whether Node's TLSSocket did the handshake of a client of that version. */
async function isDoneByNode(port: number, server: net.Server, options = {}): Promise<boolean> {
  const before = nodes.count;
  const secured = waitFor(server, 'secureConnection') as Promise<[TlsSocket]>;
  const client = tlsClient('node', port, options);
  const [socket] = await secured;
  await hello(client, socket);
  await hello(socket, client);
  client.destroy();
  return nodes.count > before;
}

test('which handshakes need no TLSSocket of Node’s', async () => {
  const { server, port } = await tlsListener('so-crypt', here, (socket) => socket.on('error', () => {}));
  const byNode = engine !== 'evp';
  assert.equal(await isDoneByNode(port, server), byNode);
  assert.equal(await isDoneByNode(port, server, { maxVersion: 'TLSv1.2' }), true);
  // Also with somebody who sees connections before their handshake.
  const seen: net.Socket[] = [];
  server.on('connection', (connection: net.Socket) => seen.push(connection));
  assert.equal(await isDoneByNode(port, server), byNode);
  assert.equal(await isDoneByNode(port, server, { maxVersion: 'TLSv1.2' }), true);
  await until(() => seen.every(({ destroyed }) => destroyed), 'what was seen is closed');
  // Who listens to the handshake is told.
  const lines: Buffer[] = [];
  const listener = (line: Buffer) => lines.push(line);
  server.on('keylog', listener);
  assert.equal(await isDoneByNode(port, server), true);
  assert.notEqual(lines.length, 0);
  server.off('keylog', listener);
  assert.equal(await isDoneByNode(port, server), byNode);
  const { cert, key } = certificates().rsaServer;
  (server as nodeTls.Server).addContext('other', { cert, key });
  assert.equal(await isDoneByNode(port, server), true);
  await until(() => (server as unknown as { _connections: number })._connections === 0, 'none is left');
});

test('a connection that is given to the server, with what was read before, and one that nobody has read', async () => {
  const { server, port: unused } = await tlsListener('so-crypt', here);
  assert.ok(unused > 0);
  const front = closeAfterTest(
    net.createServer((connection) => {
      connection.once('data', (data) => {
        connection.pause();
        connection.unshift(data);
        server.emit('connection', connection);
      });
    }),
  );
  front.listen(0, '127.0.0.1');
  await waitFor(front, 'listening');
  const secured = waitFor(server, 'secureConnection') as Promise<[TlsSocket]>;
  const client = tlsClient('node', (front.address() as net.AddressInfo).port);
  const [socket] = await secured;
  await hello(client, socket);
  await hello(socket, client);
});

test('new credentials and ticket keys are the next connection’s', async () => {
  const { server: ec, rsaServer: rsa } = certificates();
  const only = { cert: ec.cert, key: ec.key };
  const { server, port } = await tlsListener('so-crypt', { ...here, ...only }, (socket) => {
    socket.on('error', () => {});
    socket.resume();
  });
  let session: Buffer | undefined;
  const visit = async (): Promise<{ name: string; reused: boolean }> => {
    const client = tlsClient('node', port, session ? { session } : {});
    client.resume();
    client.on('session', (ticket: Buffer) => {
      session = ticket;
    });
    await waitFor(client, 'secureConnect');
    await until(() => session !== undefined, 'a ticket');
    const { asn1Curve } = client.getPeerCertificate() as nodeTls.PeerCertificate;
    const reused = client.isSessionReused();
    client.destroy();
    return { name: asn1Curve ?? 'rsa', reused };
  };
  // (A resumed client is shown no certificate, and remembers that of the first time.)
  assert.deepEqual(await visit(), { name: 'prime256v1', reused: false });
  assert.equal((await visit()).reused, true);
  const tls = server as nodeTls.Server;
  tls.setTicketKeys(Buffer.alloc(48, 7));
  assert.equal((await visit()).reused, false);
  session = undefined;
  tls.setSecureContext({ cert: rsa.cert, key: rsa.key });
  assert.deepEqual(await visit(), { name: 'rsa', reused: false });
});

test('what a listener keeps in its asynchronous context is not the next connection’s', async () => {
  const storage = new AsyncLocalStorage<number>();
  const seen: unknown[] = [];
  let count = 0;
  const { port } = await tlsListener('so-crypt', here, (socket) => {
    seen.push(storage.getStore());
    storage.enterWith(++count);
    socket.on('error', () => {});
    socket.once('data', () => seen.push(storage.getStore()));
  });
  for (let i = 1; i <= 3; i++) {
    const client = tlsClient('node', port);
    client.write('hello');
    await until(() => seen.length === 2 * i, 'data');
    client.destroy();
  }
  assert.deepEqual([seen[0], seen[2], seen[4]], [undefined, undefined, undefined]);
});

test('a listener that throws keeps no other connection from its own', async () => {
  const errors: unknown[] = [];
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => errors.push(error.message));
  try {
    let count = 0;
    const { port } = await tlsListener('so-crypt', here, (socket) => {
      socket.on('error', () => {});
      if (++count % 2 === 1) throw new Error('mine');
    });
    for (let i = 0; i < 10; i++) tlsClient('node', port).on('error', () => {});
    await until(() => count === 10 && errors.length === 5, 'all of them');
    assert.deepEqual(new Set(errors), new Set(['mine']));
  } finally {
    process.removeAllListeners('uncaughtException');
    for (const listener of listeners) process.on('uncaughtException', listener);
  }
});

test('a server that closes waits for handshakes, and may listen again', async () => {
  const { server, port } = await tlsListener('so-crypt', here, (socket) => socket.end('bye'));
  const hand = await ConnectionMadeByHand.to(port);
  await until(() => (server as unknown as { _connections: number })._connections === 1, 'it is there');
  let isClosed = false;
  server.close(() => {
    isClosed = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(isClosed, false);
  hand.socket.destroy();
  await until(() => isClosed, 'it is closed');
  for (let i = 0; i < 3; i++) {
    server.listen(0, '127.0.0.1');
    await waitFor(server, 'listening');
    const client = tlsClient('node', (server.address() as net.AddressInfo).port);
    assert.equal(String((await waitFor(client, 'data'))[0]), 'bye');
    server.close();
    await waitFor(server, 'close');
  }
});

test('a thread of the application’s ends in the middle of handshakes', async () => {
  const library = new URL('../../lib/tls.js', import.meta.url).href;
  const { cert, key } = certificates().server;
  for (let i = 0; i < 5; i++) {
    const worker = new Worker(
      `import(${JSON.stringify(library)}).then(({ createServer }) => {
         const server = createServer(${JSON.stringify({ cert, key })}, (socket) => socket.destroy());
         server.on('tlsClientError', () => {});
         server.listen(0, '127.0.0.1', () => require('node:worker_threads').parentPort.postMessage(server.address().port));
       });`,
      { eval: true },
    );
    const [port] = (await waitFor(worker, 'message', 30_000)) as [number];
    const open = Array.from({ length: 20 }, (_, n) => {
      if (n % 2 === 0) return tlsClient('node', port).on('error', () => {});
      return closeAfterTest(net.connect(port, '127.0.0.1')).on('error', () => {});
    });
    await waitFor(open[1]!, 'connect');
    if (i % 2 === 1) await waitFor(open[0]!, 'close');
    await worker.terminate();
  }
});
