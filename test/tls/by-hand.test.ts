import assert from 'node:assert/strict';
import net from 'node:net';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import nodeTls from 'node:tls';
import { inherits } from 'node:util';
import * as so from '../../lib/index.js';
import tls, { type TLSSocketOptions } from '../../lib/tls.js';
import { certificates } from '../support/certificates.js';
import { Random } from '../support/random.js';
import { collect, sha256, waitFor } from '../support/sockets.js';
import {
  asOurs,
  closeAfterTest,
  engine,
  libraryPairs,
  listen,
  tlsClient,
  tlsListener,
  tlsPair,
} from '../support/tls-ends.js';

// TLSSockets that are made by `new`, over connections and over other streams.

const { ca, server: own } = certificates();
const body = new Random(8).bytes(1_000_003);
const secureContext = nodeTls.createSecureContext({ cert: own.cert, key: own.key });
const serverOptions: TLSSocketOptions = { isServer: true, secureContext, engine };
const clientOptions = { ca: ca.cert, servername: 'localhost', engine };

/** Two ends of a pipe in memory. */
function duplexPair(): [Duplex, Duplex] {
  const make = (): Duplex =>
    new Duplex({
      read() {},
      write(chunk, _encoding, callback) {
        other(this).push(chunk);
        setImmediate(callback);
      },
      final(callback) {
        other(this).push(null);
        callback();
      },
    });
  const pair: [Duplex, Duplex] = [make(), make()];
  const other = (one: Duplex): Duplex => (one === pair[0] ? pair[1] : pair[0]);
  return pair;
}

async function echoes(client: Duplex): Promise<void> {
  client.end(body);
  assert.equal(sha256(await collect(client)), sha256(body));
}

const echo = (options: TLSSocketOptions) => (connection: Duplex) => {
  const socket = new tls.TLSSocket(connection, options);
  socket.pipe(socket);
};

for (const delay of [0, 50])
  test(`a server's end, ${delay} ms after the connection was accepted`, async () => {
    const serve = echo(serverOptions);
    const port = await listen(net.createServer((connection) => void setTimeout(serve, delay, connection)));
    const client = tlsClient('node', port);
    await waitFor(client, 'secureConnect');
    await echoes(client);
  });

test('STARTTLS: plain lines, then both ends are made over their sockets', async () => {
  const server = net.createServer({ allowHalfOpen: true }, (connection) => {
    connection.once('data', (line) => {
      assert.equal(String(line), 'STARTTLS\n');
      connection.write('go\n');
      echo(serverOptions)(connection);
    });
  });
  const below = net.connect({ port: await listen(server), host: '127.0.0.1' });
  below.write('STARTTLS\n');
  assert.equal(String((await waitFor(below, 'data'))[0]), 'go\n');
  const client = closeAfterTest(
    new tls.TLSSocket(below, { ...clientOptions, isServer: false } as TLSSocketOptions),
  );
  client.setServername('localhost');
  const secured = waitFor(client, 'secure');
  client.write(''); // a client that is made by hand begins with its first write
  await secured;
  assert.equal(client.crypt?.engine, engine);
  assert.equal(client.remotePort, below.remotePort);
  const closed = waitFor(below, 'close');
  await echoes(client);
  await closed;
});

test('over a Duplex: connect() on one end, by hand on the other', async () => {
  const [left, right] = duplexPair();
  echo({ ...serverOptions, ALPNProtocols: ['a', 'b'] })(right);
  const client = tls.connect({ ...clientOptions, socket: left, ALPNProtocols: ['b'] });
  await waitFor(client, 'secureConnect');
  assert.deepEqual([client.authorized, client.alpnProtocol, client.crypt?.engine], [true, 'b', 'evp']);
  await echoes(client);
});

test('a server that is given a Duplex', async () => {
  const { server } = await tlsListener('so-crypt', {}, (socket) => socket.pipe(socket));
  const [left, right] = duplexPair();
  server.emit('connection', right);
  const client = nodeTls.connect({ socket: left, ca: ca.cert, servername: 'localhost' });
  await waitFor(client, 'secureConnect');
  await echoes(client);
});

test('TLS in TLS, and over a socket that is still connecting', async () => {
  const inner = await tlsListener('node', {}, (socket) => socket.pipe(socket));
  const { port } = await tlsListener('so-crypt', { allowHalfOpen: true } as object, (socket) => {
    const onward = net.connect({ port: inner.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.pipe(onward).pipe(socket);
  });
  const connecting = net.connect({ port, host: '127.0.0.1' });
  const outer = tls.connect({ ...clientOptions, socket: connecting });
  assert.equal(outer.connecting, true);
  const client = closeAfterTest(tls.connect({ ...clientOptions, socket: outer }));
  await waitFor(client, 'secureConnect');
  client.write(body);
  let length = 0;
  for await (const chunk of client) {
    length += chunk.length;
    if (length === body.length) break;
  }
  assert.equal(length, body.length);
});

test('a stream that brings strings is an error', async () => {
  const [left] = duplexPair();
  left.setEncoding('utf8');
  const client = tls.connect({ ...clientOptions, socket: left });
  left.push('hello');
  assert.equal(((await waitFor(client, 'error'))[0] as { code: string }).code, 'ERR_STREAM_WRAP');
  client.destroy();
});

for (const pair of libraryPairs)
  test(`paused before it is connected, the handshake runs: ${pair}`, async () => {
    const [library, other] = pair;
    const { port } = await tlsListener(other, {}, (socket) => void socket.end('hello'));
    const client = tlsClient(library, port);
    client.pause();
    await waitFor(client, 'secureConnect');
    client.resume();
    assert.equal(String(await collect(client)), 'hello');
  });

for (const event of ['keylog', 'session', 'secureConnect'] as const)
  test(`destroyed by the application inside '${event}'`, async () => {
    const { port } = await tlsListener('so-crypt', { maxVersion: 'TLSv1.2' });
    const client = tlsClient('so-crypt', port);
    client.once(event, () => client.destroy());
    await waitFor(client, 'close');
    const server = await tlsListener('so-crypt');
    server.server.once('keylog', (_line, socket) => socket.destroy());
    const other = tlsClient('node', server.port);
    const failed = waitFor(other, 'error');
    // Handshake workers tell of it later: the client may be done then.
    await (process.env.TEST_HANDSHAKE_WORKERS ? Promise.race([failed, waitFor(other, 'close')]) : failed);
    assert.equal(server.server.listenerCount('keylog'), 0);
  });

test('setMaxSendFragment makes the records smaller, before the handshake and after', async () => {
  const { client, peer } = await tlsPair(['so-crypt', 'so-crypt']);
  assert.deepEqual(
    [511, 16_385].map((size) => client.setMaxSendFragment(size)),
    [false, false],
  );
  assert.equal(client.setMaxSendFragment(1000), true);
  client.write(Buffer.alloc(10_000));
  const got = asOurs(peer);
  let length = 0;
  while (length < 10_000) length += ((await waitFor(peer, 'data'))[0] as Buffer).length;
  assert.equal(got.crypt!.read!.records, 10n);
  assert.throws(() => client.setMaxSendFragment('1000' as never), { code: 'ERR_INVALID_ARG_TYPE' });
});

test("classes need no new, constructors of the old kind may call them, and Node's classes know them", async () => {
  type Old = (this: object, options?: object) => void;
  const call = (old: unknown, self: object, options?: object): void =>
    Reflect.apply(old as Old, self, [options]);
  function OldSocket(this: object): void {
    call(so.Socket, this, { allowHalfOpen: true });
  }
  inherits(OldSocket, so.Socket);
  const old = new (OldSocket as unknown as new () => so.Socket)();
  assert.ok(old instanceof OldSocket && old instanceof net.Socket && old.allowHalfOpen);
  function OldServer(this: object): void {
    call(tls.Server, this, { cert: own.cert, key: own.key, engine });
  }
  inherits(OldServer, tls.Server);
  const server = new (OldServer as unknown as new () => nodeTls.Server)();
  server.once('secureConnection', (socket) => socket.end('hello'));
  const client = tlsClient('so-crypt', await listen(server));
  assert.equal(String(await collect(client)), 'hello');
  assert.ok(client instanceof nodeTls.TLSSocket && client instanceof net.Socket);
  for (const make of [so.Socket, so.Server, tls.Server] as unknown as (() => object)[])
    assert.ok(make() instanceof (make as unknown as new () => object));
});
