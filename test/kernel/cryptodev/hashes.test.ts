// Hashes and MACs against OpenSSL's, in one piece and in several; ciphers with a MAC.
import assert from 'node:assert/strict';
import { createCipheriv, createHash, createHmac, getHashes, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { FINAL, hashes, hmacs, NO_ZC, RESET, UPDATE } from './abi.js';
import { Device } from './device.js';

let device: Device;
before(async () => {
  device = await Device.open();
});
after(() => device.end());

const sizes = [0, 1, 55, 56, 63, 64, 65, 127, 128, 4095, 4097, 65536];
const known = Object.keys(hashes).filter((name) => getHashes().includes(name)) as (keyof typeof hashes)[];

for (const name of known) {
  test(name, async () => {
    const ses = await device.session({ mac: hashes[name] });
    for (const size of sizes)
      for (const flags of [0, NO_ZC]) {
        const data = randomBytes(size);
        const expected = createHash(name).update(data).digest();
        const { mac } = await device.crypt({
          ses,
          data,
          flags,
          mac: expected.length,
          offsets: [size % 7, 0],
        });
        assert.ok(mac.equals(expected), `${size} bytes, flags ${flags}`);
      }
    await device.finish(ses);
  });

  test(`hmac ${name}`, async () => {
    for (const keyLength of [0, 1, 64, 65, 200, 512]) {
      const macKey = randomBytes(keyLength);
      const ses = await device.session({ mac: hmacs[name], macKey });
      for (const size of [0, 1, 64, 4097]) {
        const data = randomBytes(size);
        const expected = createHmac(name, macKey).update(data).digest();
        const { mac } = await device.crypt({ ses, data, mac: expected.length });
        assert.ok(mac.equals(expected), `key of ${keyLength}, ${size} bytes`);
      }
      await device.finish(ses);
    }
  });
}

const digest = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest();

test('a message in parts', async () => {
  const ses = await device.session({ mac: hashes.sha256 });
  const parts = [randomBytes(100), randomBytes(5000), randomBytes(1)] as const;
  const part = (i: 0 | 1 | 2, flags: number, mac = 0) => device.crypt({ ses, data: parts[i], flags, mac });
  const end = async (flags: number) =>
    (await device.crypt({ ses, data: Buffer.alloc(0), flags, mac: 32 })).mac;
  await part(0, UPDATE);
  await part(1, UPDATE);
  // OpenSSL's engine ends so,
  assert.ok((await end(FINAL)).equals(digest(parts[0], parts[1])));
  // and others so.
  await part(2, UPDATE);
  assert.ok((await part(1, UPDATE | FINAL, 32)).mac.equals(digest(parts[2], parts[1])));
  await part(2, UPDATE);
  assert.ok((await end(UPDATE)).equals(digest(parts[2])));
  // What was begun is forgotten.
  await part(0, UPDATE);
  await part(1, UPDATE | RESET);
  assert.ok((await end(FINAL)).equals(digest(parts[1])));
  await part(0, UPDATE);
  assert.ok((await part(1, 0, 32)).mac.equals(digest(parts[1])));
  // A part of nothing without a place for the result is no end.
  await part(0, UPDATE);
  await device.crypt({ ses, data: Buffer.alloc(0), flags: UPDATE });
  assert.ok((await end(FINAL)).equals(digest(parts[0])));
  await assert.rejects(part(0, FINAL), { code: 'EFAULT' });
  assert.ok((await part(0, 0, 32)).mac.equals(digest(parts[0])));
});

test('CIOCCPHASH copies an unfinished message', async () => {
  const [src_ses, dst_ses, other, cipher] = await Promise.all([
    device.session({ mac: hashes.sha256 }),
    device.session({ mac: hashes.sha256 }),
    device.session({ mac: hashes.sha512 }),
    device.session({ cipher: 11, key: randomBytes(16) }),
  ]);
  const [a, b] = [randomBytes(77), randomBytes(33)];
  await device.crypt({ ses: src_ses!, data: a, flags: UPDATE });
  await device.ioctl('CIOCCPHASH', { dst_ses: dst_ses!, src_ses: src_ses! });
  const end = { flags: UPDATE | FINAL, mac: 32 };
  assert.ok((await device.crypt({ ses: dst_ses!, data: b, ...end })).mac.equals(digest(a, b)));
  assert.ok((await device.crypt({ ses: src_ses!, data: a, ...end })).mac.equals(digest(a, a)));
  // A copy of nothing is nothing.
  await device.crypt({ ses: dst_ses!, data: b, flags: UPDATE });
  await device.ioctl('CIOCCPHASH', { dst_ses: dst_ses!, src_ses: src_ses! });
  assert.ok((await device.crypt({ ses: dst_ses!, data: b, ...end })).mac.equals(digest(b)));
  for (const [to, from] of [
    [other, src_ses],
    [cipher, src_ses],
    [src_ses, cipher],
    [src_ses, src_ses],
    [99, src_ses],
    [src_ses, 99],
  ])
    await assert.rejects(device.ioctl('CIOCCPHASH', { dst_ses: to!, src_ses: from! }), { code: 'EINVAL' });
});

test('a cipher with a MAC: the MAC is of the plaintext', async () => {
  const [key, iv, macKey, data] = [randomBytes(16), randomBytes(16), randomBytes(20), randomBytes(8192)];
  const ses = await device.session({ cipher: 11, key, mac: hmacs.sha1, macKey });
  const expected = createHmac('sha1', macKey).update(data).digest();
  for (const flags of [0, NO_ZC])
    for (const inPlace of [false, true]) {
      const sealed = await device.crypt({ ses, data, iv, mac: 20, flags, inPlace });
      const cipher = createCipheriv('aes-128-cbc', key, iv).setAutoPadding(false);
      assert.ok(sealed.data.equals(cipher.update(data)));
      assert.ok(sealed.mac.equals(expected));
      const opened = await device.crypt({
        ses,
        decrypt: true,
        data: sealed.data,
        iv,
        mac: 20,
        flags,
        inPlace,
      });
      assert.ok(opened.data.equals(data));
      assert.ok(opened.mac.equals(expected));
    }
});
