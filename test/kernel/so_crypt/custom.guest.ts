// Frames given by offsets, against node:crypto.
import assert from 'node:assert/strict';
import { type CipherGCMTypes, createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { bytes } from '../../support/oracle-keys.js';
import { Random } from '../../support/random.js';
import { Driver, errno, MSG, POLLOUT } from './driver.js';
import { CUSTOM, type InfoFields, type LayoutFields, packInfo, READ, REKEY, WRITE } from './info.js';

const driver = new Driver();
after(() => driver.end());
const random = new Random(6);

const [XOR, COUNTER, RANDOM] = [0, 1, 2];
const [AEAD, MTE, ETM] = [0, 1, 2];

interface Frame {
  name: string;
  cipher: 'aes-128-gcm' | 'aes-256-cbc' | 'aes-128-ctr';
  tag: number;
  layout: LayoutFields;
}

const base = { lengthBias: 0, fixedIv: 0, explicitIv: 0, order: AEAD, padding: 0, assocSequence: 0 };
const frames: Frame[] = [
  {
    name: 'GCM, 2 bytes of length, no sequence number',
    cipher: 'aes-128-gcm',
    tag: 16,
    layout: {
      ...{ ...base, header: Buffer.of(0, 0), lengthOffset: 0, lengthSize: 2 },
      ...{ nonce: XOR, fixedIv: 12, assocStart: 0, assocEnd: 2 },
    },
  },
  {
    name: 'GCM, explicit nonce, part of a long header authenticated, 4 bytes of sequence number',
    cipher: 'aes-128-gcm',
    tag: 16,
    layout: {
      ...{
        ...base,
        header: Buffer.from('MAGIC...version-7'),
        lengthOffset: 5,
        lengthSize: 3,
        lengthBias: 17,
      },
      ...{ nonce: COUNTER, fixedIv: 4, explicitIv: 8, assocSequence: 4, assocStart: 3, assocEnd: 12 },
    },
  },
  {
    name: 'CBC, MAC-then-encrypt, truncated MAC',
    cipher: 'aes-256-cbc',
    tag: 12,
    layout: {
      ...{
        ...base,
        header: Buffer.of(9, 0, 0, 0, 0, 9),
        lengthOffset: 1,
        lengthSize: 4,
        order: MTE,
        padding: 1,
      },
      ...{ nonce: RANDOM, explicitIv: 16, assocSequence: 8, assocStart: 1, assocEnd: 6 },
    },
  },
  {
    name: 'CBC, encrypt-then-MAC',
    cipher: 'aes-256-cbc',
    tag: 20,
    layout: {
      ...{ ...base, header: Buffer.of(0, 0, 0, 7), lengthOffset: 0, lengthSize: 3, order: ETM, padding: 1 },
      ...{ nonce: RANDOM, explicitIv: 16, assocSequence: 8, assocStart: 0, assocEnd: 4 },
    },
  },
  {
    name: 'CTR, encrypt-then-MAC',
    cipher: 'aes-128-ctr',
    tag: 20,
    layout: {
      ...{ ...base, header: Buffer.of(0, 0, 0), lengthOffset: 0, lengthSize: 3, order: ETM },
      ...{ nonce: COUNTER, fixedIv: 4, explicitIv: 8, assocSequence: 0, assocStart: 0, assocEnd: 3 },
    },
  },
  {
    name: 'CTR, MAC-then-encrypt',
    cipher: 'aes-128-ctr',
    tag: 20,
    layout: {
      ...{ ...base, header: Buffer.of(0, 0, 0), lengthOffset: 0, lengthSize: 3, order: MTE },
      ...{ nonce: XOR, fixedIv: 12, assocSequence: 4, assocStart: 0, assocEnd: 3 },
    },
  },
];

class Oracle {
  sequence = 5n;
  readonly key: Buffer;
  readonly macKey = randomBytes(20);
  readonly iv: Buffer;
  constructor(readonly frame: Frame) {
    this.key = randomBytes(Number(frame.cipher.slice(4, 7)) / 8);
    this.iv = randomBytes(frame.layout.fixedIv);
  }

  info(direction: number): InfoFields {
    const { cipher, tag, layout } = this.frame;
    const aead = layout.order === AEAD;
    return {
      ...{ protocol: CUSTOM, direction, key: this.key, iv: this.iv, sequence: this.sequence, layout },
      ...{ cipher: `${cipher.slice(8)}(aes)`, mac: aead ? '' : 'hmac(sha1)', tagLen: aead ? 0 : tag },
      ...(aead ? {} : { macKey: this.macKey }),
    };
  }

  #iv(explicit: Buffer): Buffer {
    const iv = Buffer.concat([this.iv, explicit]);
    if (this.frame.layout.nonce === XOR)
      bytes(this.sequence, 12).forEach((byte, i) => {
        iv[i]! ^= byte;
      });
    return this.frame.cipher.endsWith('ctr') ? Buffer.concat([iv, bytes(1, 4)]) : iv;
  }

  #assoc(header: Buffer): Buffer {
    const { assocSequence, assocStart, assocEnd } = this.frame.layout;
    return Buffer.concat([bytes(this.sequence, assocSequence), header.subarray(assocStart, assocEnd)]);
  }

  #mac(...parts: Buffer[]): Buffer {
    const mac = createHmac('sha1', this.macKey);
    for (const part of parts) mac.update(part);
    return mac.digest().subarray(0, this.frame.tag);
  }

  seal(payload: Buffer): Buffer {
    const { layout, cipher, tag } = this.frame;
    const explicit = layout.nonce === RANDOM ? randomBytes(16) : bytes(this.sequence, layout.explicitIv);
    const inside = payload.length + (layout.order === MTE ? tag : 0);
    const padding = layout.padding ? 16 - (inside % 16) : 0;
    const total =
      layout.header.length + explicit.length + inside + padding + (layout.order === MTE ? 0 : tag);
    const header = Buffer.from(layout.header);
    header.writeUIntBE(total - layout.lengthBias, layout.lengthOffset, layout.lengthSize);
    const assoc = this.#assoc(header);
    const iv = this.#iv(explicit);
    const engine = createCipheriv(cipher as CipherGCMTypes, this.key, iv).setAutoPadding(false);
    if (layout.order === AEAD) engine.setAAD(assoc);
    const text = [payload, layout.order === MTE ? this.#mac(assoc, payload) : Buffer.alloc(0)];
    const sealed = Buffer.concat([
      explicit,
      engine.update(Buffer.concat([...text, Buffer.alloc(padding, padding - 1)])),
      engine.final(),
    ]);
    const end =
      layout.order === AEAD
        ? engine.getAuthTag()
        : layout.order === ETM
          ? this.#mac(assoc, sealed)
          : Buffer.alloc(0);
    this.sequence++;
    return Buffer.concat([header, sealed, end]);
  }

  /** The payloads of all frames. */
  openAll(wire: Buffer): Buffer[] {
    const { layout, cipher, tag } = this.frame;
    const out: Buffer[] = [];
    for (let left = wire; left.length > 0; ) {
      const total = left.readUIntBE(layout.lengthOffset, layout.lengthSize) + layout.lengthBias;
      const header = left.subarray(0, layout.header.length);
      const explicitEnd = header.length + layout.explicitIv;
      const textEnd = total - (layout.order === MTE ? 0 : tag);
      const end = left.subarray(textEnd, total);
      const assoc = this.#assoc(header);
      const iv = this.#iv(left.subarray(header.length, explicitEnd));
      const engine = createDecipheriv(cipher as CipherGCMTypes, this.key, iv).setAutoPadding(false);
      if (layout.order === AEAD) engine.setAAD(assoc).setAuthTag(end);
      if (layout.order === ETM)
        assert.deepEqual(this.#mac(assoc, left.subarray(header.length, textEnd)), end);
      let text = Buffer.concat([engine.update(left.subarray(explicitEnd, textEnd)), engine.final()]);
      if (layout.padding) text = text.subarray(0, text.length - text.at(-1)! - 1);
      if (layout.order === MTE) {
        const payload = text.subarray(0, -tag);
        assert.deepEqual(this.#mac(assoc, payload), text.subarray(-tag));
        text = payload;
      }
      out.push(text);
      this.sequence++;
      left = left.subarray(total);
    }
    return out;
  }
}

for (const frame of frames) {
  test(`${frame.name}: written`, async () => {
    const oracle = new Oracle(frame);
    await driver.connect();
    assert.equal(await driver.arm(packInfo(oracle.info(WRITE))), 0);
    for (const size of [1, 15, 16, 1000, 16_384, 20_000]) {
      const data = random.bytes(size);
      assert.equal(await driver.send(data), size);
      assert.ok(Buffer.concat(oracle.openAll((await driver.drain()).data)).equals(data));
    }
    assert.equal(await driver.send('x', { type: 21 }), errno.EINVAL);
  });

  test(`${frame.name}: read`, async () => {
    const oracle = new Oracle(frame);
    await driver.connect();
    assert.equal(await driver.arm(packInfo(oracle.info(READ))), 0);
    for (const size of [1, 15, 16, 1000, 16_384]) {
      const data = random.bytes(size);
      await driver.wire(oracle.seal(data));
      const got = await driver.recv();
      assert.deepEqual([got.result, got.type], [size, -1]);
      assert.ok(got.data.equals(data));
    }
    const bad = oracle.seal(random.bytes(30));
    for (let at = 0; at < bad.length; at++) {
      assert.equal(await driver.number('poll', 'a'), POLLOUT);
      await driver.wire(at === bad.length - 1 ? Buffer.of(bad[at]! ^ 1) : bad.subarray(at, at + 1));
    }
    assert.equal((await driver.recv()).result, errno.EBADMSG);
  });
}

test('new keys, and no new layout: bytes of a frame that are here already might not fit', async () => {
  const frame = frames.find(({ name }) => name.startsWith('CTR, MAC-then-encrypt'))!;
  const long = { ...frame, layout: { ...frame.layout, header: Buffer.alloc(32), assocEnd: 32 } };
  const [old, next, other] = [new Oracle(long), new Oracle(long), new Oracle({ ...frame, tag: 10 })];
  await driver.connect();
  assert.equal(await driver.arm(packInfo(old.info(READ))), 0);
  const sealed = next.seal(Buffer.from('under new keys'));
  next.sequence--;
  await driver.wire(sealed.subarray(0, 32));
  assert.equal((await driver.recv(1, { flags: MSG.dontwait })).result, errno.EAGAIN);
  assert.equal(await driver.arm(packInfo({ ...other.info(READ), operation: REKEY })), errno.EINVAL);
  assert.equal(await driver.arm(packInfo({ ...next.info(READ), operation: REKEY })), 0);
  await driver.wire(sealed.subarray(32));
  assert.equal((await driver.recv()).data.toString(), 'under new keys');
});
