import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { Random } from '../../support/random.js';
import { Driver, errno, MSG } from './driver.js';
import { packInfo, READ, REKEY, unpackStatus, WRITE } from './info.js';
import { SshOracle, sshSuites } from './ssh-oracle.js';

const driver = new Driver();
after(() => driver.end());
const random = new Random(2);
const sizes = [1, 2, 7, 8, 11, 12, 13, 100, 4096, 32_768];

for (const suite of sshSuites) {
  const name = `${suite.cipher} ${suite.mac ?? ''}`.trim();

  test(`${name}: each write is a packet`, async () => {
    const oracle = new SshOracle(suite, undefined, 3n);
    await driver.connect();
    assert.equal(await driver.arm(packInfo(oracle.info(WRITE))), 0);
    const payloads = sizes.map((size) => random.bytes(size));
    for (const payload of payloads) assert.equal(await driver.send(payload), payload.length);
    let { data } = await driver.drain();
    for (const payload of payloads) {
      const opened = oracle.open(data);
      assert.deepEqual(opened.payload, payload);
      data = opened.rest;
    }
    assert.equal(data.length, 0);
  });

  test(`${name}: each read is a payload`, async () => {
    const oracle = new SshOracle(suite, undefined, 0xffff_fffen);
    await driver.connect();
    assert.equal(await driver.arm(packInfo(oracle.info(READ))), 0);
    const payloads = [...sizes, 50_000].map((size) => random.bytes(size));
    for (const payload of payloads) {
      payload[0] = 94;
      await driver.wire(oracle.seal(payload, { morePadding: random.integer(0, 10) }));
      oracle.sequence &= 0xffff_ffffn;
      assert.equal(await driver.number('pollin', 'a', 1000), 1);
      const got = await driver.recv();
      assert.deepEqual([got.result, got.type], [payload.length, -1]);
      assert.equal(got.flags & MSG.eor, MSG.eor);
      assert.ok(got.data.equals(payload));
    }
  });

  test(`${name}: one byte at a time, then a bad one`, async () => {
    const oracle = new SshOracle(suite);
    await driver.connect();
    assert.equal(await driver.arm(packInfo(oracle.info(READ))), 0);
    const packet = oracle.seal(Buffer.from('whole packets only'));
    for (let at = 0; at < packet.length; at++) {
      assert.equal(await driver.number('poll', 'a'), 4, `readable after ${at} bytes`);
      assert.equal((await driver.recv(100, { flags: MSG.dontwait })).result, errno.EAGAIN);
      await driver.wire(packet.subarray(at, at + 1));
    }
    assert.equal(await driver.number('pollin', 'a', 1000), 1);
    assert.equal((await driver.recv()).data.toString(), 'whole packets only');
    const bad = oracle.seal(random.bytes(40));
    bad[bad.length - 1]! ^= 1;
    await driver.wire(bad);
    await driver.wire(oracle.seal(Buffer.from('behind a bad one')));
    if (suite.cipher.endsWith('cbc') && !suite.mac?.includes('etm')) {
      // As much is swallowed as the longest packet has: where it fails would tell the length.
      assert.equal((await driver.number('poll', 'a')) & ~1, 4);
      assert.equal((await driver.recv(9, { flags: MSG.dontwait })).result, errno.EAGAIN);
      assert.equal(await driver.number('poll', 'a'), 4);
      await driver.wire(Buffer.alloc(262_144 + oracle.tag + 4));
    }
    assert.equal((await driver.recv()).result, errno.EBADMSG);
    assert.equal((await driver.recv()).result, errno.EBADMSG);
  });
}

const gcm = { cipher: 'aes128-gcm@openssh.com' };
const ctr = { cipher: 'aes128-ctr', mac: 'hmac-sha2-256' };

test('a payload is read in parts, and the next one not with it', async () => {
  const oracle = new SshOracle(gcm);
  await driver.connect();
  await driver.arm(packInfo(oracle.info(READ)));
  await driver.wire(Buffer.concat([oracle.seal(Buffer.from('first')), oracle.seal(Buffer.from('second'))]));
  assert.equal((await driver.recv(3)).data.toString(), 'fir');
  const rest = await driver.recv(100, { flags: MSG.waitall });
  assert.deepEqual([rest.data.toString(), rest.flags & MSG.eor], ['st', MSG.eor]);
  assert.equal((await driver.recv(100)).data.toString(), 'second');
});

test('MSG_MORE gathers one payload; too long a one is EMSGSIZE and nothing is sent', async () => {
  const oracle = new SshOracle(gcm);
  await driver.connect();
  await driver.arm(packInfo(oracle.info(WRITE, { maxPayload: 100 })));
  assert.equal(await driver.send(random.bytes(101)), errno.EMSGSIZE);
  assert.equal(await driver.send('one ', { flags: MSG.more }), 4);
  assert.equal(await driver.send(random.bytes(97)), errno.EMSGSIZE);
  assert.equal(await driver.send('payload'), 7);
  const { data } = await driver.drain();
  const opened = oracle.open(data);
  assert.equal(opened.payload.toString(), 'one payload');
  assert.equal(opened.rest.length, 0);
});

test('sendmmsg: each message a packet, up to one that is refused; recvmmsg gives them one by one', async () => {
  const oracle = new SshOracle(gcm);
  await driver.connect();
  await driver.arm(packInfo(oracle.info(WRITE, { maxPayload: 1000 })));
  const payloads = [1, 1000, 30, 400].map((size) => random.bytes(size));
  assert.equal(await driver.sendMany(payloads), 4);
  const refused = [random.bytes(1001), null];
  for (const bad of refused) assert.equal(await driver.sendMany([payloads[0]!, bad, payloads[1]!]), 1);
  assert.equal(await driver.sendMany([refused[0]!, payloads[0]!]), errno.EMSGSIZE);
  assert.equal(await driver.sendMany([null, payloads[0]!]), errno.EFAULT);
  let { data } = await driver.drain();
  for (const payload of [...payloads, payloads[0], payloads[0]]) {
    const opened = oracle.open(data);
    assert.deepEqual(opened.payload, payload);
    data = opened.rest;
  }
  assert.equal(data.length, 0);

  const back = new SshOracle(gcm);
  await driver.arm(packInfo(back.info(READ)));
  const texts = ['first', 'second', 'third'].map((text) => Buffer.from(text));
  await driver.wire(Buffer.concat(texts.map((text) => back.seal(text))));
  assert.deepEqual(await driver.recvMany(5, { length: 100, flags: MSG.waitforone }), [3, ...texts]);
});

test('sendmmsg with MSG_MORE gathers one payload', async () => {
  const oracle = new SshOracle(gcm);
  await driver.connect();
  await driver.arm(packInfo(oracle.info(WRITE)));
  assert.equal(await driver.sendMany([Buffer.from('one '), Buffer.from('pay')], MSG.more), 2);
  assert.equal(await driver.send('load'), 4);
  const opened = oracle.open((await driver.drain()).data);
  assert.equal(opened.payload.toString(), 'one payload');
  assert.equal(opened.rest.length, 0);
});

test('behind SSH_MSG_NEWKEYS nothing is read under the old keys', async () => {
  for (const [before, behind] of [
    [ctr, gcm],
    [gcm, ctr],
    [{ cipher: 'chacha20-poly1305@openssh.com' }, ctr],
  ] as const) {
    const old = new SshOracle(before);
    await driver.connect();
    await driver.arm(packInfo(old.info(READ)));
    await driver.wire(old.seal(Buffer.of(21)));
    const next = new SshOracle(behind, undefined, old.sequence);
    await driver.wire(next.seal(Buffer.from('under new keys')));
    assert.deepEqual((await driver.recv()).data, Buffer.of(21));
    assert.equal((await driver.recv()).result, errno.EKEYEXPIRED);
    assert.equal(await driver.number('poll', 'a'), 4);
    assert.equal(await driver.arm(packInfo(old.info(READ, { operation: REKEY }))), errno.EEXIST);
    const info = { operation: REKEY, sequence: 1n };
    assert.equal(await driver.arm(packInfo(next.info(READ, info))), 0);
    assert.equal((await driver.recv()).data.toString(), 'under new keys');
  }
});

test('new keys for writing', async () => {
  const [old, next] = [new SshOracle(ctr), new SshOracle(gcm, undefined, 1n)];
  await driver.connect();
  await driver.arm(packInfo(old.info(WRITE)));
  await driver.send(Buffer.of(21));
  assert.equal(await driver.arm(packInfo(next.info(WRITE, { operation: REKEY }))), 0);
  await driver.send('under new keys');
  const { rest } = old.open((await driver.drain()).data);
  assert.equal(next.open(rest).payload.toString(), 'under new keys');
  const status = unpackStatus(Buffer.from((await driver.line('status', 'a')).split(' ')[2]!, 'hex'), WRITE);
  assert.deepEqual([status.sequence, status.frames, status.cipher], [2n, 1n, 'gcm(aes)']);
});

test('a cipher that answers later, MACs on all CPUs: packets in order', async () => {
  for (const [depth, spread] of [
    [16, '0'],
    [16, '1'],
    [64, '1'], // as it is by default
  ] as const) {
    writeFileSync('/sys/module/so_crypt/parameters/spread', spread);
    const oracle = new SshOracle(ctr);
    await driver.connect();
    assert.equal(
      await driver.arm(packInfo(oracle.info(WRITE, { cipher: 'cryptd(ctr(aes-generic))', depth }))),
      0,
    );
    const payloads = Array.from({ length: 60 }, () => random.bytes(1 + random.size(6000)));
    for (const payload of payloads) assert.equal(await driver.send(payload), payload.length);
    let { data } = await driver.drain('b', 500);
    for (const payload of payloads) {
      const opened = oracle.open(data);
      assert.deepEqual(opened.payload, payload);
      data = opened.rest;
    }
    assert.equal(data.length, 0);
  }
});
