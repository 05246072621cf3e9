// The library's engine `cryptodev`: sockets whose records the device does.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { engines } from '../../../lib/index.js';
import { armedPair, flushed } from '../../support/armed.js';
import { checkReading, checkWriting } from '../../support/exercise.js';
import { applicationData, flipBit } from '../../support/records.js';
import { connectedPair, sha256, until } from '../../support/sockets.js';
import { allSuites, makeDirection, suiteNamed, suiteOptions } from '../../support/suites.js';

// What setCrypt() takes when no engine is named.
process.env.SO_CRYPT_ENGINE = 'cryptodev';

const gcm = suiteNamed('tls1.3 aes-128-gcm');

test('the engine is there', () => {
  const report = engines().find(({ name }) => name === 'cryptodev');
  assert.deepEqual([report?.available, report?.reason], [true, undefined]);
});

for (const suite of allSuites.filter(({ cipher }) => cipher !== 'chacha20-poly1305')) {
  test(`${suite.name} writes what the oracle opens`, () => checkWriting(suite));
  test(`${suite.name} reads what the oracle seals`, () => checkReading(suite));
}

test('socket.crypt names engine and driver', async () => {
  const { ours } = await armedPair(gcm);
  assert.equal(ours.crypt?.engine, 'cryptodev');
  assert.match(ours.crypt?.driver ?? '', /gcm/);
});

test('nothing of a record that is not authentic is delivered', async () => {
  for (const suite of [gcm, suiteNamed('tls1.2 aes-128-ccm'), suiteNamed('tls1.2 aes-128-cbc hmac-sha1')]) {
    const { peer, sealer, read } = await armedPair(suite);
    peer.write(sealer.data('good'));
    peer.write(flipBit(sealer.data('a longer one, which somebody changes'), 8 * 30));
    await until(() => read.errors.length > 0, 'an error');
    assert.equal(read.bytes.toString(), 'good');
    assert.match(String((read.errors[0] as { code?: string }).code), /^ERR_SO_CRYPT_BAD_/);
  }
});

test('a driver by name', async () => {
  const suite = suiteNamed('tls1.2 aes-128-cbc hmac-sha1');
  const driver = 'cbc(aes-generic)';
  const { ours, opener, wire } = await armedPair(suite, { crypt: { driver } });
  assert.equal(ours.crypt?.driver, driver);
  const data = randomBytes(40_000);
  await flushed(ours, data);
  ours.end();
  await until(() => wire.ended, 'FIN');
  assert.equal(sha256(applicationData(opener.openAll(wire.bytes))), sha256(data));
});

test('what the device has not is refused before anything is armed', async () => {
  const { ours } = await connectedPair();
  const refused = (name: string, crypt: object, code: string) => {
    const suite = suiteNamed(name);
    const options = { ...suiteOptions(suite), write: makeDirection(suite).keys, ...crypt };
    assert.throws(() => ours.setCrypt(options), { code });
    assert.equal(ours.crypt, null);
  };
  refused('tls1.3 chacha20-poly1305', {}, 'ERR_SO_CRYPT_UNSUPPORTED');
  refused('tls1.3 aes-128-gcm', { driver: 'no-such-driver' }, 'ERR_SO_CRYPT_UNKNOWN_DRIVER');
  refused('tls1.3 aes-128-gcm', { driver: 'cbc(aes-generic)' }, 'ERR_SO_CRYPT_UNKNOWN_DRIVER');
  refused('tls1.3 aes-128-gcm', { engine: 'evp', driver: 'x' }, 'ERR_SO_CRYPT_UNSUPPORTED');
});
