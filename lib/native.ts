import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The addon's surface (native/addon.cc). Everything it is given has been validated in lib/; its own checks guard memory only.
 */

/** enum Nonce of native/record/frame_layout.h. */
export const Nonce = { xorSequence: 0, explicitCounter: 1, explicitRandom: 2, chained: 3 } as const;
/** enum MacOrder of native/record/frame_layout.h. */
export const MacOrder = { aead: 0, macThenEncrypt: 1, encryptThenMac: 2 } as const;
/** enum Padding of native/record/frame_layout.h. */
export const Padding = { none: 0, tls: 1 } as const;
/** enum AssociatedLength of native/record/frame_layout.h. */
export const AssociatedLength = { frame: 0, covered: 1 } as const;

/** struct FrameLayout of native/record/frame_layout.h. */
export interface NativeLayout {
  header: Uint8Array;
  typeOffset: number;
  innerType: boolean;
  lengthOffset: number;
  lengthSize: number;
  lengthBias: number;
  maxPayload: number;
  maxBody: number;
  nonce: number;
  fixedIv: number;
  explicitIv: number;
  order: number;
  tag: number;
  padding: number;
  associatedSequence: number;
  associatedStart: number;
  associatedEnd: number;
  associatedLength: number;
}

/** A {@link NativeLayout} as the addon takes it. */
export type PackedLayout = Int32Array;

export function packLayout(l: NativeLayout): PackedLayout {
  // The order of ReadLayout() in native/addon.cc.
  return Int32Array.of(
    l.typeOffset,
    l.innerType ? 1 : 0,
    l.lengthOffset,
    l.lengthSize,
    l.lengthBias,
    l.maxPayload,
    l.maxBody,
    l.nonce,
    l.fixedIv,
    l.explicitIv,
    l.order,
    l.tag,
    l.padding,
    l.associatedSequence,
    l.associatedStart,
    l.associatedEnd,
    l.associatedLength,
    ...l.header,
  );
}

/** One direction's keys and framing, as `new Sealer` and `new Opener` take it. */
export interface DirectionSpec {
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

export interface SealerSpec extends DirectionSpec {
  maxFragment: number;
  padTo: number;
  splitFirst: boolean;
}

export interface OpenerSpec extends DirectionSpec {
  /** Content type that is data, 0 where the layout has none. */
  applicationType: number;
}

interface NativeDirection {
  readonly sequence: bigint;
  /** Frames under the present key. */
  readonly frames: number;
  /** Goes over to the next key (RFC 8446 7.2). False: there is no traffic secret, or the provider failed. */
  updateKey(): boolean;
  /** Wipes the keys; nothing can be sealed or opened afterwards. */
  dispose(): void;
}

export interface Sealer extends NativeDirection {
  /** Whether this direction has ever had a key and IV of the other. */
  hasUsedKeyOf(other: Sealer): boolean;
  /** Most bytes that one frame is longer than its payload. */
  readonly overhead: number;
  /** From the next frame on; at most what the layout allows. */
  setMaxFragment(size: number): void;
  /** Seals all of the chunks into `out`; bytes written, or a negative {@link SealStatus}. */
  seal(type: number, chunks: Uint8Array | readonly Uint8Array[], out: Uint8Array): number;
}

export interface Opener extends NativeDirection {
  /** Whether this direction has ever had a key and IV of the other. */
  hasUsedKeyOf(other: Opener): boolean;
  /** Opens the frames of `input` from start to end; an {@link OpenStatus}, with the numbers in {@link native}.result. */
  open(input: Uint8Array, start: number, end: number, out: Uint8Array): number;
}

/** enum SealStatus of native/record/sealer.h. */
export const SealStatus = { limit: -1, provider: -2, capacity: -3 } as const;

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
} as const;

interface Native {
  /** A Buffer of recycled memory, of size class 0, 1 or 2 (SlabPool::kSizes of native/slab_pool.h). */
  slab(sizeClass: number): Buffer | undefined;
  Sealer: new (spec: SealerSpec) => Sealer;
  Opener: new (spec: OpenerSpec) => Opener;
  /** What the last `open` answered besides its status: consumed, produced, control type, control length, bytes kept. */
  result: Int32Array;
}

// bindings finds build/Release or build/Debug under the package's root, wherever tsc has put this file.
const require = createRequire(import.meta.url);
const bindings = require('bindings') as (options: { bindings: string; module_root: string }) => Native;
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * The addon: the file that SO_CRYPT_ADDON names (another build of it, with sanitizers for one), or the package's own. Loading that
 * fails with `bindings`' list of places where it looked when it was never built.
 */
export const native: Native = process.env.SO_CRYPT_ADDON
  ? (require(process.env.SO_CRYPT_ADDON) as Native)
  : bindings({ bindings: 'so_crypt', module_root: root });
