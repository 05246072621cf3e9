import type { CipherName, MacName, Protocol } from '../../../lib/crypt-options.js';
import type { OracleKeys } from '../../support/oracle-keys.js';

/** Field for field struct so_crypt_layout. */
export interface LayoutFields {
  header: Uint8Array;
  headerLen?: number;
  lengthOffset: number;
  lengthSize: number;
  nonce: number;
  lengthBias: number;
  fixedIv: number;
  explicitIv: number;
  order: number;
  padding: number;
  assocSequence: number;
  assocStart: number;
  assocEnd: number;
}

/** Field for field struct so_crypt_info; what is not given is 0. */
export interface InfoFields {
  operation?: number;
  direction?: number;
  protocol: number;
  flags?: number;
  maxPayload?: number;
  depth?: number;
  tagLen?: number;
  key: Uint8Array;
  macKey?: Uint8Array | undefined;
  iv?: Uint8Array | undefined;
  sequence?: bigint;
  limit?: bigint;
  cipher: string;
  mac?: string;
  layout?: LayoutFields;
}

export const INFO_SIZE = 384;
export const ARM = 1;
export const REKEY = 2;
export const WRITE = 1;
export const READ = 2;
export const ETM = 1;
export const SSH = 5;
export const CUSTOM = 255;
export const protocols: Record<Protocol, number> = { 'tls1.0': 1, 'tls1.1': 2, 'tls1.2': 3, 'tls1.3': 4 };

/** The bytes that setsockopt takes. */
export function packInfo(fields: InfoFields): Buffer {
  const out = Buffer.alloc(INFO_SIZE);
  out[0] = fields.operation ?? ARM;
  out[1] = fields.direction ?? WRITE;
  out[2] = fields.protocol;
  out[3] = fields.flags ?? 0;
  out.writeUInt32LE(fields.maxPayload ?? 0, 4);
  out.writeUInt16LE(fields.depth ?? 0, 8);
  out[10] = fields.tagLen ?? 0;
  out[11] = fields.key.length;
  out[12] = fields.macKey?.length ?? 0;
  out[13] = fields.iv?.length ?? 0;
  out.writeBigUInt64LE(fields.sequence ?? 0n, 16);
  out.writeBigUInt64LE(fields.limit ?? 0n, 24);
  out.write(fields.cipher, 32, 'latin1');
  out.write(fields.mac ?? '', 96, 'latin1');
  out.set(fields.key, 160);
  out.set(fields.macKey ?? [], 224);
  out.set(fields.iv ?? [], 288);
  if (fields.layout) packLayout(fields.layout, out.subarray(304));
  return out;
}

function packLayout(layout: LayoutFields, out: Buffer): void {
  out.set(layout.header, 0);
  out[32] = layout.headerLen ?? layout.header.length;
  out[33] = layout.lengthOffset;
  out[34] = layout.lengthSize;
  out[35] = layout.nonce;
  out.writeUInt32LE(layout.lengthBias, 36);
  out.set([layout.fixedIv, layout.explicitIv, layout.order, layout.padding], 40);
  out.set([layout.assocSequence, layout.assocStart, layout.assocEnd], 44);
}

const ciphers: Record<CipherName, string> = {
  'aes-128-gcm': 'gcm(aes)',
  'aes-256-gcm': 'gcm(aes)',
  'aes-128-ccm': 'ccm(aes)',
  'aes-256-ccm': 'ccm(aes)',
  'aes-128-ccm8': 'ccm(aes)',
  'aes-256-ccm8': 'ccm(aes)',
  'chacha20-poly1305': 'rfc7539(chacha20,poly1305)',
  'aes-128-cbc': 'cbc(aes)',
  'aes-256-cbc': 'cbc(aes)',
  'des-ede3-cbc': 'cbc(des3_ede)',
  'aes-128-ctr': 'ctr(aes)',
  'aes-256-ctr': 'ctr(aes)',
};

export const macs: Record<MacName, string> = {
  'hmac-sha1': 'hmac(sha1)',
  'hmac-sha256': 'hmac(sha256)',
  'hmac-sha384': 'hmac(sha384)',
};

/** What arms a direction with the keys of an oracle. */
export function infoOf(keys: OracleKeys, direction: number, more: Partial<InfoFields> = {}): InfoFields {
  const cbc = keys.cipher.endsWith('cbc');
  return {
    protocol: protocols[keys.protocol],
    direction,
    flags: keys.encryptThenMac ? ETM : 0,
    tagLen: keys.cipher.endsWith('ccm8') ? 8 : 0,
    key: keys.key,
    macKey: keys.macKey,
    iv: cbc && keys.protocol !== 'tls1.0' ? undefined : keys.iv,
    sequence: BigInt(keys.sequence ?? 0),
    cipher: ciphers[keys.cipher],
    mac: keys.mac ? macs[keys.mac] : '',
    ...more,
  };
}

/** One direction of getsockopt's struct so_crypt_status. */
export interface Status {
  state: number;
  protocol: number;
  error: number;
  maxPayload: number;
  depth: number;
  inFlight: number;
  sequence: bigint;
  frames: bigint;
  limit: bigint;
  cipher: string;
  driver: string;
  mac: string;
}

export function unpackStatus(all: Buffer, direction: number): Status {
  const from = all.subarray(direction === WRITE ? 0 : 232);
  const text = (at: number) => from.toString('latin1', at, from.indexOf(0, at));
  return {
    state: from[0]!,
    protocol: from[1]!,
    error: from.readUInt32LE(4),
    maxPayload: from.readUInt32LE(8),
    depth: from.readUInt16LE(12),
    inFlight: from.readUInt16LE(14),
    sequence: from.readBigUInt64LE(16),
    frames: from.readBigUInt64LE(24),
    limit: from.readBigUInt64LE(32),
    cipher: text(40),
    driver: text(104),
    mac: text(168),
  };
}
