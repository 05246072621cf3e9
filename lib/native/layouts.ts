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
