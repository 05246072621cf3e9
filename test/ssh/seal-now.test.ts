import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { kSealNow } from '../../lib/socket-internals.js';
import { isSoCrypt } from '../support/engine.js';
import { sha256, until } from '../support/sockets.js';
import { message, nameOf, openAll, sshPair, suites } from '../support/ssh.js';

const nothing = Buffer.alloc(0);
const heads = [1, 9, 700];
const bodies = [0, 1, 1000, 1023, 1024, 1025, 4096, 32_768, 60_000];

function payloadOf(size: number): Buffer {
  const payload = randomBytes(size);
  payload[0] = message.channelData;
  return payload;
}

for (const suite of suites) {
  test(`${nameOf(suite)}: payloads in two parts, sealed at once, which may be overwritten then`, async () => {
    const pair = await sshPair(suite, 0xffff_fffan);
    const payloads: Buffer[] = [];
    for (const head of heads)
      for (const body of bodies) {
        const payload = payloadOf(head + body);
        payloads.push(Buffer.from(payload));
        const isSealed = pair.ours[kSealNow](payload.subarray(0, head), payload.subarray(head));
        // The kernel's engine seals in write(2), so that everything waits in the stream.
        assert.equal(isSealed, !isSoCrypt);
        if (!isSealed) pair.ours.write(Buffer.from(payload));
        payload.fill(0);
      }
    if (!isSoCrypt) assert.equal(pair.ours.crypt!.write!.records, BigInt(payloads.length));
    pair.ours.end();
    await until(() => pair.peer.readableEnded, 'the end');
    const opened = openAll(pair.opener, pair.wire());
    assert.deepEqual(opened.map(sha256), payloads.map(sha256));
    assert.equal(pair.ours.bytesWritten, Buffer.concat(payloads).length);
    pair.close();
  });

  test(`${nameOf(suite)}: what is written and what is sealed at once goes out in order`, async () => {
    const pair = await sshPair(suite, 3n);
    const payloads: Buffer[] = [];
    let refused = 0;
    for (let i = 0; i < 400; i++) {
      const payload = payloadOf(1 + ((i * 7919) % 40_000));
      payloads.push(payload);
      // While something waits in the stream's queue, nothing may overtake it.
      if (i % 5 === 3 || !pair.ours[kSealNow](payload.subarray(0, 1), payload.subarray(1))) {
        if (i % 5 !== 3) refused++;
        pair.ours.write(payload);
      }
      if (i % 11 === 10) await new Promise(setImmediate);
    }
    pair.ours.end();
    await until(() => pair.peer.readableEnded, 'the end');
    assert.deepEqual(openAll(pair.opener, pair.wire()).map(sha256), payloads.map(sha256));
    assert.ok(refused > 0 && (isSoCrypt ? refused === 320 : refused < 320), `${refused} refused`);
    pair.close();
  });
}

test('nothing is sealed at once while a socket is corked, and neither no payload nor one that is too long', async () => {
  const pair = await sshPair(suites[0]!, 3n);
  const none = Buffer.alloc(0);
  assert.equal(pair.ours[kSealNow](none, none), false);
  assert.equal(pair.ours[kSealNow](none, Buffer.alloc(300_000)), false);
  pair.ours.cork();
  assert.equal(pair.ours[kSealNow](none, Buffer.of(2)), false);
  pair.ours.uncork();
  pair.close();
});

// The kernel's engine seals in write(2).
if (!isSoCrypt) {
  test('the first turn of an iteration of the event loop sends at once, and what the others bring goes together', async () => {
    const pair = await sshPair(suites[0]!, 3n);
    const { ours } = pair;
    const payloads = Array.from({ length: 20 }, (_, i) => payloadOf(100 + i));
    // Whatever is given to the kernel restarts the socket's timer, by libuv and past it.
    const socket = ours as unknown as { _unrefTimer(): void };
    const restart = socket._unrefTimer.bind(ours);
    let writes = 0;
    socket._unrefTimer = () => {
      writes++;
      restart();
    };
    const sealed = payloads.map(
      (payload, i) =>
        new Promise<void>((resolve) => {
          setImmediate(() => {
            assert.equal(writes, i === 0 ? 0 : 1);
            assert.equal(ours.bytesWritten, i === 0 ? 0 : payloads[0]!.length);
            assert.ok(ours[kSealNow](payload, nothing));
            resolve();
          });
        }),
    );
    await Promise.all(sealed);
    const first = Buffer.concat(payloads).length;
    await until(() => ours.bytesWritten === first, 'all is written');
    assert.equal(writes, 2);
    // And so again.
    setImmediate(() => ours[kSealNow](payloads[0]!, nothing));
    const second = first + payloads[0]!.length;
    await until(() => ours.bytesWritten === second, 'one more');
    assert.equal(writes, 3);
    // A small packet waits for the larger ones behind it, as far as they go together.
    const mixed = [20, 4000, 32_768, 32_768, 32_768, 32_768, 50].map(payloadOf);
    for (const payload of mixed) {
      assert.ok(ours[kSealNow](payload, nothing));
      assert.equal(ours.bytesWritten, second);
    }
    await until(() => writes === 4, 'one write');
    assert.equal(ours.bytesWritten, second + Buffer.concat(mixed).length);
    ours.end();
    await until(() => pair.peer.readableEnded, 'the end');
    const opened = openAll(pair.opener, pair.wire());
    assert.deepEqual(opened.map(sha256), [...payloads, payloads[0]!, ...mixed].map(sha256));
    pair.close();
  });

  test('what the kernel does not take at once goes when it does, in order', async () => {
    const pair = await sshPair(suites[0]!, 3n);
    const { ours, peer } = pair;
    peer.pause();
    const payloads = Array.from({ length: 400 }, (_, i) => payloadOf(1 + ((i * 7919) % 60_000)));
    for (const [i, payload] of payloads.entries()) {
      if (!ours[kSealNow](payload, nothing)) ours.write(payload);
      if (i % 3 === 2) await new Promise(setImmediate);
    }
    assert.ok(
      ours.writableLength +
        (ours as unknown as { _handle: { writeQueueSize: number } })._handle.writeQueueSize >
        0,
    );
    peer.resume();
    ours.end();
    await until(() => peer.readableEnded, 'the end');
    assert.deepEqual(openAll(pair.opener, pair.wire()).map(sha256), payloads.map(sha256));
    assert.equal(ours.bytesWritten, Buffer.concat(payloads).length);
    pair.close();
  });

  test("an error of the connection is the socket's, whoever seals", async () => {
    const pair = await sshPair(suites[0]!, 3n);
    const { ours, peer } = pair;
    const errors: NodeJS.ErrnoException[] = [];
    ours.on('error', (error) => errors.push(error));
    ours.pause(); // it must not learn by reading
    peer.resetAndDestroy();
    await new Promise((resolve) => peer.once('close', resolve));
    for (let i = 0; i < 50; i++) assert.ok(ours[kSealNow](payloadOf(32_768), nothing) || ours.destroyed);
    await until(() => ours.closed, 'the close');
    assert.equal(errors.length, 1);
    assert.ok(['ECONNRESET', 'EPIPE'].includes(errors[0]!.code!), String(errors[0]));
    pair.close();
  });
}
