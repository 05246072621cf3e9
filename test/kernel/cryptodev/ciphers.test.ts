// Every cipher against OpenSSL's, at sizes around its block and around pages, wherever the buffers lie.
import assert from 'node:assert/strict';
import { createCipheriv, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { ciphers, NO_ZC, WRITE_IV } from './abi.js';
import { Device, UNTOUCHED } from './device.js';

let device: Device;
before(async () => {
  device = await Device.open();
});
after(() => device.end());

function encrypted(name: string, key: Buffer, iv: Buffer, data: Buffer): Buffer {
  const cipher = createCipheriv(name, key, iv).setAutoPadding(false);
  return Buffer.concat([cipher.update(data), cipher.final()]);
}

const sizes = (block: number) =>
  block === 1
    ? [0, 1, 15, 16, 17, 4095, 4097, 65536, 70001]
    : [0, 1, 2, 4096 / block, 65536 / block, 70000 / 16].map((n) => Math.floor(n) * block);

for (const [name, { number, key: keyLength, iv: ivLength, block }] of Object.entries(ciphers))
  test(name, async () => {
    const key = randomBytes(keyLength);
    const ses = await device.session({ cipher: number, key });
    for (const size of sizes(block)) {
      if (size === 0 && name.includes('xts')) continue;
      for (const [inPlace, flags, offsets] of [
        [false, 0, [0, 0]],
        [false, 0, [1, 4093]],
        [true, 0, [7, 0]],
        [false, NO_ZC, [16, 32]],
        [true, NO_ZC, [3, 0]],
      ] as const) {
        const iv = randomBytes(ivLength);
        const data = randomBytes(size);
        const common = { ses, iv, inPlace, flags, offsets };
        const what = `${size} bytes, ${JSON.stringify({ inPlace, flags, offsets })}`;
        const sealed = await device.crypt({ ...common, data });
        assert.ok(sealed.data.equals(encrypted(name, key, iv, data)), `encryption of ${what}`);
        assert.ok(sealed.around.equals(UNTOUCHED), `nothing else is written: ${what}`);
        const opened = await device.crypt({ ...common, decrypt: true, data: sealed.data });
        assert.ok(opened.data.equals(data), `decryption of ${what}`);
      }
    }
    await device.finish(ses);
  });

for (const name of ['aes-128-cbc', 'aes-256-ctr', 'des-ede3-cbc'] as const)
  test(`${name}: the chain goes on without an IV, and WRITE_IV hands it over`, async () => {
    const { number, key: keyLength, iv: ivLength } = ciphers[name];
    const key = randomBytes(keyLength);
    const iv = randomBytes(ivLength);
    const data = randomBytes(48 * 3);
    const whole = encrypted(name, key, iv, data);
    const ses = await device.session({ cipher: number, key });
    const first = await device.crypt({ ses, iv, data: data.subarray(0, 48), flags: WRITE_IV });
    const second = await device.crypt({ ses, iv: null, data: data.subarray(48, 96) });
    assert.ok(Buffer.concat([first.data, second.data]).equals(whole.subarray(0, 96)));
    const again = await device.crypt({ ses, iv: first.iv, data: data.subarray(48) });
    assert.ok(again.data.equals(whole.subarray(48)));
    await device.finish(ses);
  });

test('what is long goes in parts, also copied', async () => {
  const key = randomBytes(16);
  const iv = randomBytes(16);
  const data = randomBytes((3 << 20) + 16);
  const whole = encrypted('aes-128-cbc', key, iv, data);
  const ses = await device.session({ cipher: 11, key });
  for (const flags of [0, NO_ZC]) {
    const { data: out } = await device.crypt({ ses, iv, data, flags, offsets: [5, 11] });
    assert.ok(out.equals(whole));
  }
});

test('parts of a block, buffers that overlap and unknown operations are refused', async () => {
  const ses = await device.session({ cipher: 11, key: randomBytes(16) });
  const iv = randomBytes(16);
  await assert.rejects(device.crypt({ ses, iv, data: randomBytes(17) }), { code: 'EINVAL' });
  const at = device.at(1 << 16);
  const overlap = { ses, len: 64, src: at, dst: at + 16, iv: at };
  await assert.rejects(device.ioctl('CIOCCRYPT', overlap), { code: 'EINVAL' });
  await assert.rejects(device.ioctl('CIOCCRYPT', { ses, len: 64, src: at + 16, dst: at }), {
    code: 'EINVAL',
  });
  await assert.rejects(device.ioctl('CIOCCRYPT', { ses, op: 2, len: 64, src: at, dst: at }), {
    code: 'EINVAL',
  });
  await assert.rejects(device.ioctl('CIOCCRYPT', { ses, len: 64, src: at }), { code: 'EFAULT' });
  await assert.rejects(device.ioctl('CIOCCRYPT', { ses, len: 64, dst: at }), { code: 'EFAULT' });
  await assert.rejects(device.ioctl('CIOCCRYPT', { ses: ses + 1, len: 0 }), { code: 'EINVAL' });
});

test('pages that can only be read are read and never written', async () => {
  const page = 12 << 20;
  const data = randomBytes(4096);
  await device.remote.put(page, data);
  await device.remote.call(`protect ${page} 4096`);
  const key = randomBytes(16);
  const ses = await device.session({ cipher: 23, key });
  const [source, target] = [device.at(page), device.at(1 << 16)];
  await device.ioctl('CIOCCRYPT', { ses, len: 4096, src: source, dst: target });
  const expected = encrypted('aes-128-ecb', key, Buffer.alloc(0), data);
  assert.ok((await device.remote.get(1 << 16, 4096)).equals(expected));
  for (const src of [source, target])
    await assert.rejects(device.ioctl('CIOCCRYPT', { ses, len: 4096, src, dst: source }), { code: 'EFAULT' });
  assert.ok((await device.remote.get(page, 4096)).equals(data));
});

test('xts takes a whole unit or nothing', async () => {
  const ses = await device.session({ cipher: 22, key: randomBytes(32) });
  const at = device.at(1 << 16);
  const op = { ses, src: at, dst: at, iv: at, len: (1 << 20) + 16 };
  await assert.rejects(device.ioctl('CIOCCRYPT', op), { code: 'EMSGSIZE' });
});
