// The same as a program of 32 bits.
import assert from 'node:assert/strict';
import { createCipheriv, createHmac, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { hmacs, WRITE_IV } from './abi.js';
import { Device } from './device.js';

let device: Device;
before(async () => {
  device = await Device.open(32);
});
after(() => device.end());

test('a cipher with a MAC', async () => {
  const [key, iv, macKey, data] = [randomBytes(32), randomBytes(16), randomBytes(20), randomBytes(4096)];
  const ses = await device.session({ cipher: 11, key, mac: hmacs.sha256, macKey });
  const result = await device.crypt({ ses, iv, data, mac: 32, flags: WRITE_IV });
  const expected = createCipheriv('aes-256-cbc', key, iv).setAutoPadding(false).update(data);
  assert.ok(result.data.equals(expected));
  assert.ok(result.iv.equals(expected.subarray(-16)));
  assert.ok(result.mac.equals(createHmac('sha256', macKey).update(data).digest()));
  assert.equal((await device.ioctl('CIOCGSESSINFO', { ses })).cipher_name, 'cbc(aes)');
  await device.finish(ses);
});

test('an AEAD', async () => {
  const [key, iv, aad, data] = [randomBytes(16), randomBytes(12), randomBytes(5), randomBytes(100)];
  const ses = await device.session({ cipher: 50, key });
  const { data: out, op } = await device.auth({ ses, iv, aad, data });
  const cipher = createCipheriv('aes-128-gcm', key, iv).setAAD(aad);
  assert.ok(out.equals(Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()])));
  assert.equal(op.len, 116);
  assert.equal(op.tag_len, 16);
  assert.ok((await device.auth({ ses, iv, aad, data: out, decrypt: true })).data.equals(data));
});

test('sessions by driver, and what is refused', async () => {
  const keys = { cipher: 23, key: randomBytes(16) };
  const ses = await device.sessionByDriver(keys, { cipher_driver: 'ecb(aes-generic)' });
  assert.equal((await device.ioctl('CIOCGSESSINFO', { ses })).cipher_driver, 'ecb(aes-generic)');
  await assert.rejects(device.session({ cipher: 12345 }), { code: 'EINVAL' });
  await assert.rejects(device.ioctl('CIOCASYNCCRYPT', {}), { code: 'EOPNOTSUPP' });
  await assert.rejects(device.ioctl('CIOCCRYPT', { ses, len: 16 }), { code: 'EFAULT' });
});
