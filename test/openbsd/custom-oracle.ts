// SPDX-License-Identifier: MIT
// Frames given by offsets, from the description of struct so_crypt_layout, on node:crypto.
import { createCipheriv, createHmac, randomBytes } from 'node:crypto';

export interface CustomLayout {
  header: Buffer;
  lengthOffset: number;
  lengthSize: number;
  lengthBias: number;
  nonce: 'xor' | 'counter' | 'random';
  order: 'aead' | 'mte' | 'etm';
  padding: boolean;
  assocSequence: 0 | 4 | 8;
  assocStart: number;
  assocEnd: number;
}

export interface CustomKeys {
  layout: CustomLayout;
  cipher: string; // of node:crypto
  digest?: string;
  tag: number;
  key: Buffer;
  macKey: Buffer;
  iv: Buffer;
  sequence: bigint;
}

/** The bytes of struct so_crypt_layout. */
export function packCustom(l: CustomLayout, block: number): Buffer {
  const out = Buffer.alloc(64);
  l.header.copy(out);
  out[32] = l.header.length;
  out[33] = l.lengthOffset;
  out[34] = l.lengthSize;
  out[35] = { xor: 0, counter: 1, random: 2 }[l.nonce];
  out.writeUInt32LE(l.lengthBias, 36);
  out[40] = { xor: 12, counter: 4, random: 0 }[l.nonce];
  out[41] = { xor: 0, counter: 8, random: block }[l.nonce];
  out[42] = { aead: 0, mte: 1, etm: 2 }[l.order];
  out[43] = l.padding ? 1 : 0;
  out[44] = l.assocSequence;
  out[45] = l.assocStart;
  out[46] = l.assocEnd;
  return out;
}

/** One frame. */
export function sealCustom(keys: CustomKeys, sequence: bigint, payload: Buffer, block: number): Buffer {
  const { layout: l, cipher, key, macKey, tag } = keys;
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(sequence);
  const explicit =
    l.nonce === 'random' ? randomBytes(block) : l.nonce === 'counter' ? number : Buffer.alloc(0);
  let iv = l.nonce === 'random' ? explicit : Buffer.concat([keys.iv, explicit]);
  if (l.nonce === 'xor') {
    iv = Buffer.from(keys.iv);
    for (let i = 0; i < 8; i++) iv[4 + i]! ^= number[i]!;
  }
  if (cipher.endsWith('ctr')) iv = Buffer.concat([iv, Buffer.of(0, 0, 0, 1)]);
  const padded = (length: number) => {
    const count = l.padding ? block - (length % block) : 0;
    return Buffer.alloc(count, count - 1);
  };
  const body = explicit.length + payload.length + tag;
  const extra = l.padding ? padded(payload.length + (l.order === 'mte' ? tag : 0)).length : 0;
  const header = Buffer.from(l.header);
  header.writeUIntBE(header.length + body + extra - l.lengthBias, l.lengthOffset, l.lengthSize);
  const assoc = Buffer.concat([
    number.subarray(8 - l.assocSequence),
    header.subarray(l.assocStart, l.assocEnd),
  ]);
  const mac = (...parts: Buffer[]) =>
    createHmac(keys.digest!, macKey)
      .update(Buffer.concat([assoc, ...parts]))
      .digest()
      .subarray(0, tag);
  const crypt = (text: Buffer) => createCipheriv(cipher, key, iv).setAutoPadding(false).update(text);
  if (l.order === 'aead') {
    const seal = createCipheriv(cipher as 'aes-128-gcm', key, iv, { authTagLength: 16 });
    seal.setAAD(assoc);
    const text = Buffer.concat([seal.update(payload), seal.final()]);
    return Buffer.concat([header, explicit, text, seal.getAuthTag().subarray(0, tag)]);
  }
  if (l.order === 'mte') {
    const inner = Buffer.concat([payload, mac(payload)]);
    return Buffer.concat([header, explicit, crypt(Buffer.concat([inner, padded(inner.length)]))]);
  }
  const text = crypt(Buffer.concat([payload, padded(payload.length)]));
  return Buffer.concat([header, explicit, text, mac(explicit, text)]);
}
