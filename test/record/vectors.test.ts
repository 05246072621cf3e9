import assert from 'node:assert/strict';
import type { CryptOptions } from '../../lib/crypt-options.js';
import type { FrameLayout } from '../../lib/frame-layout.js';
import { able, testWhere } from '../support/engine.js';
import { decrypt, encrypt, hmac } from '../support/oracle-cbc.js';
import { bytes } from '../support/oracle-keys.js';
import { flipBit } from '../support/records.js';
import { connectedPair, Recorder, until } from '../support/sockets.js';
import { aeadVectors } from '../vectors/aead.js';
import { cbcVectors } from '../vectors/cbc.js';
import { ctrVectors } from '../vectors/ctr.js';
import { hmacVectors } from '../vectors/hmac.js';

// The vectors go through custom layouts.
const test = testWhere(able.carryCustomFrames);

const hex = (text: string) => Buffer.from(text, 'hex');

// Frames of a protocol made up for the vectors: their whole length in two bytes, other header bytes, then
// what the layout says.
function frameOf(headerRest: Buffer, ...parts: Buffer[]): Buffer {
  const rest = Buffer.concat([headerRest, ...parts]);
  return Buffer.concat([bytes(2 + rest.length, 2), rest]);
}

const length = { offset: 0, size: 2, bias: 0 } as const;

type Options = Omit<CryptOptions, 'read' | 'write'>;
type Keys = NonNullable<CryptOptions['read']>;

async function checkOpening(options: Options, keys: Keys, frame: Buffer, plaintext: Buffer): Promise<void> {
  const { ours, peer } = await connectedPair();
  const read = new Recorder(ours);
  ours.setCrypt({ ...options, read: keys });
  peer.write(frame);
  await until(() => ours.crypt?.read?.sequence === 1n || read.errors.length > 0, 'the frame is opened');
  await until(() => read.length >= plaintext.length || read.errors.length > 0, 'all of it is read');
  assert.deepEqual(read.errors, []);
  assert.deepEqual(read.bytes, plaintext);
}

async function checkRefusal(options: Options, keys: Keys, frame: Buffer): Promise<void> {
  const { ours, peer } = await connectedPair();
  const read = new Recorder(ours);
  ours.setCrypt({ ...options, read: keys });
  peer.write(frame);
  await until(() => read.closed, 'the socket is closed');
  assert.equal((read.errors[0] as NodeJS.ErrnoException | undefined)?.code, 'ERR_SO_CRYPT_BAD_RECORD_MAC');
  assert.equal(read.length, 0);
}

async function checkSealing(options: Options, keys: Keys, plaintext: Buffer, frame: Buffer): Promise<void> {
  const { ours, peer } = await connectedPair();
  const wire = new Recorder(peer);
  ours.setCrypt({ ...options, write: keys });
  ours.write(plaintext);
  await until(() => wire.length >= frame.length, 'the frame is on the wire');
  assert.deepEqual(wire.bytes, frame);
}

for (const vector of aeadVectors) {
  test(`${vector.cipher}: ${vector.source}`, async () => {
    const aad = hex(vector.aad);
    const layout: FrameLayout = {
      header: Buffer.concat([Buffer.alloc(2), aad]),
      length,
      iv: { fixed: 12, explicit: 0, xorSequence: true }, // of sequence number 0: the IV itself
      aad: { start: 2, end: 2 + aad.length },
    };
    const options = { frame: layout, cipher: vector.cipher };
    const keys = { key: hex(vector.key), iv: hex(vector.iv) };
    const frame = frameOf(aad, hex(vector.ciphertext), hex(vector.tag));
    const plaintext = hex(vector.plaintext);
    await checkOpening(options, keys, frame, plaintext);
    await checkRefusal(options, keys, flipBit(frame, frame.length * 8 - 1));
    if (plaintext.length > 0) await checkSealing(options, keys, plaintext, frame);
  });
}

// The IV of a CBC frame is random when it is sealed, so that the vectors serve opening only. A frame's
// plaintext has to end with padding, or with MAC and padding: that is more ciphertext behind the vector's.
for (const vector of cbcVectors) {
  const [key, iv, ciphertext, plaintext] = [vector.key, vector.iv, vector.ciphertext, vector.plaintext].map(
    hex,
  );
  const block = iv!.length;
  const header = Buffer.alloc(2);
  const macKey = hex('0102030405060708090a0b0c0d0e0f1011121314');
  const after = (text: Buffer) => encrypt(vector.cipher, key!, ciphertext!.subarray(-block), text);
  const layout = (order: 'mac-then-encrypt' | 'encrypt-then-mac'): FrameLayout => ({
    header,
    length,
    iv: { fixed: 0, explicit: block },
    mac: { order, start: 2 },
  });

  test(`${vector.cipher}, encrypt-then-MAC: ${vector.source}`, async () => {
    const sealed = Buffer.concat([iv!, ciphertext!, after(Buffer.alloc(block, block - 1))]);
    const frame = frameOf(Buffer.alloc(0), sealed, hmac('hmac-sha1', macKey, bytes(0, 8), sealed));
    const options = { frame: layout('encrypt-then-mac'), cipher: vector.cipher, mac: 'hmac-sha1' } as const;
    await checkOpening(options, { key: key!, macKey }, frame, plaintext!);
  });

  test(`${vector.cipher}, MAC-then-encrypt: ${vector.source}`, async () => {
    const tag = hmac('hmac-sha1', macKey, bytes(0, 8), plaintext!);
    const count = block - (tag.length % block);
    const frame = frameOf(
      Buffer.alloc(0),
      iv!,
      ciphertext!,
      after(Buffer.concat([tag, Buffer.alloc(count, count - 1)])),
    );
    const options = { frame: layout('mac-then-encrypt'), cipher: vector.cipher, mac: 'hmac-sha1' } as const;
    await checkOpening(options, { key: key!, macKey }, frame, plaintext!);
  });
}

const ctrLayout = (sequence: 0 | 8): FrameLayout => ({
  header: Buffer.alloc(2),
  length,
  iv: { fixed: 4, explicit: 8 },
  mac: { order: 'encrypt-then-mac', start: 2, sequence },
});

// RFC 3686 counts a message's blocks from 1 in the last 4 bytes, and so does the library; SP 800-38A's
// example begins elsewhere.
for (const vector of ctrVectors.filter(({ iv }) => iv.endsWith('00000001'))) {
  test(`${vector.cipher}: ${vector.source}`, async () => {
    const [iv, macKey] = [hex(vector.iv), hex('0102030405060708090a0b0c0d0e0f10')];
    const explicit = iv.subarray(4, 12);
    const sealed = Buffer.concat([explicit, hex(vector.ciphertext)]);
    const frame = frameOf(Buffer.alloc(0), sealed, hmac('hmac-sha256', macKey, bytes(0, 8), sealed));
    const options = { frame: ctrLayout(8), cipher: vector.cipher, mac: 'hmac-sha256' } as const;
    const keys = { key: hex(vector.key), iv: iv.subarray(0, 4), macKey };
    await checkOpening(options, keys, frame, hex(vector.plaintext));
    const explicitNonce = explicit.readBigUInt64BE();
    await checkSealing(options, { ...keys, explicitNonce }, hex(vector.plaintext), frame);
  });
}

// The MAC covers the explicit nonce and the ciphertext: the vector's data, whatever it is the ciphertext of.
// The library takes MAC keys of at most 128 bytes, RFC 4231 has two of 131.
for (const vector of hmacVectors.filter(({ key }) => key.length <= 256)) {
  test(`${vector.mac}: ${vector.source}`, async () => {
    const [key, salt, data] = [Buffer.alloc(16, 7), Buffer.alloc(4, 5), hex(vector.data)];
    const counter = Buffer.concat([salt, data.subarray(0, 8), bytes(1, 4)]);
    const plaintext = decrypt('aes-128-ctr', key, counter, data.subarray(8));
    const frame = frameOf(Buffer.alloc(0), data, hex(vector.digest));
    const options = { frame: ctrLayout(0), cipher: 'aes-128-ctr', mac: vector.mac } as const;
    const keys = { key, iv: salt, macKey: hex(vector.key) };
    await checkOpening(options, keys, frame, plaintext);
    await checkRefusal(options, keys, flipBit(frame, frame.length * 8 - 1));
    const explicitNonce = data.readBigUInt64BE();
    if (plaintext.length > 0) await checkSealing(options, { ...keys, explicitNonce }, plaintext, frame);
  });
}
