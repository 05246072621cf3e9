import assert from 'node:assert/strict';
import { channel } from 'node:diagnostics_channel';
import net from 'node:net';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { watchNoDelay } from '../support/no-delay.js';
import { until, waitFor } from '../support/sockets.js';
import {
  asOurs,
  closeAfterTest,
  engine,
  type TlsSocket,
  tlsClient,
  tlsListener,
} from '../support/tls-ends.js';

// Connections that come as handles, without a net.Socket each. Over a kernel engine there are none, but what is tested here holds all the same.
const places = [0, 2];
const on = (threads: number) => ({ handshakeWorkers: threads });

/** What Node's own server keeps of its connections. */
const count = (server: net.Server): Promise<number> => promisify(server.getConnections.bind(server))();

async function connected(server: net.Server, port: number): Promise<[server: TlsSocket, client: TlsSocket]> {
  const secured = waitFor(server, 'secureConnection') as Promise<[TlsSocket]>;
  const client = tlsClient('node', port);
  client.on('error', () => {});
  const [socket] = await secured;
  return [socket, client];
}

const says = async (from: TlsSocket, to: TlsSocket, what: string): Promise<void> => {
  const data = waitFor(to, 'data');
  from.write(what);
  assert.equal(String((await data)[0]), what);
};

for (const threads of places) {
  test(`a server counts its connections from the first byte to the last, ${threads} threads`, async () => {
    const { server, port } = await tlsListener('so-crypt', on(threads));
    const silent = closeAfterTest(net.connect(port, '127.0.0.1'));
    await waitFor(silent, 'connect');
    const [socket, client] = await connected(server, port);
    assert.equal(await count(server), 2);
    assert.equal((socket as { server?: unknown }).server, server);
    client.destroy();
    silent.destroy();
    await until(() => (server as unknown as { _connections: number })._connections === 0, 'none is left');
  });

  test(`what is asked of a server later holds for the next connection, ${threads} threads`, async () => {
    const { server, port } = await tlsListener('so-crypt', on(threads));
    const [first] = await connected(server, port);
    server.maxConnections = 1;
    const dropped = waitFor(server, 'drop');
    const refused = closeAfterTest(net.connect(port, '127.0.0.1'));
    refused.on('error', () => {});
    await dropped;
    await until(() => refused.destroyed, 'the connection is closed');
    server.maxConnections = undefined as never;

    const seen: net.Socket[] = [];
    const see = (connection: net.Socket): void => void seen.push(connection);
    server.on('connection', see);
    const [second] = await connected(server, port);
    assert.equal(seen.length, 1);
    assert.equal(seen[0]!.remotePort, second.remotePort);
    server.off('connection', see);

    const published: unknown[] = [];
    const subscriber = (message: unknown): void => void published.push(message);
    channel('net.server.socket').subscribe(subscriber);
    await connected(server, port);
    channel('net.server.socket').unsubscribe(subscriber);
    assert.equal(published.length, 1);

    const { emit } = server;
    server.emit = ((event: string, ...args: unknown[]): boolean => {
      if (event === 'connection') seen.push(args[0] as net.Socket);
      return Reflect.apply(emit, server, [event, ...args]) as boolean;
    }) as typeof server.emit;
    const [last, client] = await connected(server, port);
    assert.equal(seen.length, 2);
    Reflect.deleteProperty(server, 'emit');
    await says(client, last, 'hello');
    assert.equal(first.destroyed, false);
  });

  test(`noDelay, and addresses of a connection, ${threads} threads`, async () => {
    const { server, port } = await tlsListener('so-crypt', { ...on(threads), noDelay: true });
    await watchNoDelay(server, async (calls) => {
      const [socket, client] = await connected(server, port);
      assert.deepEqual(calls.slice(0, 1), [true]);
      assert.equal(socket.remotePort, client.localPort);
      assert.equal(socket.localPort, port);
    });
  });

  test(`what fails is told and closed, ${threads} threads`, async () => {
    const { server, port } = await tlsListener('so-crypt', on(threads));
    const garbage = async (): Promise<void> => {
      const client = closeAfterTest(net.connect(port, '127.0.0.1'));
      client.on('error', () => {});
      client.write('GET / HTTP/1.0\r\n\r\n');
      client.resume();
      await until(() => client.destroyed, 'the connection is closed');
    };
    await garbage(); // nobody listens
    const told = waitFor(server, 'tlsClientError') as Promise<[Error, TlsSocket]>;
    await garbage();
    const [error, socket] = await told;
    assert.match((error as NodeJS.ErrnoException).code!, /^ERR_SSL_/);
    assert.equal((socket as { server?: unknown }).server, server);
    await until(() => (server as unknown as { _connections: number })._connections === 0, 'none is left');
  });

  test(`a connection that is gone has no part in the next one’s keys, ${threads} threads`, async () => {
    const { server, port } = await tlsListener('so-crypt', on(threads));
    for (let i = 0; i < 5; i++) {
      const [gone, client] = await connected(server, port);
      await says(client, gone, 'before');
      gone.destroy();
      await waitFor(gone, 'close');
      const [socket, next] = await connected(server, port);
      // All that reaches the record layer.
      const old = asOurs(gone);
      old.on('error', () => {});
      old.write('from nowhere');
      old.end('from nowhere');
      assert.throws(() => old.keyUpdate(), { code: 'ERR_SO_CRYPT_KEY_UPDATE' });
      old.setMaxSendFragment(512);
      old.destroy();
      const { write: written, read: opened } = old.crypt!;
      if (engine === 'evp') assert.deepEqual([written!.sequence, opened!.records], [0n, 0n]);
      await says(next, socket, 'there');
      await says(socket, next, 'and back');
      // The kernel keeps its own account, and an old one changes no key.
      if (engine === 'evp') {
        const { write, read } = asOurs(socket).crypt!;
        assert.deepEqual([write!.sequence, read!.sequence], [3n, 1n]); // two tickets, one record
        asOurs(socket).keyUpdate(true);
        await says(socket, next, 'with a new key');
        await says(next, socket, 'in both directions');
        await until(() => asOurs(socket).crypt!.read!.keyUpdates === 1, 'the peer’s key has changed');
      }
      next.destroy();
    }
  });
}
