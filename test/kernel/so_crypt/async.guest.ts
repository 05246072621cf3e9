// Ciphers that answer later: the pipeline, its order, and what ends it. cryptd and pcrypt make any cipher such a one.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Random } from '../../support/random.js';
import { applicationData, type RecordOracle } from '../../support/records.js';
import { makeDirection, suiteNamed } from '../../support/suites.js';
import { Driver } from './driver.js';
import { type InfoFields, infoOf, packInfo, READ, REKEY, unpackStatus, WRITE } from './info.js';

const driver = new Driver();
after(() => driver.end());
const random = new Random(5);
const ASYNC = 2;

const cases: [string, string][] = [
  ['tls1.2 aes-128-cbc hmac-sha1', 'cryptd(cbc(aes-generic))'],
  ['tls1.2 aes-128-cbc hmac-sha1 encrypt-then-MAC', 'cryptd(cbc(aes-generic))'],
  ['tls1.0 aes-128-cbc hmac-sha1', 'cryptd(cbc(aes-generic))'],
  ['tls1.3 aes-128-gcm', 'pcrypt(gcm_base(ctr(aes-generic),ghash-generic))'],
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

for (const [name, cipher] of cases)
  for (const depth of [1, 2, 16]) {
    test(`${name} on ${cipher}, depth ${depth}`, async () => {
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

    test(`${name} on ${cipher}, depth ${depth}: what is in flight goes before FIN and before new keys`, async () => {
      for (const how of ['close', 'shutdown', 'rekey'] as const) {
        const oracle = await armed(name, WRITE, { cipher, depth });
        const bytes = random.bytes(150_000);
        assert.equal(await driver.send(bytes), bytes.length);
        if (how === 'close') await driver.ok('close', 'a');
        if (how === 'shutdown') await driver.ok('shutdown', 'a', 1);
        if (how === 'rekey') {
          const next = makeDirection(suiteNamed(name)).oracle();
          const more = { cipher, operation: REKEY };
          assert.equal(await driver.arm(packInfo(infoOf(next.keys, WRITE, more))), 0);
          assert.equal((await status(WRITE)).frames, 0n);
        }
        const { data, ended } = await driver.drain('b', 1000);
        assert.ok(applicationData(oracle.openAll(data)).equals(bytes));
        assert.equal(ended, how === 'rekey' ? 0 : 1);
      }
    });

    test(`${name} on ${cipher}, depth ${depth}: a reset with records in flight`, async () => {
      await armed(name, WRITE, { cipher, depth });
      await driver.send(random.bytes(200_000));
      await driver.ok('reset', 'b');
      assert.ok((await driver.send(random.bytes(1000))) < 0);
    });
  }

for (const [name, cipher] of cases)
  test(`${name} on ${cipher}: reading`, async () => {
    const oracle = await armed(name, READ, { cipher });
    const bytes = random.bytes(50_000);
    await driver.wire(oracle.stream(bytes, 7000));
    const got = await driver.recv(bytes.length, { flags: 0x100 });
    assert.ok(got.data.equals(bytes));
  });
