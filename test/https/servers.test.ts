import assert from 'node:assert/strict';
import http from 'node:http';
import nodeHttps from 'node:https';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { type HttpBindings, serve } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { WebSocket, WebSocketServer } from 'ws';
import https, { type Server, sendFile } from '../../lib/https.js';
import tls from '../../lib/tls.js';
import { certificates } from '../support/certificates.js';
import { Folder } from '../support/file-server.js';
import { curl } from '../support/peers.js';
import { collect, sha256, waitFor } from '../support/sockets.js';
import { asOurs, closeAfterTest, engine, listen, onWorkers } from '../support/tls-ends.js';

// Frameworks on our https.Server, unchanged. Clients: curl and node:https.

const { ca, server: own } = certificates();
const options = { cert: own.cert, key: own.key, engine, ...onWorkers };

async function asksBoth(port: number, path: string, expected: string): Promise<void> {
  const { code, stdout, stderr } = await curl([`https://localhost:${port}${path}`]);
  assert.deepEqual([code, String(stdout)], [0, expected], stderr);
  const request = nodeHttps.get({ port, host: 'localhost', ca: ca.cert, path, agent: false });
  const [response] = (await waitFor(request, 'response')) as [http.IncomingMessage];
  assert.equal(String(await collect(response)), expected);
}

test('express', async () => {
  const app = express();
  app.use(express.json());
  app.get('/hello/:name', (request, response) => {
    assert.equal(request.secure, true);
    assert.equal(asOurs(request.socket as never).crypt?.engine, engine);
    response.send(`Hello ${request.params.name}`);
  });
  app.post('/sum', (request, response) => {
    response.json({ sum: request.body.reduce((a: number, b: number) => a + b, 0) });
  });
  const port = await listen(https.createServer(options, app as http.RequestListener));
  await asksBoth(port, '/hello/express', 'Hello express');
  const args = ['--json', '[1,2,39]', `https://localhost:${port}/sum`];
  assert.equal(String((await curl(args)).stdout), '{"sum":42}');
});

test('fastify', async () => {
  const app = fastify({
    serverFactory: (handler) => https.createServer(options, handler),
    forceCloseConnections: true,
  });
  app.get('/hello/:name', (request) => `Hello ${(request.params as { name: string }).name}`);
  await app.listen({ port: 0, host: '127.0.0.1' });
  closeAfterTest(app);
  const { port } = app.server.address() as { port: number };
  await asksBoth(port, '/hello/fastify', 'Hello fastify');
});

test('hono', async () => {
  const app = new Hono();
  app.get('/hello/:name', (context) => context.text(`Hello ${context.req.param('name')}`));
  const server = serve({
    fetch: app.fetch,
    port: 0,
    hostname: '127.0.0.1',
    createServer: https.createServer as never,
    serverOptions: options,
  });
  closeAfterTest(server);
  await waitFor(server, 'listening');
  const { port } = server.address() as { port: number };
  await asksBoth(port, '/hello/hono', 'Hello hono');
});

test('ws, server and client, and its client over an agent', async () => {
  const server = https.createServer(options);
  new WebSocketServer({ server }).on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  const port = await listen(server);
  const url = `wss://localhost:${port}/`;
  const ways = {
    'node:https': { ca: ca.cert },
    agent: { agent: new https.Agent({ ca: ca.cert, engine }) },
    tls: { createConnection: (given: object) => tls.connect({ ...given, ca: ca.cert, engine }) },
  };
  for (const [name, way] of Object.entries(ways)) {
    const socket = new WebSocket(url, way as never);
    await waitFor(socket, 'open');
    const big = Buffer.alloc(1_000_000, name);
    socket.send(big);
    const [answer] = (await waitFor(socket, 'message')) as [Buffer];
    assert.deepEqual(answer, big);
    socket.send('text');
    assert.equal(String((await waitFor(socket, 'message'))[0]), 'text');
    const closed = waitFor(socket, 'close');
    socket.close(1000);
    assert.equal((await closed)[0], 1000);
  }
});

test('express, fastify and hono send files by sendFile()', async () => {
  const folder = new Folder();
  const content = folder.make('file', 500_000);
  const path = folder.of('file');
  const onExpress = express();
  onExpress.get('/:name', (request, response, next) => {
    sendFile(request, response.type('text/csv'), folder.of(request.params.name)).catch(next);
  });
  onExpress.use((error: NodeJS.ErrnoException, _: unknown, response: express.Response, __: unknown) => {
    response.status(404).send(error.code);
  });
  const onFastify = fastify({
    serverFactory: (handler) => https.createServer(options, handler),
    forceCloseConnections: true,
  });
  onFastify.get('/file', async (request, reply) => {
    reply.hijack();
    await sendFile(request.raw, reply.raw, path, { contentType: 'text/csv' });
  });
  await onFastify.listen({ port: 0, host: '127.0.0.1' });
  closeAfterTest(onFastify);
  const onHono = new Hono<{ Bindings: HttpBindings }>();
  onHono.get('/file', async ({ env }) => {
    await sendFile(env.incoming, env.outgoing, path, { contentType: 'text/csv' });
    return RESPONSE_ALREADY_SENT;
  });
  const honoServer = serve({
    fetch: onHono.fetch,
    port: 0,
    hostname: '127.0.0.1',
    createServer: https.createServer as never,
    serverOptions: options,
  });
  closeAfterTest(honoServer);
  await waitFor(honoServer, 'listening');
  const expressPort = await listen(https.createServer(options, onExpress as http.RequestListener));
  const ports = [
    expressPort,
    ...[onFastify.server, honoServer].map((server) => (server.address() as AddressInfo).port),
  ];
  for (const port of ports) {
    const url = `https://localhost:${port}/file`;
    assert.equal(sha256((await curl([url])).stdout), sha256(content));
    assert.equal(sha256((await curl(['-r', '100-', url])).stdout), sha256(content.subarray(100)));
    assert.match(
      String((await curl(['-D', '-', '-o', '/dev/null', url])).stdout),
      /content-type: text\/csv/i,
    );
  }
  const missing = await curl([`https://localhost:${expressPort}/missing`]);
  assert.equal(String(missing.stdout), 'ENOENT');
});

test('a server of https is an instance of tls.Server and of its own class, with and without new', () => {
  const make = https.Server as unknown as (given: object) => Server;
  for (const server of [https.createServer(options), new https.Server(options), make(options)]) {
    assert.ok(server instanceof https.Server);
    assert.ok(server instanceof nodeHttps.Server);
    assert.ok(server instanceof tls.Server);
    assert.ok(!((server as object) instanceof http.Server));
  }
});
