import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import net from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SoCryptError } from '../../lib/index.js';
import { certificates } from '../support/certificates.js';
import { patient } from '../support/patience.js';
import { until, waitFor } from '../support/sockets.js';
import { closeAfterTest, type TlsSocket, tlsClient, tlsListener } from '../support/tls-ends.js';
import { threads } from '../support/worker-threads.js';

async function connectPlainly(port: number): Promise<net.Socket> {
  const socket = closeAfterTest(net.connect(port, '127.0.0.1'));
  socket.on('error', () => {});
  socket.resume();
  await waitFor(socket, 'connect');
  return socket;
}

const succeeds = (port: number): Promise<unknown> =>
  waitFor(tlsClient('node', port), 'secureConnect', 15_000);

test('a thread that ends: its handshakes fail, and another one takes its place', async () => {
  const before = threads.length;
  const { server, port } = await tlsListener('so-crypt', { handshakeWorkers: { threads: 1, native: false } });
  const established = waitFor(server, 'secureConnection', 20_000) as Promise<[TlsSocket]>;
  const client = tlsClient('node', port);
  const [[socket]] = await Promise.all([established, waitFor(client, 'secureConnect', 20_000)]);
  const waiting = await connectPlainly(port);
  const { localPort } = waiting;
  const closed = new Promise((resolve) => waiting.once('close', resolve));
  await until(() => (server as unknown as { _connections: number })._connections === 2, 'it is accepted');
  const failed = new Promise<[Error, number | undefined]>((resolve) => {
    server.once('tlsClientError', (error, { remotePort }) => resolve([error, remotePort]));
  });
  await threads[before]!.terminate();
  const [error, remotePort] = await failed;
  assert.ok(error instanceof SoCryptError);
  assert.equal(error.code, 'ERR_SO_CRYPT_HANDSHAKE_WORKER');
  assert.equal(remotePort, localPort);
  await closed;
  // Connections that are established are none of the thread's.
  socket.write('still here');
  assert.equal(String((await waitFor(client, 'data'))[0]), 'still here');
  await succeeds(port);
  assert.equal(threads.length, before + 2);
});

test('threads that end again and again are given up, with an error', async () => {
  const before = threads.length;
  const { server, port } = await tlsListener('so-crypt', { handshakeWorkers: { threads: 1, native: false } });
  const failures: string[] = [];
  server.on('tlsClientError', (error) => failures.push(String((error as NodeJS.ErrnoException).code)));
  const givenUp = new Promise<SoCryptError>((resolve) => server.once('error', resolve as () => void));
  for (let i = 0; i < 5; i++) {
    await until(() => threads.length > before + i, 'a thread', 15_000);
    await threads[before + i]!.terminate();
  }
  const error = await givenUp;
  assert.equal(error.code, 'ERR_SO_CRYPT_HANDSHAKE_WORKER');
  assert.equal(threads.length, before + 5);
  const late = tlsClient('node', port);
  late.on('error', () => {});
  await new Promise((resolve) => late.once('close', resolve));
  assert.deepEqual(failures, ['ERR_SO_CRYPT_HANDSHAKE_WORKER']);
});

for (const native of [true, false])
  test(`close() while handshakes run: they go on, then the threads end, native ${native}`, async () => {
    const before = threads.length;
    const { server, port } = await tlsListener('so-crypt', { handshakeWorkers: { threads: 2, native } });
    const raw = await Promise.all([connectPlainly(port), connectPlainly(port)]);
    const count = promisify(server.getConnections.bind(server));
    while ((await count()) !== 2) await sleep(5);
    const closed = waitFor(server, 'close', 15_000);
    const failed = new Promise<void>((resolve) => {
      server.once('tlsClientError', () => resolve());
    });
    server.close();
    const client = tlsClient('node', port, { socket: raw[0] });
    await waitFor(client, 'secureConnect', 15_000);
    client.end();
    raw[1]!.destroy();
    await failed;
    await closed;
    await until(() => threads.slice(before).every(({ threadId }) => threadId === -1), 'they end', 15_000);
    assert.equal(threads.length - before, native ? 0 : 2);
  });

/** A server in a process of its own: what keeps it alive? */
function run(script: string): string {
  const library = new URL('../../lib/tls.js', import.meta.url).href;
  const { cert, key } = certificates().server;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import tls from ${JSON.stringify(library)}; import node from 'node:tls'; import net from 'node:net';
       const options = { cert: ${JSON.stringify(cert)}, key: ${JSON.stringify(key)}, handshakeWorkers: 2 };
       ${script}`,
    ],
    { encoding: 'utf8', timeout: patient(60_000) },
  );
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

test('threads keep no process alive, handshakes do', () => {
  assert.ok(fileURLToPath(import.meta.url));
  const idle = run(`const server = tls.createServer(options).listen(0, '127.0.0.1', () => {
    server.unref(); console.log('idle'); });`);
  assert.equal(idle, 'idle');
  // The client is a process of its own, so that nothing here but the handshake waits for it.
  const busy = run(`import { spawn } from 'node:child_process';
    const server = tls.createServer(options, (socket) => {
      console.log('secure'); socket.on('end', () => console.log('end')).resume(); socket.end(); });
    server.listen(0, '127.0.0.1', () => {
      const child = spawn('openssl', ['s_client', '-connect', '127.0.0.1:' + server.address().port], { stdio: 'ignore', detached: true });
      child.unref();
      server.once('connection', () => { server.close(); });
    });`);
  assert.equal(busy.split('\n')[0], 'secure');
});
