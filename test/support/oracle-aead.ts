import {
  type CipherCCMTypes,
  type CipherChaCha20Poly1305Types,
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
} from 'node:crypto';
import type { CipherName } from '../../lib/crypt-options.js';
import { bytes, header, type Knobs, type OpenedRecord, type OracleKeys, wireVersion } from './oracle-keys.js';

/** Bytes of the tag. */
export function tagLength(cipher: CipherName): number {
  return cipher.endsWith('ccm8') ? 8 : 16;
}

export function isAead(cipher: CipherName): boolean {
  return /gcm|ccm|poly1305/.test(cipher);
}

/** One AEAD encryption: ciphertext, then tag. */
export function aeadSeal(
  cipher: CipherName,
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  text: Uint8Array,
): Buffer {
  const options = { authTagLength: tagLength(cipher) };
  const plaintextLength = text.length;
  if (cipher.includes('ccm')) {
    const seal = createCipheriv(cipher.replace('ccm8', 'ccm') as CipherCCMTypes, key, nonce, options);
    seal.setAAD(aad, { plaintextLength });
    return Buffer.concat([seal.update(text), seal.final(), seal.getAuthTag()]);
  }
  const seal = cipher.includes('poly')
    ? createCipheriv(cipher as CipherChaCha20Poly1305Types, key, nonce, options)
    : createCipheriv(cipher as CipherGCMTypes, key, nonce, options);
  seal.setAAD(aad, { plaintextLength });
  return Buffer.concat([seal.update(text), seal.final(), seal.getAuthTag()]);
}

/** The reverse of {@link aeadSeal}; throws when the tag is wrong. */
export function aeadOpen(
  cipher: CipherName,
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  sealed: Buffer,
): Buffer {
  const length = tagLength(cipher);
  const options = { authTagLength: length };
  const text = sealed.subarray(0, sealed.length - length);
  const plaintextLength = text.length;
  if (cipher.includes('ccm')) {
    const open = createDecipheriv(cipher.replace('ccm8', 'ccm') as CipherCCMTypes, key, nonce, options);
    open.setAuthTag(sealed.subarray(-length));
    open.setAAD(aad, { plaintextLength });
    return Buffer.concat([open.update(text), open.final()]);
  }
  const open = cipher.includes('poly')
    ? createDecipheriv(cipher as CipherChaCha20Poly1305Types, key, nonce, options)
    : createDecipheriv(cipher as CipherGCMTypes, key, nonce, options);
  open.setAuthTag(sealed.subarray(-length));
  open.setAAD(aad, { plaintextLength });
  return Buffer.concat([open.update(text), open.final()]);
}

/** RFC 8446 5.3: the IV XOR the sequence number. */
export function xorNonce(iv: Uint8Array, sequence: bigint): Buffer {
  const nonce = Buffer.from(iv);
  bytes(sequence, 12).forEach((byte, i) => {
    nonce[i]! ^= byte;
  });
  return nonce;
}

function hasExplicitNonce(keys: OracleKeys): boolean {
  return keys.protocol === 'tls1.2' && !keys.cipher.includes('poly');
}

/** RFC 8446 5.2. */
export function sealTls13(
  keys: OracleKeys,
  sequence: bigint,
  type: number,
  text: Uint8Array,
  knobs: Knobs,
): Buffer {
  const inner = Buffer.concat([
    text,
    Buffer.from(knobs.noType ? [] : [type]),
    Buffer.alloc(knobs.zeros ?? 0),
  ]);
  const head = header(knobs.outerType ?? 23, knobs.version ?? 0x0303, inner.length + tagLength(keys.cipher));
  return Buffer.concat([head, aeadSeal(keys.cipher, keys.key, xorNonce(keys.iv!, sequence), head, inner)]);
}

export function openTls13(keys: OracleKeys, sequence: bigint, record: Buffer): OpenedRecord {
  const head = record.subarray(0, 5);
  if (head[0] !== 23 || head.readUInt16BE(1) !== 0x0303)
    throw new Error(`not a TLS 1.3 record: ${head.toString('hex')}`);
  const inner = aeadOpen(keys.cipher, keys.key, xorNonce(keys.iv!, sequence), head, record.subarray(5));
  let end = inner.length;
  while (end > 0 && inner[end - 1] === 0) end--;
  if (end === 0) throw new Error('no content type');
  return { type: inner[end - 1]!, plaintext: inner.subarray(0, end - 1), explicit: Buffer.alloc(0) };
}

/** RFC 5246 6.2.3.3, RFC 5288 3, RFC 6655 3, RFC 7905 2. */
export function sealTls12(
  keys: OracleKeys,
  sequence: bigint,
  type: number,
  text: Uint8Array,
  knobs: Knobs,
): Buffer {
  const explicit = hasExplicitNonce(keys) ? bytes(knobs.explicitNonce ?? sequence, 8) : Buffer.alloc(0);
  const nonce = hasExplicitNonce(keys) ? Buffer.concat([keys.iv!, explicit]) : xorNonce(keys.iv!, sequence);
  const version = knobs.version ?? 0x0303;
  const outer = knobs.outerType ?? type;
  const aad = Buffer.concat([bytes(sequence, 8), header(type, 0x0303, text.length)]);
  const sealed = aeadSeal(keys.cipher, keys.key, nonce, aad, text);
  return Buffer.concat([header(outer, version, explicit.length + sealed.length), explicit, sealed]);
}

export function openTls12(keys: OracleKeys, sequence: bigint, record: Buffer): OpenedRecord {
  if (record.readUInt16BE(1) !== wireVersion(keys.protocol)) throw new Error('wrong version');
  const explicit = record.subarray(5, hasExplicitNonce(keys) ? 13 : 5);
  const sealed = record.subarray(5 + explicit.length);
  const nonce = explicit.length > 0 ? Buffer.concat([keys.iv!, explicit]) : xorNonce(keys.iv!, sequence);
  const aad = Buffer.concat([
    bytes(sequence, 8),
    header(record[0]!, 0x0303, sealed.length - tagLength(keys.cipher)),
  ]);
  return { type: record[0]!, plaintext: aeadOpen(keys.cipher, keys.key, nonce, aad, sealed), explicit };
}
