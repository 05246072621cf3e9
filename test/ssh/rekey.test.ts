import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { able, isPacketCarried, testWhere } from '../support/engine.js';
import { connectedPair, until } from '../support/sockets.js';
import { cryptOf, keysOf, message, openAll, Payloads, SshOracle, sealAll, sshPair } from '../support/ssh.js';

const gcm = { cipher: 'aes128-gcm@openssh.com' };
const chacha20 = { cipher: 'chacha20-poly1305@openssh.com' };
const chacha = isPacketCarried(chacha20) ? chacha20 : { cipher: 'aes256-gcm@openssh.com' };
const ctr = { cipher: 'aes128-ctr', mac: 'hmac-sha2-256' };
const ctrEtm = { cipher: 'aes256-ctr', mac: 'hmac-sha2-512-etm@openssh.com' };
const cbc = { cipher: 'aes256-cbc', mac: 'hmac-sha1' };
const changes = [
  [gcm, gcm],
  [gcm, ctr],
  [ctr, chacha],
  [chacha, ctrEtm],
  [ctrEtm, cbc],
  [cbc, gcm],
] as const;

const newKeys = Buffer.of(message.newKeys);
const data = (text: string): Buffer => Buffer.concat([Buffer.of(message.channelData), Buffer.from(text)]);

for (const [before, behind] of changes) {
  const name = `${before.cipher} to ${behind.cipher}`;

  test(`${name}: packets behind NEWKEYS wait for the new key, in whatever pieces they come`, async () => {
    for (const cut of [0, 1, 20, 40, 41, 90]) {
      const pair = await sshPair(before);
      const next = new SshOracle(behind);
      pair.ours.on('data', (payload: Buffer) => {
        if (payload[0] !== message.newKeys) return;
        pair.ours.setCrypt({ ...cryptOf(behind), read: keysOf(next, true) });
      });
      const first = sealAll(pair.sealer, [data('before'), newKeys]);
      next.sequence = pair.sealer.sequence;
      const stream = Buffer.concat([first, sealAll(next, [data('behind'), data('more')])]);
      pair.peer.write(stream.subarray(0, cut));
      await new Promise((resolve) => setTimeout(resolve, cut === 0 ? 0 : 5));
      pair.peer.end(stream.subarray(cut));
      await until(() => pair.read.ended || pair.read.closed, 'the end');
      assert.deepEqual(pair.read.errors, []);
      assert.deepEqual(pair.read.all, [data('before'), newKeys, data('behind'), data('more')]);
      assert.equal(pair.ours.crypt!.read!.sequence, 4n);
      assert.equal(pair.ours.crypt!.read!.keyUpdates, 1);
      assert.equal(pair.ours.crypt!.read!.cipher, behind.cipher);
      pair.close();
    }
  });

  test(`${name}: a new read key may come later, and nothing is read before`, async () => {
    const pair = await sshPair(before);
    const next = new SshOracle(behind);
    pair.peer.write(sealAll(pair.sealer, [newKeys]));
    await until(() => pair.read.all.length === 1, 'NEWKEYS');
    next.sequence = pair.sealer.sequence;
    pair.peer.write(sealAll(next, [data('behind')]));
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(pair.read.all.length, 1);
    pair.ours.setCrypt({ ...cryptOf(behind), read: keysOf(next, true) });
    assert.equal(pair.read.all.length, 1, 'not before setCrypt has returned');
    await until(() => pair.read.all.length === 2, 'what is behind');
    assert.deepEqual(pair.read.all[1], data('behind'));
    pair.peer.end();
    await until(() => pair.read.ended, 'the end');
    pair.close();
  });

  test(`${name}: what was written before new keys goes out under the old ones`, async () => {
    const pair = await sshPair(before);
    const next = new SshOracle(behind, undefined, 0n);
    // More than the kernel takes at once: some of it is sealed, some in the stream's queue.
    const old = Array.from({ length: 200 }, (_, i) => Buffer.concat([data(`${i}`), randomBytes(32_000)]));
    pair.peer.pause();
    for (const payload of old.slice(0, 100)) pair.ours.write(payload);
    await new Promise((resolve) => setTimeout(resolve, 20));
    for (const payload of old.slice(100)) pair.ours.write(payload);
    pair.ours.write(newKeys);
    pair.ours.setCrypt({ ...cryptOf(behind), write: keysOf(next, true) });
    pair.ours.write(data('behind'));
    pair.ours.write(data('more'));
    // A second change before the first has come about.
    pair.ours.write(newKeys);
    const last = new SshOracle(before);
    pair.ours.setCrypt({ ...cryptOf(before), write: { ...keysOf(last), sequence: 0 } });
    pair.ours.end(data('last'));
    pair.peer.resume();
    await until(() => pair.peer.readableEnded, 'the end', 20_000);
    let rest = pair.wire();
    const take = (oracle: SshOracle, expected: Buffer[]) => {
      for (const payload of expected) {
        const opened = oracle.open(rest);
        assert.ok(opened.payload.equals(payload));
        rest = opened.rest;
      }
    };
    take(pair.opener, [...old, newKeys]);
    next.sequence = pair.opener.sequence;
    take(next, [data('behind'), data('more'), newKeys]);
    take(last, [data('last')]);
    assert.equal(rest.length, 0);
    assert.equal(pair.ours.crypt!.write!.keyUpdates, 2);
    assert.equal(pair.ours.crypt!.write!.sequence, 1n);
    pair.close();
  });
}

test('a socket is armed behind the plaintext NEWKEYS, with bytes that have come along', async () => {
  const pair = await connectedPair();
  const [sealer, opener] = [new SshOracle(gcm, undefined, 3n), new SshOracle(ctr, undefined, 5n)];
  const wire: Buffer[] = [];
  pair.peer.on('data', (chunk: Buffer) => wire.push(chunk));
  let read: Payloads | undefined;
  const plain: Buffer[] = [];
  const onPlain = (chunk: Buffer): void => {
    plain.push(chunk);
    const all = Buffer.concat(plain);
    if (all.length < 8) return;
    pair.ours.removeListener('data', onPlain);
    pair.ours.pause();
    pair.ours.unshift(all.subarray(8));
    pair.ours.setCrypt({ ...cryptOf(gcm), read: keysOf(sealer) });
    read = new Payloads(pair.ours);
    pair.ours.resume();
  };
  pair.ours.on('data', onPlain);
  pair.ours.write('plain ');
  pair.ours.write('bytes');
  pair.ours.setCrypt({ ...cryptOf(ctr), write: keysOf(opener) });
  pair.ours.end(data('sealed'));
  pair.peer.write(Buffer.concat([Buffer.from('NEWKEYS!'), sealAll(sealer, [data('a'), data('b')])]));
  await until(() => read?.all.length === 2, 'both payloads');
  assert.deepEqual(read!.all, [data('a'), data('b')]);
  await until(() => pair.peer.readableEnded, 'the end');
  const sent = Buffer.concat(wire);
  assert.equal(sent.subarray(0, 11).toString(), 'plain bytes');
  assert.deepEqual(openAll(opener, sent.subarray(11)), [data('sealed')]);
  const { read: reading, write: writing } = pair.ours.crypt!;
  assert.deepEqual([reading!.cipher, writing!.cipher, writing!.mac], [gcm.cipher, ctr.cipher, ctr.mac]);
  pair.close();
});

test('new keys while plain bytes are still on their way', async () => {
  const pair = await connectedPair();
  const [one, two] = [new SshOracle(gcm), new SshOracle(ctr)];
  const wire: Buffer[] = [];
  pair.peer.on('data', (chunk: Buffer) => wire.push(chunk));
  pair.peer.pause();
  const plain = randomBytes(8_000_000);
  pair.ours.write(plain);
  pair.ours.write('plain, too');
  pair.ours.setCrypt({ ...cryptOf(gcm), write: keysOf(one) });
  pair.ours.write(data('first'));
  pair.ours.write(newKeys);
  pair.ours.setCrypt({ ...cryptOf(ctr), write: keysOf(two, true) });
  pair.ours.end(data('second'));
  pair.peer.resume();
  await until(() => pair.peer.readableEnded, 'the end', 20_000);
  const sent = Buffer.concat(wire);
  const end = plain.length + 10;
  assert.ok(sent.subarray(0, end).equals(Buffer.concat([plain, Buffer.from('plain, too')])));
  const first = one.open(sent.subarray(end));
  assert.deepEqual(first.payload, data('first'));
  const second = one.open(first.rest);
  assert.deepEqual(second.payload, newKeys);
  two.sequence = one.sequence;
  assert.deepEqual(openAll(two, second.rest), [data('second')]);
  pair.close();
});

test('strict key exchange: sequence numbers begin again with 0', async () => {
  const pair = await sshPair(chacha, 77n);
  const [read, write] = [new SshOracle(chacha), new SshOracle(chacha)];
  pair.ours.on('data', (payload: Buffer) => {
    if (payload[0] !== message.newKeys) return;
    pair.ours.write(newKeys);
    pair.ours.setCrypt({ ...cryptOf(chacha), read: { ...keysOf(read), sequence: 0 }, write: keysOf(write) });
    pair.ours.end(data('answer'));
  });
  pair.peer.end(Buffer.concat([sealAll(pair.sealer, [newKeys]), sealAll(read, [data('question')])]));
  await until(() => pair.peer.readableEnded && pair.read.ended, 'the end');
  assert.deepEqual(pair.read.all, [newKeys, data('question')]);
  const { payload, rest } = pair.opener.open(pair.wire());
  assert.deepEqual(payload, newKeys);
  assert.deepEqual(openAll(write, rest), [data('answer')]);
  pair.close();
});

test('the same key and IV twice are refused, and a read key before NEWKEYS', async () => {
  const pair = await sshPair(gcm);
  const again = (options: object): void => {
    pair.ours.setCrypt({ ...cryptOf(gcm), ...options } as never);
  };
  assert.throws(() => again({ write: keysOf(pair.opener) }), { code: 'ERR_SO_CRYPT_ALREADY_ARMED' });
  const fresh = new SshOracle(gcm);
  again({ write: keysOf(fresh) });
  assert.throws(() => again({ write: keysOf(pair.opener) }), { code: 'ERR_SO_CRYPT_ALREADY_ARMED' });
  assert.throws(() => again({ read: keysOf(fresh) }), { code: 'ERR_SO_CRYPT_ALREADY_ARMED' });
  pair.peer.write(sealAll(pair.sealer, [newKeys]));
  await until(() => pair.read.all.length === 1, 'NEWKEYS');
  assert.throws(() => again({ read: keysOf(pair.sealer) }), { code: 'ERR_SO_CRYPT_ALREADY_ARMED' });
  assert.throws(() => again({ write: keysOf(fresh), read: keysOf(new SshOracle(gcm)) }), {
    code: 'ERR_SO_CRYPT_ALREADY_ARMED',
  });
  assert.equal(pair.ours.crypt!.read!.keyUpdates, 0, 'all or nothing');
  pair.close();
});

testWhere(able.openOneByOne)(
  'newKeys: each packet is opened when the one before it has been consumed',
  async () => {
    const pair = await sshPair(gcm);
    pair.ours.destroy();
    for (const paused of [false, true]) {
      const own = await connectedPair();
      const [one, two] = [new SshOracle(gcm), new SshOracle(chacha)];
      own.ours.setCrypt({ ...cryptOf(gcm), read: { ...keysOf(one), newKeys: 'each' as const } });
      const got: string[] = [];
      own.ours.on('data', (payload: Buffer) => {
        got.push(payload.toString());
        if (payload.toString() !== 'compressed') return;
        own.ours.setCrypt({ ...cryptOf(chacha), read: { ...keysOf(two, true), newKeys: 'each' as const } });
      });
      if (paused) own.ours.pause();
      // (A compressed payload may begin with the number of NEWKEYS.)
      const first = sealAll(one, [Buffer.from('\x15 not'), Buffer.from('compressed')]);
      two.sequence = one.sequence;
      const ended = new Promise((resolve) => own.ours.on('end', resolve));
      own.peer.end(Buffer.concat([first, sealAll(two, [Buffer.from('behind'), Buffer.from('more')])]));
      if (paused) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        assert.deepEqual(got, []);
        own.ours.resume();
      }
      await ended;
      assert.deepEqual(got, ['\x15 not', 'compressed', 'behind', 'more']);
      own.close();
    }
  },
);
