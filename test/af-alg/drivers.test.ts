import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CryptOptions } from '../../lib/crypt-options.js';
import { armedPair } from '../support/armed.js';
import { kernelDrivers } from '../support/kernel-crypto.js';
import { until } from '../support/sockets.js';
import { suiteNamed } from '../support/suites.js';

// These are about the kernel: they run where the engine under test is af_alg, and there it has to work.
const gcm = suiteNamed('tls1.3 aes-128-gcm');
const cbc = suiteNamed('tls1.2 aes-128-cbc hmac-sha1');

function armedBy(suite: typeof gcm, driver?: string) {
  const crypt: Partial<CryptOptions> = { engine: 'af_alg', ...(driver !== undefined && { driver }) };
  return armedPair(suite, { crypt });
}

if (process.env.SO_CRYPT_ENGINE === 'af_alg') {
  test('a socket tells the engine, and the algorithm that the kernel was asked for', async () => {
    const { ours } = await armedBy(gcm);
    assert.deepEqual([ours.crypt?.engine, ours.crypt?.driver], ['af_alg', 'gcm(aes)']);
    const other = await armedBy(cbc);
    assert.equal(other.ours.crypt?.driver, 'cbc(aes)');
  });

  test('a driver by its name does the records', async () => {
    await armedBy(gcm); // loads one
    const driver = kernelDrivers().find(({ name, internal }) => name === 'gcm(aes)' && !internal)!.driver;
    const { ours, peer, sealer, opener, read, wire } = await armedBy(gcm, driver);
    assert.equal(ours.crypt?.driver, driver);
    peer.write(sealer.data('in'));
    ours.write('out');
    await until(() => read.length === 2 && wire.length === 5 + 3 + 1 + 16, 'both');
    assert.equal(opener.openAll(wire.bytes)[0]!.plaintext.toString(), 'out');
  });

  for (const name of ['nonesuch', 'x'.repeat(64), 'x'.repeat(1000), 'cbc(nonesuch)'])
    test(`the driver ${name.slice(0, 20)} is unknown`, async () => {
      await assert.rejects(armedBy(gcm, name), {
        code: 'ERR_SO_CRYPT_UNKNOWN_DRIVER',
        message: /\/proc\/crypto/,
      });
    });

  // Each is a cipher of the kernel, and would encrypt.
  for (const [suite, name] of [
    [cbc, 'ctr(aes)'],
    [cbc, 'ecb(aes)'],
    [cbc, 'cbc(des3_ede)'],
    [gcm, 'rfc4106(gcm(aes))'],
    [gcm, 'ccm(aes)'],
  ] as const)
    test(`${name} is refused for ${suite.cipher}`, async () => {
      await assert.rejects(armedBy(suite, name), { code: 'ERR_SO_CRYPT_UNSUPPORTED' });
    });
}
