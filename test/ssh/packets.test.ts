import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { until } from '../support/sockets.js';
import { message, nameOf, openAll, sealAll, sshPair, suites } from '../support/ssh.js';

const sizes = [1, 2, 7, 8, 11, 12, 13, 100, 4096, 32_768, 60_000];

function payloadOf(size: number): Buffer {
  const payload = randomBytes(size);
  payload[0] = message.channelData;
  return payload;
}

for (const suite of suites) {
  test(`${nameOf(suite)}: each chunk that is written is a packet`, async () => {
    const pair = await sshPair(suite, 3n);
    const payloads = sizes.map(payloadOf);
    for (const payload of payloads) pair.ours.write(payload);
    pair.ours.end();
    await until(() => pair.peer.readableEnded, 'the end');
    assert.deepEqual(openAll(pair.opener, pair.wire()), payloads);
    pair.close();
  });

  test(`${nameOf(suite)}: each payload that comes is one data event`, async () => {
    const pair = await sshPair(suite, 0xffff_fffan);
    const payloads = sizes.map(payloadOf);
    pair.peer.end(sealAll(pair.sealer, payloads, 3));
    await until(() => pair.read.ended, 'the end');
    assert.deepEqual(pair.read.all, payloads);
    assert.equal(pair.ours.crypt!.read!.sequence, 5n);
    pair.close();
  });
}
