import assert from 'node:assert/strict';
import type http from 'node:http';
import nodeHttps from 'node:https';
import { test } from 'node:test';
import { Agent as Dispatcher, fetch } from 'undici';
import https, { Agent, get, type RequestOptions, request } from '../../lib/https.js';
import tls, { type TLSSocket } from '../../lib/tls.js';
import { certificates } from '../support/certificates.js';
import { page, requestListener } from '../support/http-handler.js';
import { Random } from '../support/random.js';
import { collect, sha256, waitFor } from '../support/sockets.js';
import { asOurs, engine, listen } from '../support/tls-ends.js';

const { ca, server: own } = certificates();
const body = new Random(5).bytes(1_000_003);

function nodeServer(): Promise<number> {
  return listen(nodeHttps.createServer({ cert: own.cert, key: own.key }, requestListener()));
}

async function answerOf(
  asked: http.ClientRequest,
): Promise<{ socket: TLSSocket; response: http.IncomingMessage; data: Buffer }> {
  const [response] = (await waitFor(asked, 'response')) as [http.IncomingMessage];
  const socket = asOurs(response.socket as never);
  return { socket, response, data: await collect(response) };
}

test('get by URL and options, post, over globalAgent', async () => {
  const port = await nodeServer();
  const url = `https://localhost:${port}/`;
  const trust: RequestOptions = { ca: ca.cert, engine };
  const ways = [
    () => get(url, trust),
    () => get(new URL(url), trust),
    () => get({ ...trust, port, host: 'localhost' }),
  ];
  for (const way of ways) {
    const { socket, data } = await answerOf(way());
    assert.equal(sha256(data), sha256(page));
    assert.equal(socket.crypt?.engine, engine);
  }
  const post = request(url, { ...trust, method: 'POST' });
  post.end(body);
  assert.equal(sha256((await answerOf(post)).data), sha256(body));
  assert.ok(https.globalAgent instanceof Agent);
  https.globalAgent.destroy();
});

test('an agent keeps a connection alive, and resumes sessions on new ones', async () => {
  const port = await nodeServer();
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: ca.cert, engine });
  const reused: boolean[] = [];
  for (let i = 0; i < 4; i++) {
    if (i === 2) for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
    const asked = request({ port, host: 'localhost', agent });
    asked.end();
    const { socket } = await answerOf(asked);
    reused.push(asked.reusedSocket, socket.isSessionReused());
    await new Promise(setImmediate);
  }
  // First, kept alive, a new connection with the old session, kept alive.
  assert.deepEqual(reused, [false, false, true, false, false, true, true, true]);
  agent.destroy();
});

test("agent: false, a name that does not match, and another agent's type", async () => {
  const port = await nodeServer();
  const { response } = await answerOf(get({ port, host: 'localhost', ca: ca.cert, agent: false }));
  assert.equal(response.statusCode, 200);
  const wrong = get({ port, host: '127.0.0.1', servername: 'example.org', ca: ca.cert, agent: false });
  assert.equal(((await waitFor(wrong, 'error'))[0] as { code: string }).code, 'ERR_TLS_CERT_ALTNAME_INVALID');
  assert.throws(() => get({ port, agent: 'none' as never }), { code: 'ERR_INVALID_ARG_TYPE' });
});

// As in README.md.
test('fetch, by the connector of undici', async () => {
  const port = await nodeServer();
  const used: (string | undefined)[] = [];
  const dispatcher = new Dispatcher({
    connect({ hostname, port, servername }, callback) {
      const socket = tls.connect({
        host: hostname,
        port: Number(port) || 443,
        servername: servername || hostname,
        ca: ca.cert,
        engine,
      });
      socket.once('error', (error) => callback(error, null));
      socket.once('secureConnect', () => {
        used.push(socket.crypt?.engine);
        callback(null, socket as never);
      });
    },
  });
  const url = `https://localhost:${port}/`;
  const got = await fetch(url, { dispatcher });
  assert.equal(sha256(Buffer.from(await got.arrayBuffer())), sha256(page));
  const posted = await fetch(url, { dispatcher, method: 'POST', body: new Uint8Array(body) });
  assert.equal(sha256(Buffer.from(await posted.arrayBuffer())), sha256(body));
  // undici may open more than one connection.
  assert.ok(used.length > 0 && used.every((name) => name === engine));
  await dispatcher.close();
});
