import assert from 'node:assert/strict';
import { once } from 'node:events';
import nodeHttp2 from 'node:http2';
import nodeHttps from 'node:https';
import net from 'node:net';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import http2 from '../../lib/http2.js';
import tls from '../../lib/tls.js';
import { certificates } from '../support/certificates.js';
import { page, requestListener } from '../support/http-handler.js';
import { patient } from '../support/patience.js';
import { curl } from '../support/peers.js';
import { Random } from '../support/random.js';
import { collect, sha256, waitFor } from '../support/sockets.js';
import { asOurs, closeAfterTest, engine, listen, onWorkers } from '../support/tls-ends.js';

const { ca, server: own } = certificates();
const body = new Random(6).bytes(1_000_003);
const credentials = { cert: own.cert, key: own.key };

async function exchange(session: nodeHttp2.ClientHttp2Session): Promise<void> {
  const requests = Array.from({ length: 6 }, async (_, i) => {
    const method = i % 2 ? 'POST' : 'GET';
    const stream = session.request({ ':method': method, ':path': '/' });
    stream.end(method === 'POST' ? body : undefined);
    assert.equal(sha256(await collect(stream)), sha256(method === 'POST' ? body : page));
  });
  await Promise.all(requests);
}

const libraries = { 'so-crypt': http2 as unknown as typeof nodeHttp2, node: nodeHttp2 };

for (const [client, server] of [
  ['so-crypt', 'node'],
  ['node', 'so-crypt'],
  ['so-crypt', 'so-crypt'],
] as const)
  test(`http2.connect of ${client} to createSecureServer of ${server}, six requests at once`, async () => {
    const listener = requestListener();
    const options = { ...credentials, ...(server === 'so-crypt' && { engine, ...onWorkers }) };
    const web = libraries[server].createSecureServer(options, listener);
    const port = await listen(web);
    const trust = { ca: ca.cert, ...(client === 'so-crypt' && { engine }) };
    const session = closeAfterTest(libraries[client].connect(`https://localhost:${port}`, trust));
    await waitFor(session, 'connect');
    assert.deepEqual([session.alpnProtocol, session.encrypted], ['h2', true]);
    assert.deepEqual(session.originSet, [`https://localhost:${port}`]);
    assert.ok(session.socket instanceof tls.TLSSocket);
    assert.equal(session.socket.remotePort, port);
    if (client === 'so-crypt') assert.equal(asOurs(session.socket as never).crypt?.engine, engine);
    await exchange(session);
    const closed = waitFor(session, 'close');
    session.close();
    await closed;
  });

test('a server with allowHTTP1 serves both; what it knows of the connection', async () => {
  const options = { ...credentials, engine, ...onWorkers, allowHTTP1: true };
  const web = http2.createSecureServer(options, (request, response) => {
    const { socket } = request.httpVersion === '2.0' ? request.stream.session! : request;
    const ours = asOurs(socket as never);
    response.end([request.httpVersion, ours.alpnProtocol, ours.servername, ours.crypt?.engine].join());
  });
  const url = `https://localhost:${await listen(web)}/`;
  const second = await curl(['--http2', url]);
  assert.equal(String(second.stdout), `2.0,h2,localhost,${engine}`, second.stderr);
  const first = await curl(['--http1.1', url]);
  assert.equal(String(first.stdout), `1.1,http/1.1,localhost,${engine}`, first.stderr);
});

test('a server without allowHTTP1 says so to a client without ALPN', async () => {
  const port = await listen(http2.createSecureServer({ ...credentials, engine }));
  const request = nodeHttps.get({ port, host: 'localhost', ca: ca.cert, agent: false });
  const [response] = (await waitFor(request, 'response')) as [{ statusCode: number }];
  assert.equal(response.statusCode, 403);
});

test('promisify(http2.connect), over http, and addresses that are none', async () => {
  const plain = await listen(nodeHttp2.createServer(requestListener()));
  const session = closeAfterTest(
    await promisify(http2.connect as never as Connect)(`http://localhost:${plain}`),
  );
  assert.equal(session.encrypted, false);
  await exchange(session);
  assert.throws(() => http2.connect('nowhere'), { code: 'ERR_INVALID_URL' });
  assert.throws(() => http2.connect('ssh://localhost'), { code: 'ERR_HTTP2_UNSUPPORTED_PROTOCOL' });
});

const large = new Random(7).bytes(3_000_000);

test('responses of more than sockets take, to a client that reads late, and a session that is closed meanwhile', async () => {
  const web = http2.createSecureServer({
    ...credentials,
    engine,
    ...onWorkers,
    maxSessionMemory: 100, // a megabyte each; what waits in responses counts
  });
  let written = 0;
  web.on('stream', (stream) => {
    stream.respond();
    stream.end(large, () => written++);
  });
  const port = await listen(web);
  const upstream = net.connect(port, 'localhost');
  const relay = net.createServer((client) => client.pipe(upstream).pipe(client));
  const relayed = once(relay, 'connection') as Promise<[net.Socket]>;
  const session = closeAfterTest(
    nodeHttp2.connect(`https://localhost:${await listen(relay)}`, {
      ca: ca.cert,
      settings: { initialWindowSize: 8_000_000 },
    }),
  );
  await waitFor(session, 'connect');
  session.setLocalWindowSize(100_000_000);
  const streams = Array.from({ length: 8 }, () => session.request({ ':path': '/' }));
  await waitFor(streams[0]!, 'response');
  const [client] = await relayed;
  upstream.unpipe(client);
  // Until the sockets are full.
  await setTimeout(patient(200));
  assert.equal(written, 0);
  upstream.pipe(client);
  session.close();
  const closed = waitFor(session, 'close', patient(20_000));
  const sums = await Promise.all(streams.map(async (stream) => sha256(await collect(stream))));
  assert.deepEqual(new Set(sums), new Set([sha256(large)]));
  await closed;
  assert.equal(written, streams.length);
});

test('a client that goes away in the middle of large responses ends the session, and nothing else', async () => {
  const web = http2.createSecureServer({ ...credentials, engine, ...onWorkers });
  const closed = new Promise<void>((resolve) => {
    web.on('session', (session) => session.on('error', () => {}).on('close', resolve));
  });
  web.on('stream', (stream) => {
    stream.on('error', () => {});
    stream.respond();
    stream.end(large);
  });
  const port = await listen(web);
  const session = nodeHttp2.connect(`https://localhost:${port}`, {
    ca: ca.cert,
    settings: { initialWindowSize: 8_000_000 },
  });
  session.on('error', () => {});
  await waitFor(session, 'connect');
  session.setLocalWindowSize(100_000_000);
  const streams = Array.from({ length: 8 }, () => session.request({ ':path': '/' }).on('error', () => {}));
  await waitFor(streams[0]!, 'response');
  session.destroy();
  await closed;
});

type Connect = (url: string, callback: (error: Error, session: nodeHttp2.ClientHttp2Session) => void) => void;
