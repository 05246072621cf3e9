// Ciphers that answer later: the pipeline, its order, and what ends it. cryptd and pcrypt make any cipher such a one.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { after, test } from 'node:test';
import { Random } from '../../support/random.js';
import { applicationData, flipBit, type RecordOracle } from '../../support/records.js';
import { makeDirection, suiteNamed } from '../../support/suites.js';
import { Driver, errno, MSG } from './driver.js';
import { type InfoFields, infoOf, packInfo, READ, REKEY, unpackStatus, WRITE } from './info.js';

const driver = new Driver();
after(() => {
  spread(true);
  driver.end();
});
const random = new Random(5);
const ASYNC = 2;

// pcrypt's padata holds two locks of one class, always in the same order. Lockdep complains of that and checks nothing any more.
const parallel = release().endsWith('-debug') ? 'cryptd' : 'pcrypt';
const cases: [string, string][] = [
  ['tls1.2 aes-128-cbc hmac-sha1', 'cryptd(cbc(aes-generic))'],
  ['tls1.2 aes-128-cbc hmac-sha1 encrypt-then-MAC', 'cryptd(cbc(aes-generic))'],
  ['tls1.0 aes-128-cbc hmac-sha1', 'cryptd(cbc(aes-generic))'],
  ['tls1.3 aes-128-gcm', `${parallel}(gcm_base(ctr(aes-generic),ghash-generic))`],
];

async function armed(name: string, direction: number, more: Partial<InfoFields>): Promise<RecordOracle> {
  const oracle = makeDirection(suiteNamed(name)).oracle();
  await driver.connect();
  assert.equal(await driver.arm(packInfo(infoOf(oracle.keys, direction, more))), 0, more.cipher);
  return oracle;
}

async function status(direction: number) {
  return unpackStatus(Buffer.from((await driver.line('status', 'a')).split(' ')[2]!, 'hex'), direction);
}

/** Whether CPUs share the MACs beside a device; from the next write on. */
function spread(on: boolean): void {
  writeFileSync('/sys/module/so_crypt/parameters/spread', on ? '1' : '0');
}

for (const [name, cipher] of cases)
  for (const [depth, spreads] of [
    [1, false],
    [2, false],
    [16, false],
    [2, true],
    [16, true],
    [64, true],
  ] as const) {
    const how = `depth ${depth}${spreads ? ', spread' : ''}`;
    test(`${name} on ${cipher}, ${how}`, async () => {
      spread(spreads);
      const oracle = await armed(name, WRITE, { cipher, depth });
      assert.equal((await status(WRITE)).state & ASYNC, ASYNC);
      const sent: Buffer[] = [];
      for (let i = 0; i < 40; i++) {
        const bytes = random.bytes(random.size(60_000));
        assert.equal(await driver.send(bytes), bytes.length);
        sent.push(bytes);
        if (i % 8 < 7) continue;
        const wire = (await driver.drain('b', 500)).data;
        assert.ok(applicationData(oracle.openAll(wire)).equals(Buffer.concat(sent.splice(0))));
      }
      assert.equal((await status(WRITE)).inFlight, 0);
    });

    test(`${name} on ${cipher}, ${how}: what is in flight goes before FIN and before new keys`, async () => {
      spread(spreads);
      for (const what of ['close', 'shutdown', 'rekey'] as const) {
        const oracle = await armed(name, WRITE, { cipher, depth });
        const bytes = random.bytes(150_000);
        assert.equal(await driver.send(bytes), bytes.length);
        if (what === 'close') await driver.ok('close', 'a');
        if (what === 'shutdown') await driver.ok('shutdown', 'a', 1);
        if (what === 'rekey') {
          const next = makeDirection(suiteNamed(name)).oracle();
          const more = { cipher, operation: REKEY };
          assert.equal(await driver.arm(packInfo(infoOf(next.keys, WRITE, more))), 0);
          assert.equal((await status(WRITE)).frames, 0n);
        }
        const { data, ended } = await driver.drain('b', 1000);
        assert.ok(applicationData(oracle.openAll(data)).equals(bytes));
        assert.equal(ended, what === 'rekey' ? 0 : 1);
      }
    });

    test(`${name} on ${cipher}, ${how}: a reset with records in flight`, async () => {
      spread(spreads);
      await armed(name, WRITE, { cipher, depth });
      await driver.send(random.bytes(200_000));
      await driver.ok('reset', 'b');
      assert.ok((await driver.send(random.bytes(1000))) < 0);
    });
  }

for (const [name, cipher] of cases)
  for (const depth of [1, 2, 16]) {
    test(`${name} on ${cipher}, depth ${depth}: reading`, async () => {
      const oracle = await armed(name, READ, { cipher, depth });
      const bytes = random.bytes(50_000);
      await driver.wire(oracle.stream(bytes, 1700));
      for (let at = 0; at < bytes.length; ) {
        const length = Math.min(1 + random.size(9000), bytes.length - at);
        const got = await driver.recv(length, { flags: MSG.waitall });
        assert.ok(got.data.equals(bytes.subarray(at, at + length)), `${length} bytes at ${at}`);
        at += length;
        // What is with the cipher, or behind it and unread, does not count.
        assert.equal((await status(READ)).frames, BigInt(Math.ceil(at / 1700)));
      }
    });

    test(`${name} on ${cipher}, depth ${depth}: nothing behind a forged record`, async () => {
      for (const good of [0, 1, 5, 20]) {
        const oracle = await armed(name, READ, { cipher, depth });
        const bytes = random.bytes(good * 900);
        const wire = [oracle.stream(bytes, 900), flipBit(oracle.data(random.bytes(900)), 8 * 300)];
        for (let i = 0; i < 10; i++) wire.push(oracle.data('behind'));
        await driver.wire(Buffer.concat(wire));
        const got = await driver.recv(bytes.length + 5000, { flags: MSG.waitall });
        if (good > 0) assert.ok(got.data.equals(bytes));
        else assert.equal(got.result, errno.EBADMSG);
        for (let i = 0; i < 3; i++) assert.equal((await driver.recv()).result, errno.EBADMSG);
        const after = await status(READ);
        assert.equal(after.frames, BigInt(good));
        assert.equal(after.sequence, BigInt(good));
      }
    });

    test(`${name} on ${cipher}, depth ${depth}: ends while records are being opened`, async () => {
      for (const how of ['close', 'reset', 'shutdown'] as const) {
        const oracle = await armed(name, READ, { cipher, depth });
        const bytes = random.bytes(40_000);
        await driver.wire(oracle.stream(bytes, 2000));
        assert.ok((await driver.recv(10, { flags: MSG.waitall })).data.equals(bytes.subarray(0, 10)));
        if (how === 'close') await driver.ok('close', 'a');
        if (how === 'reset') await driver.ok('reset', 'b');
        if (how !== 'shutdown') continue;
        await driver.ok('shutdown', 'b', 1);
        const rest = await driver.recv(50_000, { flags: MSG.waitall });
        assert.ok(rest.data.equals(bytes.subarray(10)));
        assert.equal((await driver.recv()).result, 0);
      }
    });

    test(`${name} on ${cipher}, depth ${depth}: new keys behind a control record`, async () => {
      const oracle = await armed(name, READ, { cipher, depth });
      const next = makeDirection(suiteNamed(name)).oracle();
      const [before, behind] = [random.bytes(9000), random.bytes(9000)];
      const change =
        oracle.keys.protocol === 'tls1.3' ? { type: 22, data: [24, 0, 0, 1, 0] } : { type: 20, data: [1] };
      await driver.wire(
        Buffer.concat([
          oracle.stream(before, 1000),
          oracle.seal(change.type, Buffer.from(change.data)),
          next.stream(behind, 1000),
        ]),
      );
      assert.ok((await driver.recv(before.length, { flags: MSG.waitall })).data.equals(before));
      const control = await driver.recv();
      assert.equal(control.type, change.type);
      assert.deepEqual([...control.data], change.data);
      assert.equal(
        await driver.arm(packInfo(infoOf(next.keys, READ, { cipher, depth, operation: REKEY }))),
        0,
      );
      assert.ok((await driver.recv(behind.length, { flags: MSG.waitall })).data.equals(behind));
    });
  }
