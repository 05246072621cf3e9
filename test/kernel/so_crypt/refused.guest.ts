// What is refused, and with which errno: at setsockopt, and of records that are not genuine.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Knobs } from '../../support/oracle-keys.js';
import { Random } from '../../support/random.js';
import { flipBit, type RecordOracle } from '../../support/records.js';
import { allSuites, makeDirection, suiteNamed } from '../../support/suites.js';
import { atSocket, Driver, errno } from './driver.js';
import { ARM, CUSTOM, type InfoFields, infoOf, packInfo, READ, REKEY, WRITE } from './info.js';

const driver = new Driver();
after(() => driver.end());
const random = new Random(4);
const gcm = suiteNamed('tls1.3 aes-128-gcm');

const valid = (more: Partial<InfoFields> = {}): InfoFields => ({
  ...infoOf(makeDirection(gcm).oracle().keys, WRITE),
  ...more,
});

test('every other kind of socket', async () => {
  const info = packInfo(valid());
  for (const kind of ['udp', 'unix', 'unconnected', 'listening']) {
    await driver.ok('kind', kind);
    const ulp = await driver.number('ulp', 'a');
    const { ENOTCONN, ENOPROTOOPT, EOPNOTSUPP, EINVAL } = errno;
    assert.ok([ENOTCONN, ENOPROTOOPT, EOPNOTSUPP, EINVAL].includes(ulp as never), `${kind}: ${ulp}`);
    const arm = await driver.arm(info);
    // At SOL_SOCKET a TCP socket is told what is wrong with it: there is no TCP_ULP that could have said so before.
    const told = atSocket && kind !== 'udp' && kind !== 'unix' ? [ENOTCONN] : [ENOPROTOOPT, EOPNOTSUPP];
    assert.ok(told.includes(arm as never), `${kind}: ${arm}`);
  }
  await driver.ok('connect', 4);
  if (!atSocket) assert.equal(await driver.arm(info), errno.ENOPROTOOPT);
  await driver.ok('ulp', 'a');
  assert.equal(await driver.number('ulp', 'a'), errno.EEXIST);
  await driver.ok('reset', 'b');
  assert.equal(await driver.arm(info), errno.ENOTCONN);
});

test('fields that are wrong', async () => {
  await driver.connect();
  const wrong: Partial<InfoFields>[] = [
    { operation: 0 },
    { operation: 3 },
    { direction: 0 },
    { direction: 3 },
    { protocol: 0 },
    { protocol: 6 },
    { flags: 1 },
    { flags: 2 },
    { maxPayload: 16_385 },
    { depth: 65 },
    { tagLen: 8 },
    { key: Buffer.alloc(15, 1) },
    { key: Buffer.alloc(0) },
    { iv: Buffer.alloc(8) },
    { iv: Buffer.alloc(16) },
    { iv: undefined },
    { macKey: Buffer.alloc(20) },
    { mac: 'hmac(sha1)' },
    { sequence: 2n ** 64n - 1n },
    { cipher: 'cbc(aes)' },
    { cipher: 'ctr(aes)' },
    { cipher: 'chacha20-poly1305@openssh.com' },
    { cipher: '' },
    { cipher: 'x'.repeat(64) },
    { protocol: 1 },
    { protocol: 5, iv: Buffer.alloc(12), sequence: 2n ** 32n },
    { protocol: CUSTOM },
  ];
  for (const fields of wrong) {
    const result = await driver.arm(packInfo(valid(fields)));
    assert.equal(result, errno.EINVAL, JSON.stringify(Object.entries(fields).map(String)));
  }
  assert.equal(await driver.arm(packInfo(valid({ cipher: 'no-such-cipher' }))), errno.ENOENT);
  assert.equal(await driver.arm(packInfo(valid({ mac: 'hmac(md5)' }))), errno.ENOENT);
  assert.equal(await driver.arm(packInfo(valid({ operation: REKEY }))), errno.ENOTCONN);
  for (const [at, value] of [
    [14, 1],
    [370, 1],
    [310, 1],
    [180, 1],
    [230, 1],
    [303, 1],
  ] as const) {
    const info = packInfo(valid());
    info[at] = value;
    assert.equal(await driver.arm(info), errno.EINVAL, `byte ${at}`);
  }
  const info = packInfo(valid());
  assert.equal(await driver.arm(info.subarray(0, 383)), errno.EINVAL);
  assert.equal(await driver.arm(Buffer.alloc(0)), errno.EINVAL);
  assert.equal(await driver.arm(Buffer.concat([info, Buffer.of(0, 1)])), errno.E2BIG);
  assert.equal(await driver.arm(Buffer.concat([info, Buffer.alloc(4096)])), errno.E2BIG);
  assert.equal(await driver.arm(Buffer.concat([info, Buffer.alloc(100)])), 0);
});

test('keys that a connection has had already', async () => {
  await driver.connect();
  const info = valid();
  assert.equal(await driver.arm(packInfo(info)), 0);
  assert.equal(await driver.arm(packInfo(info)), errno.EEXIST);
  assert.equal(await driver.arm(packInfo(valid())), errno.EEXIST);
  assert.equal(await driver.arm(packInfo({ ...info, operation: REKEY })), errno.EEXIST);
  assert.equal(await driver.arm(packInfo({ ...info, direction: READ })), errno.EEXIST);
  assert.equal(await driver.arm(packInfo(valid({ operation: REKEY }))), 0);
  const other = { operation: REKEY, cipher: 'ccm(aes)' };
  assert.equal(await driver.arm(packInfo(valid(other))), errno.EINVAL);
});

test('sends with flags and control messages that mean nothing here', async () => {
  await driver.connect();
  await driver.arm(packInfo(valid()));
  assert.equal(await driver.send('x', { flags: 1 }), errno.EOPNOTSUPP); // MSG_OOB
  assert.equal(await driver.send('x', { type: 19 }), errno.EINVAL);
  assert.equal(await driver.send('x', { type: 25 }), errno.EINVAL);
  assert.equal((await driver.recv(1, { flags: 0x41 })).result, errno.EINVAL);
});

test('TCP_ZEROCOPY_RECEIVE, which would take pieces of frames', async () => {
  const take = () => driver.number('get', 'a', 6, 35, 64);
  await driver.connect();
  assert.equal(await take(), 0);
  assert.equal(await driver.arm(packInfo(valid())), 0);
  assert.equal(await take(), 0);
  const info = valid({ direction: READ, key: Buffer.alloc(16, 9) });
  assert.equal(await driver.arm(packInfo(info)), 0);
  assert.equal(await take(), errno.EOPNOTSUPP);
});

async function refuses(oracle: RecordOracle, make: () => Buffer, expected: number): Promise<void> {
  await driver.wire(oracle.data('before'));
  await driver.wire(make());
  await driver.wire(oracle.data('behind'));
  assert.equal((await driver.recv(6)).data.toString(), 'before');
  for (let i = 0; i < 2; i++) assert.equal((await driver.recv()).result, expected);
  assert.equal((await driver.number('poll', 'a')) & 1, 1);
}

async function reading(name: string): Promise<RecordOracle> {
  const oracle = makeDirection(suiteNamed(name)).oracle();
  await driver.connect();
  assert.equal(await driver.arm(packInfo(infoOf(oracle.keys, READ))), 0);
  return oracle;
}

for (const { name } of allSuites)
  test(`${name}: flipped bits`, async () => {
    const length = (await reading(name)).data('twelve bytes').length;
    // Not in the length: a longer record would wait for more.
    for (const bit of [0, 9, 17, 40, 40 + random.integer(0, 8 * (length - 5) - 1), 8 * length - 1]) {
      const oracle = await reading(name);
      await refuses(oracle, () => flipBit(oracle.data('twelve bytes'), bit), errno.EBADMSG);
    }
  });

const bad: [string, string, Knobs, number][] = [
  ['tls1.3 aes-128-gcm', 'no inner type', { noType: true }, errno.EBADMSG],
  ['tls1.3 aes-128-gcm', 'wrong outer type', { outerType: 22 }, errno.EBADMSG],
  ['tls1.3 aes-128-gcm', 'wrong version', { version: 0x0301 }, errno.EBADMSG],
  ['tls1.2 aes-128-gcm', 'wrong type', { outerType: 99 }, errno.EBADMSG],
  ['tls1.2 aes-128-gcm', 'another type than authenticated', { outerType: 22 }, errno.EBADMSG],
  ['tls1.2 aes-128-gcm', 'skipped sequence number', { sequence: 7n }, errno.EBADMSG],
  ['tls1.2 aes-128-cbc hmac-sha1', 'bad MAC', { badMac: true }, errno.EBADMSG],
  ['tls1.2 aes-128-cbc hmac-sha384'.replace('128', '256'), 'bad MAC', { badMac: true }, errno.EBADMSG],
  ['tls1.2 aes-128-cbc hmac-sha1 encrypt-then-MAC', 'bad MAC', { badMac: true }, errno.EBADMSG],
];
for (const [name, what, knobs, expected] of bad)
  test(`${name}: ${what}`, async () => {
    const oracle = await reading(name);
    await refuses(oracle, () => oracle.seal(23, Buffer.from('not genuine'), knobs), expected);
  });

test('every wrong byte of padding, every length of it (MAC-then-encrypt)', async () => {
  for (const name of ['tls1.2 aes-128-cbc hmac-sha1', 'tls1.2 aes-256-cbc hmac-sha384'])
    for (const extraBlocks of [0, 1, 2, 7, 14]) {
      const oracle = await reading(name);
      const text = random.bytes(random.integer(0, 300));
      await driver.wire(Buffer.concat([oracle.data(text, { extraBlocks }), oracle.data('x')]));
      const got = await driver.recv(text.length + 1, { flags: 0x100 });
      assert.ok(got.data.equals(Buffer.concat([text, Buffer.from('x')])));
      const at = random.next();
      const padding = (count: number) => {
        const bytes = Buffer.alloc(count, count - 1);
        bytes[Math.floor(at * count)]! ^= 0x10;
        return bytes;
      };
      await driver.wire(oracle.data(text, { extraBlocks, padding }));
      assert.equal((await driver.recv()).result, errno.EBADMSG);
    }
});

test('lengths that no record has', async () => {
  for (const [name, most] of [
    ['tls1.3 aes-128-gcm', 16_640],
    ['tls1.2 aes-128-gcm', 18_432],
    ['tls1.2 aes-128-cbc hmac-sha1', 18_432],
  ] as const) {
    await reading(name);
    await driver.wire(Buffer.of(23, 3, 3, (most + 1) >> 8, (most + 1) & 255));
    assert.equal((await driver.recv()).result, errno.EMSGSIZE);
    await reading(name);
    await driver.wire(Buffer.of(23, 3, 3, 0, 1));
    assert.equal((await driver.recv()).result, errno.EBADMSG);
  }
  const oracle = await reading('tls1.2 aes-128-gcm');
  await driver.wire(oracle.data(Buffer.alloc(16_385)));
  assert.equal((await driver.recv()).result, errno.EMSGSIZE);
});

test('garbage', async () => {
  for (let i = 0; i < 20; i++) {
    const { name } = allSuites[random.integer(0, allSuites.length - 1)]!;
    await reading(name);
    await driver.wire(random.bytes(random.size(30_000)));
    await driver.ok('shutdown', 'b', 1);
    const { result } = await driver.recv();
    assert.ok([errno.EBADMSG, errno.EMSGSIZE, errno.ECONNABORTED].includes(result as never), `${result}`);
  }
});

test('a writer with a broken reading side can still send its alert', async () => {
  const [out, back] = [makeDirection(gcm).oracle(), makeDirection(gcm).oracle()];
  await driver.connect();
  await driver.arm(packInfo(infoOf(out.keys, WRITE)));
  await driver.arm(packInfo(infoOf(back.keys, READ)));
  await driver.wire(flipBit(back.data('x'), 60));
  assert.equal((await driver.recv()).result, errno.EBADMSG);
  assert.equal(await driver.send(Buffer.of(2, 20), { type: 21 }), 2);
  assert.equal(out.open((await driver.drain()).data).type, 21);
});

test('without privileges: no new templates, no modules, but loaded drivers by name', async () => {
  const other = new Driver();
  try {
    await other.ok('user', 'a', 65_534);
    await other.connect();
    for (const cipher of ['cryptd(gcm(aes))', 'gcm(camellia)', 'pcrypt(gcm(aes))', 'ecb(aes)', '../x'])
      assert.equal(await other.arm(packInfo(valid({ cipher }))), errno.EINVAL, cipher);
    assert.equal(await other.arm(packInfo(valid({ cipher: 'salsa20' }))), errno.ENOENT);
    const driverName = { cipher: 'generic-gcm-aesni' };
    assert.equal(await other.arm(packInfo(valid(driverName))), 0);
    assert.equal(await other.arm(packInfo(valid({ operation: ARM, direction: READ }))), 0);
  } finally {
    await other.end();
  }
});
