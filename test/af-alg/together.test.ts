import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { validate } from '../../lib/arm.js';
import { OpenStatus } from '../../lib/native/records.js';
import { native } from '../../lib/native.js';
import { armedPair } from '../support/armed.js';
import { checkReading, checkWriting } from '../support/exercise.js';
import { Generations } from '../support/generations.js';
import { kernelDrivers } from '../support/kernel-crypto.js';
import { contentType } from '../support/oracle-keys.js';
import { applicationData, flipBit } from '../support/records.js';
import { until } from '../support/sockets.js';
import { makeDirection, suiteNamed, suiteOptions } from '../support/suites.js';

// Several records at the same time: with the kernel's pcrypt, which does any AEAD cipher on other threads.
const suite = suiteNamed('tls1.3 aes-128-gcm');

/** The name of a GCM driver that works beside the caller. */
function asynchronousGcm(): string {
  // (On top of whichever GCM this processor has: pcrypt(generic-gcm-aesni), pcrypt(gcm_base(…)).)
  const find = () =>
    kernelDrivers().find(({ name, driver }) => name === 'gcm(aes)' && /^pcrypt\((?!pcrypt)/.test(driver))
      ?.driver;
  if (find() === undefined) native.checkAfAlg('aes-128-gcm', 'pcrypt(gcm(aes))', undefined); // makes it
  const driver = find();
  assert.ok(driver, 'this kernel has no pcrypt (CONFIG_CRYPTO_PCRYPT)');
  return driver;
}

function layer() {
  const { keys, oracle } = makeDirection(suite);
  const options = { ...suiteOptions(suite), engine: 'af_alg', driver: asynchronousGcm() } as const;
  const { write, read } = validate({ ...options, write: keys, read: keys });
  return { oracle, sealer: new native.Sealer(write!), opener: new native.Opener(read!) };
}

if (process.env.SO_CRYPT_ENGINE === 'af_alg') {
  test('it writes what the oracle opens', () => checkWriting(suite, { driver: asynchronousGcm() }));
  test('it reads what the oracle seals', () => checkReading(suite, { driver: asynchronousGcm() }));

  test('more records than go to the driver at once, of any size, keep their order', () => {
    const { oracle, sealer, opener } = layer();
    for (const count of [1, 2, 15, 16, 17, 33]) {
      const text = randomBytes(16_384 * (count - 1) + 1 + count);
      const sealed = Buffer.alloc(text.length + 64 * (count + 2));
      const opened = Buffer.alloc(sealed.length);
      const length = sealer.seal(contentType.applicationData, text, sealed);
      const reference = oracle();
      reference.sequence = opener.sequence;
      const records = reference.openAll(sealed.subarray(0, length));
      assert.equal(records.length, count);
      assert.ok(applicationData(records).equals(text));
      assert.equal(opener.open(sealed, 0, length, opened), OpenStatus.needMore);
      assert.ok(opened.subarray(0, native.result[1]).equals(text));
      assert.equal(opener.sequence, sealer.sequence);
    }
  });

  test('records of padding and control records between others', () => {
    const { oracle, opener } = layer();
    const reference = oracle();
    const parts = [
      reference.data('one', { zeros: 500 }),
      reference.data(''),
      reference.data('two', { zeros: 3 }),
      reference.seal(contentType.handshake, Buffer.from('ticket')),
      reference.data('three'),
      reference.data('four'),
    ];
    const input = Buffer.concat(parts);
    const out = Buffer.alloc(input.length);
    assert.equal(opener.open(input, 0, input.length, out), OpenStatus.control);
    const [consumed, produced, type, length] = native.result as unknown as [number, number, number, number];
    assert.equal(consumed, Buffer.concat(parts.slice(0, 4)).length);
    assert.equal(type, contentType.handshake);
    assert.equal(out.subarray(0, produced + length).toString(), 'onetwoticket');
    assert.ok(
      out.subarray(produced + length + 600).every((byte) => byte === 0),
      'nothing of what comes behind',
    );
    assert.equal(opener.open(input, consumed, input.length, out), OpenStatus.needMore);
    assert.equal(out.subarray(0, native.result[1]).toString(), 'threefour');
  });

  test('the records before one that is not authentic are delivered, nothing of it or behind it', () => {
    const { oracle, opener } = layer();
    const reference = oracle();
    const good = [reference.data('good '), reference.data('records')];
    const bad = flipBit(reference.data('SECRET'.repeat(100)), 200);
    const input = Buffer.concat([...good, bad, reference.data('SECRET'.repeat(100))]);
    const out = Buffer.alloc(input.length);
    assert.equal(opener.open(input, 0, input.length, out), OpenStatus.badMac);
    assert.equal(out.subarray(0, native.result[1]).toString(), 'good records');
    assert.ok(!out.includes('SECRET'));
    assert.equal(opener.sequence, 2n);
  });

  test('a KeyUpdate in the middle', async () => {
    const crypt = { driver: asynchronousGcm() };
    const armed = await armedPair(suite, { secretOnly: true, crypt });
    const theirs = new Generations(suite.cipher, armed.crypt.read!.secret!);
    const parts: Buffer[] = [];
    let expected = '';
    for (let i = 0; i < 12; i++) {
      parts.push(theirs.oracle.data(`record ${i}, `));
      expected += `record ${i}, `;
      if (i % 4 === 2) parts.push(theirs.sealKeyUpdate(false));
    }
    armed.peer.write(Buffer.concat(parts));
    await until(() => armed.read.length >= expected.length || armed.read.errors.length > 0, 'all', 30_000);
    assert.deepEqual(armed.read.errors, []);
    assert.equal(armed.read.bytes.toString(), expected);
    assert.equal(armed.ours.crypt?.read?.keyUpdates, 3);
  });
}
