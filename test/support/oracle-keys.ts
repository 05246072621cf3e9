import type { CipherName, MacName, Protocol } from '../../lib/crypt-options.js';

/** What a record oracle needs to know of one direction; all lengths as in `DirectionKeys`. */
export interface OracleKeys {
  readonly protocol: Protocol;
  readonly cipher: CipherName;
  readonly mac?: MacName | undefined;
  readonly encryptThenMac?: boolean | undefined;
  readonly key: Uint8Array;
  readonly iv?: Uint8Array | undefined;
  readonly macKey?: Uint8Array | undefined;
  readonly sequence?: bigint | number | undefined;
}

/** How to spoil a record, or to make an unusual one. */
export interface Knobs {
  /** Version in the header. */
  version?: number;
  /** Content type in the header; TLS 1.3: the outer one. */
  outerType?: number;
  /** TLS 1.3: bytes of zeros after the content type. */
  zeros?: number;
  /** TLS 1.3: leave out the inner content type: all zeros. */
  noType?: boolean;
  /** CBC: whole blocks of padding more than needed (at most 255 bytes of padding in all). */
  extraBlocks?: number;
  /** CBC: number of padding bytes, and what they are instead of the length. */
  padding?: (length: number) => Uint8Array;
  /** CBC: spoil the MAC before encryption. */
  badMac?: boolean;
  /** TLS 1.2 GCM and CCM: the explicit part of the nonce. Default the sequence number. */
  explicitNonce?: bigint;
  /** CBC in TLS 1.1 and 1.2: the IV. Default random. */
  explicitIv?: Uint8Array;
  /** Use another sequence number, and do not count this record. */
  sequence?: bigint;
}

/** A record as it was found. */
export interface OpenedRecord {
  /** Content type; in TLS 1.3 the inner one. */
  readonly type: number;
  readonly plaintext: Buffer;
  /** The explicit nonce or IV, if the record has one. */
  readonly explicit: Buffer;
}

export const contentType = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;

const wireVersions: Record<Protocol, number> = {
  'tls1.0': 0x0301,
  'tls1.1': 0x0302,
  'tls1.2': 0x0303,
  'tls1.3': 0x0303,
};

/** The version that the protocol's records carry. */
export function wireVersion(protocol: Protocol): number {
  return wireVersions[protocol];
}

/** Big-endian bytes. */
export function bytes(value: bigint | number, size: number): Buffer {
  const hex = BigInt.asUintN(size * 8, BigInt(value))
    .toString(16)
    .padStart(size * 2, '0');
  return Buffer.from(hex, 'hex');
}

/** type, version and length. */
export function header(type: number, version: number, length: number): Buffer {
  return Buffer.concat([bytes(type, 1), bytes(version, 2), bytes(length, 2)]);
}
