// SPDX-License-Identifier: MIT
// SSH binary packets, from RFC 4253 6, RFC 4344 4, RFC 5647 and OpenSSH's PROTOCOL files, on node:crypto.
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

export interface SshKeys {
  cipher: 'gcm' | 'ctr' | 'cbc' | '3des' | 'chacha';
  mac?: { digest: string; length: number; etm: boolean };
  key: Buffer;
  iv: Buffer;
  macKey: Buffer;
  sequence: number;
}

const uint32 = (value: number) => {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value);
  return out;
};

/** RFC 8439 2.5, with numbers of any size. */
export function poly1305(key: Buffer, message: Buffer): Buffer {
  const little = (bytes: Buffer) => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex') || '0'}`);
  const r = little(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  const prime = (1n << 130n) - 5n;
  let sum = 0n;
  for (let at = 0; at < message.length; at += 16) {
    const block = message.subarray(at, at + 16);
    sum = ((sum + little(Buffer.concat([block, Buffer.of(1)]))) * r) % prime;
  }
  const tag = (sum + little(key.subarray(16, 32))) & ((1n << 128n) - 1n);
  return Buffer.from(tag.toString(16).padStart(32, '0'), 'hex').reverse();
}

/** ChaCha20 with a 64-bit counter and a 64-bit nonce: the packet's sequence number. */
function chacha(key: Buffer, sequence: number, counter: number, text: Buffer): Buffer {
  const iv = Buffer.alloc(16);
  iv.writeBigUInt64LE(BigInt(counter));
  iv.writeBigUInt64BE(BigInt(sequence), 8);
  return createCipheriv('chacha20', key, iv).update(text);
}

/** One direction, packet after packet. Only encrypts: the kernel's packets are opened by encrypting what they hold again. */
export class SshOracle {
  readonly #keys: SshKeys;
  #sequence: number;
  #iv: Buffer;

  constructor(keys: SshKeys) {
    this.#keys = keys;
    this.#sequence = keys.sequence;
    this.#iv = Buffer.from(keys.iv);
  }

  get block(): number {
    return this.#keys.cipher === 'chacha' || this.#keys.cipher === '3des' ? 8 : 16;
  }

  get #apart(): boolean {
    return this.#keys.mac === undefined || this.#keys.mac.etm;
  }

  /** A packet; padding is what is to be there instead of random bytes. */
  seal(payload: Buffer, padding = this.#padding(payload.length)): Buffer {
    const { cipher, key, mac, macKey } = this.#keys;
    const length = uint32(1 + payload.length + padding.length);
    const rest = Buffer.concat([Buffer.of(padding.length), payload, padding]);
    const sequence = this.#sequence;
    this.#sequence = (sequence + 1) >>> 0;
    if (cipher === 'gcm') {
      const seal = createCipheriv(key.length === 16 ? 'aes-128-gcm' : 'aes-256-gcm', key, this.#iv);
      seal.setAAD(length);
      const out = Buffer.concat([length, seal.update(rest), seal.final(), seal.getAuthTag()]);
      this.#iv.writeBigUInt64BE((this.#iv.readBigUInt64BE(4) + 1n) & 0xffffffffffffffffn, 4);
      return out;
    }
    if (cipher === 'chacha') {
      const head = chacha(key.subarray(32), sequence, 0, length);
      const body = chacha(key.subarray(0, 32), sequence, 1, rest);
      const poly = chacha(key.subarray(0, 32), sequence, 0, Buffer.alloc(32));
      return Buffer.concat([head, body, poly1305(poly, Buffer.concat([head, body]))]);
    }
    const tag = (...parts: Buffer[]) => {
      const hmac = createHmac(mac!.digest, macKey).update(uint32(sequence));
      for (const part of parts) hmac.update(part);
      return hmac.digest().subarray(0, mac!.length);
    };
    if (mac!.etm) {
      const body = this.#crypt(rest);
      return Buffer.concat([length, body, tag(length, body)]);
    }
    return Buffer.concat([this.#crypt(Buffer.concat([length, rest])), tag(length, rest)]);
  }

  #crypt(text: Buffer): Buffer {
    const { cipher, key } = this.#keys;
    const name = cipher === '3des' ? 'des-ede3-cbc' : `aes-${key.length * 8}-${cipher}`;
    const out = createCipheriv(name, key, this.#iv).setAutoPadding(false).update(text);
    if (cipher === 'ctr') {
      let counter = BigInt(`0x${this.#iv.toString('hex')}`) + BigInt(text.length / 16);
      counter &= (1n << 128n) - 1n;
      this.#iv = Buffer.from(counter.toString(16).padStart(32, '0'), 'hex');
    } else {
      this.#iv = Buffer.from(out.subarray(-this.block));
    }
    return out;
  }

  #padding(length: number): Buffer {
    const used = (this.#apart ? 0 : 4) + 1 + length;
    let count = this.block - (used % this.block);
    if (count < 4) count += this.block;
    return randomBytes(count);
  }

  /** Opens one packet off the front of wire. */
  open(wire: Buffer): { payload: Buffer; rest: Buffer; padding: Buffer } {
    const { cipher, key, mac } = this.#keys;
    let length = wire.subarray(0, 4);
    if (cipher === 'chacha') length = chacha(key.subarray(32), this.#sequence, 0, length);
    else if (!this.#apart) length = this.#decrypt(wire.subarray(0, 16)).subarray(0, 4);
    const n = length.readUInt32BE();
    const end = 4 + n + (mac?.length ?? 16);
    let rest: Buffer;
    if (cipher === 'chacha') rest = chacha(key.subarray(0, 32), this.#sequence, 1, wire.subarray(4, 4 + n));
    else if (cipher === 'gcm') {
      const open = createDecipheriv(key.length === 16 ? 'aes-128-gcm' : 'aes-256-gcm', key, this.#iv);
      rest = open.update(wire.subarray(4, 4 + n));
    } else if (this.#apart) rest = this.#decrypt(wire.subarray(4, 4 + n));
    else rest = this.#decrypt(wire.subarray(0, 4 + n)).subarray(4);
    const padding = rest.subarray(rest.length - rest[0]!);
    const payload = rest.subarray(1, rest.length - padding.length);
    // Genuine if sealing gives the same packet.
    if (!this.seal(payload, padding).equals(wire.subarray(0, end)))
      throw new Error('not what the oracle seals');
    return { payload, padding, rest: wire.subarray(end) };
  }

  #decrypt(text: Buffer): Buffer {
    const { cipher, key } = this.#keys;
    const name = cipher === '3des' ? 'des-ede3-cbc' : `aes-${key.length * 8}-${cipher}`;
    return createDecipheriv(name, key, this.#iv).setAutoPadding(false).update(text);
  }
}
