import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { kSealNow } from '../../lib/socket-internals.js';
import { patient } from '../support/patience.js';
import { until } from '../support/sockets.js';
import { channelData, message, sshPair, suites, windowAdjust } from '../support/ssh.js';

function payloadOf(length: number): Buffer {
  const payload = randomBytes(length);
  payload[0] = message.channelData;
  return payload;
}

// On a userland engine the socket waits for 256 to 512 KB at a time once it is clear that much comes (lib/packets/gathering.ts).
test('the end of a bulk transfer does not wait for more', async () => {
  const pair = await sshPair(suites[0]!);
  const sent: Buffer[] = [];
  const send = (payload: Buffer): void => {
    sent.push(payload);
    pair.peer.write(pair.sealer.seal(payload));
  };
  for (let turn = 0; turn < 3; turn++) {
    for (let i = 0; i < 30; i++) {
      send(payloadOf(32_768));
      await until(() => pair.read.all.length === sent.length, 'a long payload, of which more could follow');
    }
    // All at once, and a rest that is less than what is waited for.
    for (let i = 0; i < 61; i++) send(payloadOf(32_768));
    await until(() => pair.read.all.length === sent.length, 'a burst');
    send(payloadOf(10));
    await until(() => pair.read.all.length === sent.length, 'a short payload');
  }
  // As fast as it goes, and for longer: more is waited for then.
  for (let i = 0; i < 1200; i++) {
    send(payloadOf(32_768));
    if (i % 60 === 59) await until(() => sent.length - pair.read.all.length < 40, 'what was sent before');
  }
  await until(() => pair.read.all.length === sent.length, 'the end of much');
  for (let i = 0; i < 30; i++) send(payloadOf(32_768));
  pair.peer.end();
  await until(() => pair.read.ended, 'the end');
  assert.deepEqual(pair.read.all, sent);
  pair.close();
});

// What we send is answered by window adjustments (RFC 4254 5.2), which gather, too: fewer than a window has.
for (const window of [200_000, 600_000, 1_048_576, 2_097_152])
  test(`a transfer goes on behind a window of ${window} bytes`, async () => {
    const { ours, peer, sealer, close } = await sshPair(suites[0]!);
    const packet = 32_768;
    const data = channelData(0, packet - 9);
    const total = (patient(1) > 1 ? 200 : 2000) * packet;
    const answer = 2 * packet;
    let left = window;
    let sent = 0;
    const send = (): void => {
      for (; left >= packet && sent < total; left -= packet) {
        if (!ours[kSealNow](data.subarray(0, 9), data.subarray(9))) ours.write(data);
        sent += packet;
      }
    };
    let adjusted = 0;
    ours.on('data', (payload: Buffer) => {
      // (Those of one read come as one.)
      const bytes = payload.readUInt32BE(5);
      adjusted += bytes;
      left += bytes;
      send();
    });
    let got = 0;
    let answered = 0;
    peer.on('data', ({ length }) => {
      got += length;
      for (; got - answered >= answer; answered += answer) peer.write(sealer.seal(windowAdjust(0, answer)));
    });
    send();
    await until(() => got >= total && adjusted >= total, 'all of it', 20_000);
    close();
  });
