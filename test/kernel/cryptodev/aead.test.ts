// GCM and CCM against OpenSSL's; what is not authentic is not delivered.
import assert from 'node:assert/strict';
import { createCipheriv, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { aeads, NO_ZC, SRTP_TYPE, TLS_TYPE, UPDATE } from './abi.js';
import { Device, DST, UNTOUCHED } from './device.js';

let device: Device;
before(async () => {
  device = await Device.open();
});
after(() => device.end());

/** OpenSSL's CCM takes an empty buffer, but not one without an address, which randomBytes(0) gives. */
const random = (size: number) => (size > 0 ? randomBytes(size) : Buffer.alloc(0));

interface Sealing {
  readonly name: string;
  readonly key: Buffer;
  readonly iv: Buffer;
  readonly aad: Buffer;
  readonly data: Buffer;
  readonly tag: number;
}

function sealed({ name, key, iv, aad, data, tag }: Sealing): Buffer {
  const cipher = createCipheriv(name as 'aes-128-ccm', key, iv, { authTagLength: tag });
  cipher.setAAD(aad, { plaintextLength: data.length });
  return Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()]);
}

const sizes = [0, 1, 15, 16, 17, 4079, 4096, 65536];
const ways = [
  [false, 0, [0, 0]],
  [false, 0, [4095, 5]],
  [true, 0, [9, 0]],
  [false, NO_ZC, [1, 2]],
  [true, NO_ZC, [0, 0]],
] as const;

for (const [name, cipher] of Object.entries(aeads))
  test(name, async () => {
    const key = randomBytes(cipher.key);
    const ses = await device.session({ cipher: cipher.number, key });
    for (const [i, size] of sizes.entries())
      for (const [inPlace, flags, offsets] of ways) {
        const [iv, aad, data] = [randomBytes(12), random([0, 13, 5, 4096][i % 4]!), random(size)];
        const tag = [16, 12, 8][i % 3]!;
        const expected = sealed({ name, key, iv, aad, data, tag });
        const common = { ses, iv, aad, inPlace, flags, offsets, tag: tag === 16 ? 0 : tag };
        const what = `${size} bytes, ${JSON.stringify({ inPlace, flags, offsets, tag })}`;
        const result = await device.auth({ ...common, data });
        assert.ok(result.data.equals(expected), `encryption of ${what}`);
        assert.ok(result.around.equals(UNTOUCHED), `nothing else is written: ${what}`);
        assert.equal(result.op.tag_len, tag);
        if (!inPlace) assert.equal(result.op.tag, device.at(DST + offsets[1] + size));
        const opened = await device.auth({ ...common, decrypt: true, data: expected });
        assert.ok(opened.data.equals(data), `decryption of ${what}`);
        if (!inPlace) assert.ok(opened.around.equals(UNTOUCHED), `nothing else is written: ${what}`);

        if (size > 4096) continue;
        for (const at of [0, expected.length - 1]) {
          const bad = Buffer.from(expected);
          bad[at]! ^= 0x40;
          await assert.rejects(
            device.auth({ ...common, decrypt: true, data: bad }),
            { code: 'EBADMSG' },
            what,
          );
          const left = await device.output(size, offsets[1]);
          if (!inPlace)
            assert.ok(left.every((byte) => byte === 0) || left.every((byte) => byte === 0xee), what);
        }
      }
    await device.finish(ses);
  });

test('nonces of CCM have 7 to 13 bytes, or the form of the kernel', async () => {
  const key = randomBytes(16);
  const ses = await device.session({ cipher: 51, key });
  const [aad, data] = [randomBytes(13), randomBytes(100)];
  for (const length of [7, 11, 12, 13]) {
    const iv = randomBytes(length);
    const expected = sealed({ name: 'aes-128-ccm', key, iv, aad, data, tag: 16 });
    assert.ok((await device.auth({ ses, iv, aad, data })).data.equals(expected), `${length} bytes`);
    const block = Buffer.concat([Buffer.of(14 - length), iv, Buffer.alloc(15 - length)]);
    for (const ivLength of [0, 16])
      assert.ok((await device.auth({ ses, iv: block, ivLength, aad, data })).data.equals(expected));
  }
  for (const iv of [randomBytes(6), randomBytes(14), Buffer.alloc(16, 0xff)])
    await assert.rejects(device.auth({ ses, iv, aad, data }), { code: 'EINVAL' });
});

test('what is wrong is refused', async () => {
  const key = randomBytes(16);
  const ses = await device.session({ cipher: 50, key });
  const [iv, data] = [randomBytes(12), randomBytes(64)];
  const good = { ses, iv, data };
  // Without a nonce the one before would be used again.
  await assert.rejects(device.auth({ ...good, iv: null }), { code: 'EINVAL' });
  await assert.rejects(device.auth({ ...good, iv: randomBytes(16) }), { code: 'EINVAL' });
  for (const tag of [3, 5, 17, 255]) await assert.rejects(device.auth({ ...good, tag }), { code: 'EINVAL' });
  for (const flags of [TLS_TYPE, SRTP_TYPE])
    await assert.rejects(device.auth({ ...good, flags }), { code: 'EOPNOTSUPP' });
  await assert.rejects(device.auth({ ...good, flags: UPDATE }), { code: 'EINVAL' });
  await assert.rejects(device.auth({ ...good, decrypt: true, data: randomBytes(15) }), { code: 'EINVAL' });
  await assert.rejects(device.auth({ ...good, aad: randomBytes(4097) }), { code: 'EMSGSIZE' });
  await assert.rejects(device.crypt(good), { code: 'EINVAL' });
  const cbc = await device.session({ cipher: 11, key });
  await assert.rejects(device.auth({ ...good, ses: cbc }), { code: 'EINVAL' });
  await assert.rejects(device.session({ cipher: 50, key, mac: 104 }), { code: 'EINVAL' });
  const at = device.at(1 << 16);
  const op = { ses, len: 32, src: at, dst: at, iv: at, iv_len: 12 };
  await device.ioctl('CIOCAUTHCRYPT', op);
  await assert.rejects(device.ioctl('CIOCAUTHCRYPT', { ...op, dst: at + 1 }), { code: 'EINVAL' });
  await assert.rejects(device.ioctl('CIOCAUTHCRYPT', { ...op, dst: 0 }), { code: 'EFAULT' });
  await assert.rejects(device.ioctl('CIOCAUTHCRYPT', { ...op, auth_len: 1 }), { code: 'EFAULT' });
  await assert.rejects(device.ioctl('CIOCAUTHCRYPT', { ...op, len: (1 << 20) + 65 }), { code: 'EMSGSIZE' });
});
