import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { until } from '../support/sockets.js';
import { message, sshPair, suites } from '../support/ssh.js';

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
