import type { PackedLayout } from './layouts.js';

/** One direction's keys and framing, as `new Sealer` and `new Opener` take it. */
export interface DirectionSpec {
  /** What does the cipher; default `evp`. */
  provider?: 'evp' | 'af_alg' | 'cryptodev';
  /** af_alg: the kernel's name of a driver or algorithm; cryptodev: of a driver, '' for its choice. */
  driver?: string | undefined;
  layout: PackedLayout;
  cipher: string;
  mac: string | undefined;
  /** Empty: derived from the secret. */
  key: Uint8Array;
  iv: Uint8Array;
  /** TLS 1.3 traffic secret, 32 or 48 bytes; empty where it is not known. */
  secret: Uint8Array;
  macKey: Uint8Array;
  sequence: bigint;
  explicitCounter: bigint;
  /** Frames allowed under one key. */
  limit: number;
}

/** What connections with evp have in common whose keys follow from a TLS 1.3 traffic secret. */
export interface DirectionPattern {
  readonly nothing?: never;
}

export interface SealerSpec extends DirectionSpec {
  /** In place of all but secret and sequence. */
  pattern?: DirectionPattern;
  maxFragment: number;
  padTo: number;
  splitFirst: boolean;
}

export interface OpenerSpec extends DirectionSpec {
  /** In place of all but secret and sequence. */
  pattern?: DirectionPattern;
  /** Content type that is data, 0 where the layout has none. */
  applicationType: number;
}

interface NativeDirection {
  readonly sequence: bigint;
  /** Frames under the present key. */
  readonly frames: number;
  /** Fingerprints, 16 bytes each, of all keys that the direction has had. */
  readonly usedKeys: Uint8Array;
  /** Goes over to the next key (RFC 8446 7.2). False: there is no traffic secret, or the provider failed. */
  updateKey(): boolean;
  /** Wipes the keys; nothing can be sealed or opened afterwards. */
  dispose(): void;
}

/** A direction's key and where it stands. The Buffers are copies, to be wiped by whoever asked for them. */
export interface ExportedKeys {
  key: Buffer;
  iv: Buffer;
  secret: Buffer;
  /** Of the next frame. */
  sequence: bigint;
  explicitCounter: bigint;
}

export interface Sealer extends NativeDirection {
  /** For another engine that goes on; undefined when the provider does not keep the key. */
  exportKeys(): ExportedKeys | undefined;
  /** Most bytes that one frame is longer than its payload. */
  readonly overhead: number;
  /** From the next frame on; at most what the layout allows. */
  setMaxFragment(size: number): void;
  /**
   * Seals all of the chunks into `out`; bytes written, or a negative {@link SealStatus}.
   *
   * @param fd a socket that gets them; how many it has taken without waiting, or -errno, is in `native.result[0]`. -1: none
   * @param more the FIN follows
   */
  seal(
    type: number,
    chunks: Uint8Array | readonly Uint8Array[],
    out: Uint8Array,
    fd?: number,
    more?: boolean,
  ): number;
  /** Its number for `native.sendSmall`, as long as it is there. */
  readonly slot: number;
}

export interface Opener extends NativeDirection {
  /** Bytes that the unfinished frame lacks, or its header does; 0 between two frames. */
  readonly missing: number;
  /** The IV of the next frame of a chained layout. */
  readonly iv: Uint8Array;
  /** Opens the frames of `input` from start to end; an {@link OpenStatus}, with the numbers in `native.result`. */
  open(input: Uint8Array, start: number, end: number, out: Uint8Array): number;
  /** Its number for `native.open`, as long as it is there. */
  readonly slot: number;
}

/** The number of no Sealer and no Opener. */
export const NO_SLOT = 0xffffffff;

/** enum SealStatus of native/record/sealer.h. */
export const SealStatus = { limit: -1, provider: -2, capacity: -3, tooLong: -4 } as const;

/** enum OpenStatus of native/record/opener.h. */
export const OpenStatus = {
  needMore: 0,
  control: 1,
  capacity: 2,
  badMac: -1,
  overflow: -2,
  badType: -3,
  badHeader: -4,
  badLength: -5,
  noType: -6,
  limit: -7,
  notAFrame: -8,
  provider: -9,
} as const;
