import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { Socket } from '../../lib/index.js';
import { armedPair } from '../support/armed.js';
import { applicationData } from '../support/records.js';
import { connectedPair, sha256, until } from '../support/sockets.js';
import { suiteNamed } from '../support/suites.js';

// A userland engine hands records to the kernel by itself, and to libuv what the kernel does not take.

const suite = suiteNamed('tls1.3 aes-128-gcm');

function write(socket: Socket, data: Uint8Array): Promise<Error | null | undefined> {
  return new Promise((resolve) => socket.write(data, resolve));
}

test('records keep their order when the kernel takes a part, and when it takes everything again', async () => {
  const { ours, peer, wire, opener } = await armedPair(suite);
  const plain: Buffer[] = [];
  const writes: Promise<unknown>[] = [];
  const send = (length: number): void => {
    plain.push(randomBytes(length));
    writes.push(write(ours, plain.at(-1)!));
  };
  for (let round = 1; round <= 2; round++) {
    peer.pause();
    // Until libuv has to wait, and on behind that, in all sizes.
    for (let i = 0; i < 120; i++) {
      send([1, 1000, 16_384, 131_072, 300_000][i % 5]!);
      if (i % 7 === 0) await new Promise(setImmediate);
    }
    assert.ok(ours.writableLength > 0, 'the kernel is full');
    peer.resume();
    await Promise.all(writes);
    send(round);
    await Promise.all(writes);
  }
  const all = Buffer.concat(plain);
  assert.equal(ours.bytesWritten, all.length);
  ours.end();
  await until(() => wire.ended, 'the end');
  assert.equal(sha256(applicationData(opener.openAll(wire.bytes))), sha256(all));
});

test('a connection that is gone is told as net tells it', async () => {
  const codes: unknown[] = [];
  for (const isArmed of [false, true]) {
    const { ours, peer } = isArmed ? await armedPair(suite) : await connectedPair();
    ours.on('error', () => {});
    // No event comes before the write.
    peer.resetAndDestroy();
    const { code, syscall, errno } = (await write(ours, Buffer.alloc(10))) as NodeJS.ErrnoException;
    codes.push([code, syscall, errno]);
    await until(() => ours.closed, 'the close');
  }
  assert.deepEqual(codes[1], codes[0]);
});
