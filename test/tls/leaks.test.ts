import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as tls from '../../lib/tls.js';
import { certificates } from '../support/certificates.js';
import { descriptors, settledMemory } from '../support/leftovers.js';
import { waitFor } from '../support/sockets.js';
import { listen } from '../support/tls-ends.js';

test('1,000 connections leave no descriptor and no memory behind', async () => {
  const { server, ca } = certificates();
  const port = await listen(
    tls.createServer({ cert: server.cert, key: server.key }, (socket) => {
      socket.on('error', () => {});
      socket.pipe(socket);
    }),
  );
  const visit = async (i: number): Promise<void> => {
    const client = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: ca.cert });
    client.on('error', () => {});
    await waitFor(client, 'secureConnect');
    client.write(Buffer.alloc(1 + (i % 40_000)));
    await waitFor(client, 'data');
    if (i % 3 === 0) client.destroy();
    else client.end();
    if (!client.closed) await waitFor(client, 'close');
  };
  const many = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 10)
      await Promise.all(Array.from({ length: 10 }, (_, j) => visit((i + j) * 37)));
  };
  // What is made once, and what malloc and V8 keep, takes some rounds to come to an end; a leak does not.
  let before = { open: descriptors(), memory: await settledMemory() };
  let grown = Infinity;
  for (let round = 0; round < 6 && grown > 8_192_000; round++) {
    await many(1000);
    const memory = await settledMemory();
    grown = memory - before.memory;
    assert.ok(
      round === 0 || descriptors() <= before.open,
      `${descriptors()} descriptors, ${before.open} before`,
    );
    before = { open: descriptors(), memory };
  }
  // A lost SSL object alone has 40 KB.
  assert.ok(grown <= 8_192_000, `${(grown / 1000).toFixed(0)} bytes a connection, round after round`);
});
