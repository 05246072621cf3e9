import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import type { CipherName, MacName } from '../../lib/crypt-options.js';
import { bytes, header, type Knobs, type OpenedRecord, type OracleKeys, wireVersion } from './oracle-keys.js';

export function blockLength(cipher: CipherName): number {
  return cipher === 'des-ede3-cbc' ? 8 : 16;
}

/** Bytes of the MAC. */
export function macLength(mac: MacName): number {
  return { 'hmac-sha1': 20, 'hmac-sha256': 32, 'hmac-sha384': 48 }[mac];
}

export function hmac(mac: MacName, key: Uint8Array, ...parts: Uint8Array[]): Buffer {
  const computation = createHmac(mac.slice('hmac-'.length), key);
  for (const part of parts) computation.update(part);
  return computation.digest();
}

/** Encrypts whole blocks (CBC), or any number of bytes (CTR). */
export function encrypt(cipher: CipherName, key: Uint8Array, iv: Uint8Array, text: Uint8Array): Buffer {
  const computation = createCipheriv(cipher, key, iv);
  computation.setAutoPadding(false);
  return Buffer.concat([computation.update(text), computation.final()]);
}

export function decrypt(cipher: CipherName, key: Uint8Array, iv: Uint8Array, text: Uint8Array): Buffer {
  const computation = createDecipheriv(cipher, key, iv);
  computation.setAutoPadding(false);
  return Buffer.concat([computation.update(text), computation.final()]);
}

function makePadding(block: number, length: number, knobs: Knobs): Buffer {
  const count = block - (length % block) + (knobs.extraBlocks ?? 0) * block;
  return Buffer.from(knobs.padding?.(count) ?? Buffer.alloc(count, count - 1));
}

/** Where CBC keeps its IV between records: in TLS 1.0 it is the last block of the record before. */
export class CbcOracle {
  readonly #keys: OracleKeys;
  #chained: Buffer;

  constructor(keys: OracleKeys) {
    this.#keys = keys;
    this.#chained = Buffer.from(keys.iv ?? []);
  }

  /** RFC 2246, 4346 and 5246 6.2.3.2; RFC 7366 3. */
  seal(sequence: bigint, type: number, text: Uint8Array, knobs: Knobs): Buffer {
    const { protocol, cipher, key, macKey, mac, encryptThenMac } = this.#keys;
    const block = blockLength(cipher);
    const version = wireVersion(protocol);
    const explicit =
      protocol === 'tls1.0' ? Buffer.alloc(0) : Buffer.from(knobs.explicitIv ?? randomBytes(block));
    const iv = protocol === 'tls1.0' ? this.#chained : explicit;
    const spoil = (tag: Buffer) => {
      if (knobs.badMac) tag[0]! ^= 1;
      return tag;
    };
    let body: Buffer;
    if (encryptThenMac) {
      const padding = makePadding(block, text.length, knobs);
      const sealed = Buffer.concat([explicit, encrypt(cipher, key, iv, Buffer.concat([text, padding]))]);
      this.#chained = sealed.subarray(-block);
      body = Buffer.concat([
        sealed,
        spoil(this.#mac(sequence, header(type, version, sealed.length), sealed)),
      ]);
    } else {
      const tag = spoil(hmac(mac!, macKey!, bytes(sequence, 8), header(type, version, text.length), text));
      const padding = makePadding(block, text.length + tag.length, knobs);
      body = Buffer.concat([explicit, encrypt(cipher, key, iv, Buffer.concat([text, tag, padding]))]);
      this.#chained = body.subarray(-block);
    }
    return Buffer.concat([header(knobs.outerType ?? type, knobs.version ?? version, body.length), body]);
  }

  open(sequence: bigint, record: Buffer): OpenedRecord {
    const { protocol, cipher, key, mac, encryptThenMac } = this.#keys;
    const block = blockLength(cipher);
    const version = wireVersion(protocol);
    if (record.readUInt16BE(1) !== version) throw new Error('wrong version');
    const type = record[0]!;
    let body = record.subarray(5);
    if (encryptThenMac) {
      const tag = body.subarray(-macLength(mac!));
      body = body.subarray(0, body.length - tag.length);
      if (!this.#mac(sequence, header(type, version, body.length), body).equals(tag))
        throw new Error('bad MAC');
    }
    const explicit = body.subarray(0, protocol === 'tls1.0' ? 0 : block);
    const iv = protocol === 'tls1.0' ? this.#chained : explicit;
    const ciphertext = body.subarray(explicit.length);
    let text = decrypt(cipher, key, iv, ciphertext);
    this.#chained = ciphertext.subarray(-block);
    const last = text[text.length - 1]!;
    if (text.subarray(-last - 1).some((byte) => byte !== last)) throw new Error('bad padding');
    text = text.subarray(0, text.length - last - 1);
    if (encryptThenMac) return { type, plaintext: text, explicit };
    const tag = text.subarray(-macLength(mac!));
    text = text.subarray(0, text.length - tag.length);
    if (!this.#mac(sequence, header(type, version, text.length), text).equals(tag))
      throw new Error('bad MAC');
    return { type, plaintext: text, explicit };
  }

  #mac(sequence: bigint, head: Buffer, data: Buffer): Buffer {
    return hmac(this.#keys.mac!, this.#keys.macKey!, bytes(sequence, 8), head, data);
  }
}
