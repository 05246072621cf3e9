import assert from 'node:assert/strict';
import http from 'node:http';
import type net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { type CryptOptions, connect, createServer, type Server, Socket } from '../../lib/index.js';
import { isKtls, isSoCrypt, testWhere } from '../support/engine.js';
import { page, requestListener } from '../support/http-handler.js';
import { pause } from '../support/patience.js';
import { collect, sha256, waitFor } from '../support/sockets.js';
import { closeAfterTest, listen } from '../support/tls-ends.js';

const up = { key: Buffer.alloc(32, 1), iv: Buffer.alloc(12, 1) };
const down = { key: Buffer.alloc(32, 2), iv: Buffer.alloc(12, 2) };
const base = { protocol: 'tls1.2', cipher: 'chacha20-poly1305' } as const;
const clientCrypt: CryptOptions = { ...base, write: up, read: down };
const serverCrypt: CryptOptions = { ...base, write: down, read: up };

test('createServer brings our sockets, and close() waits for them', async () => {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.resume();
  });
  const port = await listen(server);
  const client = closeAfterTest(connect(port, '127.0.0.1'));
  await waitFor(client, 'connect');
  await waitFor(server, 'connection').catch(() => {});
  assert.ok(sockets[0] instanceof Socket);
  assert.equal(await new Promise((resolve) => server.getConnections((_, count) => resolve(count))), 1);
  let closed = false;
  server.close(() => {
    closed = true;
  });
  await pause(20);
  assert.equal(closed, false);
  client.end();
  await waitFor(server, 'close');
});

test('the option crypt of connect() arms before the first byte; earlier writes wait', async () => {
  const server = createServer((socket) => {
    socket.setCrypt(serverCrypt);
    socket.pipe(socket);
  });
  const port = await listen(server);
  const client = closeAfterTest(connect({ port, host: '127.0.0.1', crypt: clientCrypt }));
  assert.ok(client.crypt === null);
  client.write('before ');
  client.end('the connection');
  assert.equal(String(await collect(client)), 'before the connection');
  assert.equal((client as Socket).crypt?.cipher, 'chacha20-poly1305');
});

test('the option crypt with wipe: the keys are gone at once, and the connection has them', async () => {
  const server = createServer((socket) => {
    socket.setCrypt(serverCrypt);
    socket.pipe(socket);
  });
  const port = await listen(server);
  const copy = (keys: { key: Buffer; iv: Buffer }) => ({
    key: Buffer.from(keys.key),
    iv: Buffer.from(keys.iv),
  });
  const crypt = { ...base, write: copy(up), read: copy(down), wipe: true };
  const client = closeAfterTest(connect({ port, host: '127.0.0.1', crypt }));
  for (const { key, iv } of [crypt.write, crypt.read]) assert.deepEqual([...key, ...iv], Array(44).fill(0));
  client.end('with the keys that were given');
  assert.equal(String(await collect(client)), 'with the keys that were given');
});

testWhere(!isKtls && !isSoCrypt)('unix sockets carry records, too', async () => {
  const name = path.join(os.tmpdir(), `so-crypt-${process.pid}.sock`);
  const server = closeAfterTest(
    createServer((socket) => {
      socket.setCrypt(serverCrypt);
      socket.end('by path');
    }),
  );
  server.listen(name);
  await waitFor(server, 'listening');
  const client = closeAfterTest(connect({ path: name, crypt: clientCrypt }));
  assert.equal(String(await collect(client)), 'by path');
});

for (const armed of [false, true])
  test(`http on our sockets, ${armed ? 'armed' : 'unarmed'}: keep-alive, bodies both ways`, async () => {
    const web = http.createServer(requestListener());
    const server = createServer((socket) => {
      if (armed) socket.setCrypt(serverCrypt);
      web.emit('connection', socket);
    });
    const port = await listen(server);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    let connections = 0;
    agent.createConnection = () => {
      connections++;
      return closeAfterTest(
        connect({ port, host: '127.0.0.1', ...(armed && { crypt: clientCrypt }) }),
      ) as net.Socket;
    };
    for (const body of [undefined, page, undefined, Buffer.from('small')]) {
      const request = http.request({ agent, port, host: '127.0.0.1', method: body ? 'POST' : 'GET' });
      request.end(body);
      const [response] = (await waitFor(request, 'response')) as [http.IncomingMessage];
      assert.equal(sha256(await collect(response)), sha256(body ?? page));
    }
    assert.equal(connections, 1);
    agent.destroy();
  });
