import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { certificates } from '../support/certificates.js';
import { descriptors } from '../support/leftovers.js';
import { patient } from '../support/patience.js';
import { until, waitFor } from '../support/sockets.js';
import { closeAfterTest, engine, tlsClient, tlsListener } from '../support/tls-ends.js';

// Threads accept a server's connections. Over a kernel engine the event loop does, and what is tested here holds all the same.
const workers = { handshakeWorkers: 2 };
const acceptsInThreads = engine !== 'ktls' && engine !== 'so_crypt';

type Listening = { onconnection(...args: unknown[]): unknown };

const connected = async (server: net.Server, port: number): Promise<void> => {
  const secured = waitFor(server, 'secureConnection');
  tlsClient('node', port).on('error', () => {});
  await secured;
};

const silent = async (port: number): Promise<net.Socket> => {
  const socket = closeAfterTest(net.connect(port, '127.0.0.1'));
  socket.on('error', () => {});
  await waitFor(socket, 'connect');
  return socket;
};

const counted = async (server: net.Server, connections: number): Promise<void> => {
  const count = promisify(server.getConnections.bind(server));
  const end = Date.now() + patient(5000);
  while ((await count()) !== connections) {
    assert.ok(Date.now() < end, `${await count()} connections, not ${connections}`);
    await sleep(5);
  }
};

test('the event loop accepts only what somebody would see', async () => {
  const { server, port } = await tlsListener('so-crypt', workers);
  const listening = (server as unknown as { _handle: Listening })._handle;
  const { onconnection } = listening;
  let accepted = 0;
  listening.onconnection = function (this: unknown, ...args: unknown[]): unknown {
    accepted++;
    return Reflect.apply(onconnection, this, args);
  };
  // libuv begins to wait for connections in the event loop's next turn.
  for (let i = 0; i < 4; i++) await turn();
  const visits = async (howMany: number): Promise<number> => {
    const before = accepted;
    for (let i = 0; i < howMany; i++) await connected(server, port);
    return accepted - before;
  };
  const unseen = acceptsInThreads ? 0 : 5;
  assert.equal(await visits(5), unseen);
  const see = (): void => {};
  server.on('connection', see);
  assert.equal(await visits(5), 5);
  server.off('connection', see);
  await turn();
  assert.equal(await visits(5), unseen);
  server.maxConnections = 100;
  assert.equal(await visits(5), 5);
  server.maxConnections = undefined as never;
  await turn();
  assert.equal(await visits(5), unseen);
  server.unref();
  assert.equal(await visits(5), 5);
  server.ref();
  assert.equal(await visits(5), unseen);
});

test('close() waits for a connection whose handshake has not begun, and no further one is accepted', async () => {
  const { server, port } = await tlsListener('so-crypt', workers);
  const client = await silent(port);
  await counted(server, 1);
  let isClosed = false;
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      isClosed = true;
      resolve();
    });
  });
  const late = net.connect(port, '127.0.0.1');
  const [error] = (await waitFor(late, 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ECONNREFUSED');
  await sleep(50);
  assert.equal(isClosed, false);
  client.destroy();
  await closed;
  // And again on the same port.
  server.listen(port, '127.0.0.1');
  await waitFor(closeAfterTest(server), 'listening');
  await connected(server, port);
  await counted(server, 1);
});

/** A server in a process of its own that greets who comes. */
async function greeter(
  prefix: string,
  mostInFlight: number,
  script = '',
): Promise<{ port: number; process: ReturnType<typeof spawn> }> {
  const library = new URL('../../lib/tls.js', import.meta.url).href;
  const { cert, key } = certificates().server;
  const code = `import tls from ${JSON.stringify(library)};
    const server = tls.createServer({ cert: ${JSON.stringify(cert)}, key: ${JSON.stringify(key)}, handshakeWorkers: { threads: 2, mostInFlight: ${mostInFlight} } }, (socket) => {
      socket.on('error', () => {}); socket.end('hello');
    });
    server.listen(0, '127.0.0.1', () => setTimeout(() => { console.log(server.address().port); ${script} }, 50));`;
  const child = spawn(
    'sh',
    ['-c', `${prefix} exec "$0" --input-type=module -e "$1"`, process.execPath, code],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  closeAfterTest({ destroy: () => child.kill('SIGKILL') });
  const [port] = (await once(child.stdout!, 'data')) as [Buffer];
  return { port: Number(String(port)), process: child };
}

async function greeted(port: number, onSecure = (): void => {}): Promise<void> {
  const client = tlsClient('node', port);
  client.on('error', () => {});
  client.once('secureConnect', onSecure);
  const [bytes] = await waitFor(client, 'data', 30_000);
  assert.equal(String(bytes), 'hello');
}

test('a process without descriptors goes on when it has some again', async () => {
  const { port } = await greeter('ulimit -n 64;', 1024);
  const held = await Promise.all(Array.from({ length: 80 }, () => silent(port)));
  const all = Array.from({ length: 40 }, () => greeted(port));
  await sleep(100);
  for (const socket of held) socket.destroy();
  await Promise.all(all);
});

test('while the event loop is busy, no more connections are established than would wait for accept(2)', async () => {
  const most = 16;
  const { port } = await greeter(
    '',
    most,
    'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000);',
  );
  let secure = 0;
  const all = Array.from({ length: 700 }, () => greeted(port, () => secure++));
  await sleep(2000);
  // (Two threads. A client is done before the server is.)
  assert.ok(secure <= 511 + 2 * most, `${secure} handshakes are done`);
  await Promise.all(all);
});

/** A thread with a server that accepts, and is ended in the middle of handshakes. */
async function endWhileAccepting(): Promise<void> {
  const library = new URL('../../lib/tls.js', import.meta.url).href;
  const { cert, key } = certificates().server;
  const worker = new Worker(
    `const { workerData, parentPort } = require('node:worker_threads');
     import(workerData.library).then(({ createServer }) => {
       const server = createServer(workerData, (socket) => socket.on('error', () => {}));
       server.listen(0, '127.0.0.1', () => setTimeout(() => parentPort.postMessage(server.address().port), 50));
     });`,
    { eval: true, workerData: { library, cert, key, handshakeWorkers: 2 } },
  );
  const [port] = (await once(worker, 'message')) as [number];
  const clients = await Promise.all(Array.from({ length: 20 }, () => silent(port)));
  const gone = clients.map((client) => once(client.resume(), 'close'));
  for (let i = 0; i < 20; i++) tlsClient('node', port).on('error', () => {});
  await sleep(20);
  await worker.terminate();
  await Promise.all(gone);
  const [error] = (await once(net.connect(port, '127.0.0.1'), 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ECONNREFUSED');
}

test('a thread that ends closes what its handshakes have, and the socket that listens', async () => {
  await endWhileAccepting();
  const before = descriptors();
  for (let i = 0; i < 3; i++) await endWhileAccepting();
  await until(() => descriptors() <= before, `no more than ${before} descriptors, not ${descriptors()}`);
});
