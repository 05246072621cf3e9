// Several threads on one descriptor, with a session each and with one for all.
import assert from 'node:assert/strict';
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { hashes, number, pack } from './abi.js';
import { Device } from './device.js';

const THREADS = 8;
const ROUNDS = 200;
const STRIDE = 256;
const SRC = 1 << 20;
const DST = 4 << 20;
const EACH = 1 << 16;
const IV = 1 << 19;

let device: Device;
before(async () => {
  device = await Device.open();
});
after(() => device.end());

async function all(
  name: 'CIOCCRYPT' | 'CIOCAUTHCRYPT',
  fields: (i: number) => Record<string, number>,
): Promise<void> {
  const struct = name === 'CIOCCRYPT' ? 'crypt_op' : 'crypt_auth_op';
  for (let i = 0; i < THREADS; i++) await device.remote.put(i * STRIDE, pack(struct, fields(i), 64));
  const call = `${device.fd} ${number(name, 64)} ${device.at(0)}`;
  await device.remote.call(`threads ${THREADS} ${ROUNDS} ${STRIDE} ${call}`);
}

for (const shared of [false, true])
  test(shared ? 'one session for all' : 'a session each', async () => {
    const keys = Array.from({ length: THREADS }, () => randomBytes(16));
    const sessions: number[] = [];
    for (const key of keys) sessions.push(await device.session({ cipher: 11, key }));
    const key = (i: number) => (shared ? 0 : i);
    const data = keys.map((_, i) => randomBytes(1024 * (i + 1)));
    const ivs = keys.map(() => randomBytes(16));
    for (const i of keys.keys()) {
      await device.remote.put(SRC + i * EACH, data[i]!);
      await device.remote.put(IV + i * 16, ivs[i]!);
    }
    const place = (i: number) => ({ src: device.at(SRC + i * EACH), dst: device.at(DST + i * EACH) });
    await all('CIOCCRYPT', (i) => ({
      ...{ ses: sessions[key(i)]!, len: data[i]!.length, iv: device.at(IV + i * 16), ...place(i) },
    }));
    for (const i of keys.keys()) {
      const expected = createCipheriv('aes-128-cbc', keys[key(i)]!, ivs[i]!)
        .setAutoPadding(false)
        .update(data[i]!);
      assert.ok((await device.remote.get(DST + i * EACH, expected.length)).equals(expected), `thread ${i}`);
    }
  });

test('one AEAD session with tags of several lengths', async () => {
  const key = randomBytes(16);
  const ses = await device.session({ cipher: 50, key });
  const iv = randomBytes(12);
  const data = randomBytes(2000);
  await device.remote.put(IV, iv);
  await device.remote.put(SRC, data);
  // The kernel writes len + tag back into len, so every round would be longer: one round.
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i < THREADS; i++) {
      const fields = {
        ses,
        len: 2000,
        src: device.at(SRC),
        dst: device.at(DST + i * EACH),
        iv: device.at(IV),
        tag_len: 12 + (i % 5),
      };
      await device.remote.put(i * STRIDE, pack('crypt_auth_op', fields, 64));
    }
    await device.remote.call(
      `threads ${THREADS} 1 ${STRIDE} ${device.fd} ${number('CIOCAUTHCRYPT', 64)} ${device.at(0)}`,
    );
    const cipher = createCipheriv('aes-128-gcm', key, iv);
    const expected = Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()]);
    for (let i = 0; i < THREADS; i++) {
      const length = 2012 + (i % 5);
      assert.ok((await device.remote.get(DST + i * EACH, length)).equals(expected.subarray(0, length)));
    }
  }
});

test('one hash session: each message is whole', async () => {
  const ses = await device.session({ mac: hashes.sha256 });
  const data = Array.from({ length: THREADS }, (_, i) => randomBytes(3000 + i));
  for (const [i, it] of data.entries()) await device.remote.put(SRC + i * EACH, it);
  await all('CIOCCRYPT', (i) => ({
    ses,
    len: 3000 + i,
    src: device.at(SRC + i * EACH),
    mac: device.at(DST + i * EACH),
  }));
  for (const [i, it] of data.entries()) {
    const expected = createHash('sha256').update(it).digest();
    assert.ok((await device.remote.get(DST + i * EACH, 32)).equals(expected), `thread ${i}`);
  }
});
