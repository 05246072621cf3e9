// A device behind /dev/crypto (npm run test:kernel -- cryptodev --accelerator): results, and how fast it is with one request at a time.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createCipheriv, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { armedPair, flushed } from '../../support/armed.js';
import { applicationData } from '../../support/records.js';
import { sha256, until } from '../../support/sockets.js';
import { suiteNamed } from '../../support/suites.js';
import { NO_ZC, WRITE_IV } from './abi.js';
import { Device } from './device.js';
import { program } from './remote.js';

const driver = 'virtio_crypto_aes_cbc';

test('it does AES-CBC', async () => {
  const device = await Device.open();
  const key = randomBytes(16);
  const ses = await device.sessionByDriver({ cipher: 11, key }, { cipher_driver: driver });
  const info = await device.ioctl('CIOCGSESSINFO', { ses });
  assert.equal(info.cipher_driver, driver);
  for (const size of [16, 4096, 16384, 65536, (1 << 20) + 4096])
    for (const flags of [WRITE_IV, WRITE_IV | NO_ZC])
      for (const inPlace of [false, true]) {
        const [iv, data] = [randomBytes(16), randomBytes(size)];
        const sealed = await device.crypt({ ses, iv, data, flags, inPlace, offsets: [48, 16] });
        const expected = createCipheriv('aes-128-cbc', key, iv).setAutoPadding(false).update(data);
        assert.ok(sealed.data.equals(expected), `${size} bytes, flags ${flags}, in place ${inPlace}`);
        assert.ok(sealed.iv.equals(expected.subarray(-16)));
        const opened = await device.crypt({ ses, decrypt: true, iv, data: expected, flags, inPlace });
        assert.ok(opened.data.equals(data));
      }
  await device.end();
});

test('a socket by this driver', async () => {
  const suite = suiteNamed('tls1.2 aes-128-cbc hmac-sha1');
  const { ours, opener, wire } = await armedPair(suite, { crypt: { engine: 'cryptodev', driver } });
  const data = randomBytes(100_000);
  await flushed(ours, data);
  ours.end();
  await until(() => wire.ended, 'FIN');
  assert.equal(sha256(applicationData(opener.openAll(wire.bytes))), sha256(data));
});

test('MB/s', (t) => {
  // With the device's driver there is one for cbc(aes), and the kernel looks for no other.
  assert.equal(spawnSync('modprobe', ['aesni_intel']).status, 0);
  for (const name of [driver, 'cbc-aes-aesni'])
    for (const size of [4096, 8192, 16384]) {
      const { status, stdout } = spawnSync(program('cryptodev-speed'), [name, String(size)], {
        encoding: 'utf8',
      });
      assert.equal(status, 0);
      const rates = stdout.trim().split(' ').map(Number);
      t.diagnostic(`${name} ${size}: ${rates.join(' ')}`);
      assert.ok(rates.every((rate) => rate > 0));
    }
});
