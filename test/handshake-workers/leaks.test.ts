import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { descriptors, settledMemory } from '../support/leftovers.js';
import { until, waitFor } from '../support/sockets.js';
import { tlsClient, tlsListener } from '../support/tls-ends.js';
import { threads } from '../support/worker-threads.js';

for (const [count, native] of [
  [0, true],
  [2, true],
  [2, false],
] as const)
  test(`1,000 handshakes leave no descriptor and no memory behind, ${count} threads, native ${native}`, async () => {
    const { server, port } = await tlsListener(
      'so-crypt',
      { handshakeWorkers: { threads: count, native } },
      (socket) => {
        socket.on('error', () => {});
        socket.end('hello');
      },
    );
    server.on('tlsClientError', () => {});
    const visit = async (i: number): Promise<void> => {
      if (i % 10 === 9) {
        // No handshake, or half of one.
        const raw = net.connect(port, '127.0.0.1');
        raw.on('error', () => {});
        raw.end(i % 20 === 9 ? 'GET / HTTP/1.0\r\n\r\n' : Buffer.from('160301020001', 'hex'));
        raw.resume();
        return void (await waitFor(raw, 'close', 15_000));
      }
      const client = tlsClient('node', port);
      client.on('error', () => {});
      await waitFor(client, 'data', 15_000);
      if (i % 3 === 0) client.destroy();
      else client.end();
      if (!client.closed) await waitFor(client, 'close', 15_000);
    };
    const many = async (visits: number): Promise<void> => {
      for (let i = 0; i < visits; i += 10)
        await Promise.all(Array.from({ length: 10 }, (_, j) => visit(i + j)));
    };
    await many(100);
    const open = descriptors();
    // What is made once, and what malloc and the young generations of three V8s keep, takes some rounds to come to an end (from Node 24 on up to
    // ten); a leak does not.
    let before = await settledMemory();
    let grown = Infinity;
    for (let round = 0; round < 20 && grown > 8_192_000; round++) {
      await many(1000);
      const memory = await settledMemory();
      grown = memory - before;
      before = memory;
      await until(() => descriptors() <= open, `no more than ${open} descriptors, not ${descriptors()}`);
    }
    // A lost SSL object alone has 40 KB.
    assert.ok(grown <= 8_192_000, `${grown / 1000} bytes a connection`);
    // Some of them are none that a native thread does; the next server is a thread's of Node's alone.
    assert.equal(threads.length, count === 0 ? 0 : native ? 2 : 4);
  });
