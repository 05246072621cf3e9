import { type CipherFacts, ciphers } from './ciphers.js';
import type { CipherName, Protocol } from './crypt-options.js';
import { SoCryptError } from './errors.js';
import type { FrameLayout } from './frame-layout.js';
import {
  AssociatedLength,
  MacOrder,
  type NativeLayout,
  Nonce,
  type PackedLayout,
  Padding,
  packLayout,
} from './native/layouts.js';

/** Content types of TLS (RFC 8446 5.1). */
export const ContentType = {
  changeCipherSpec: 20,
  alert: 21,
  handshake: 22,
  applicationData: 23,
} as const;

/** Largest plaintext of a TLS record (RFC 8446 5.1). */
export const TLS_MAX_FRAGMENT = 16_384;

const TLS_HEADER = 5;

// legacy_record_version: TLS 1.3 says 1.2 (RFC 8446 5.1).
const VERSIONS: Record<Protocol, number> = { 'tls1.0': 1, 'tls1.1': 2, 'tls1.2': 3, 'tls1.3': 3 };

/** A layout, and the same as the native record layer takes it. */
export interface Layout {
  facts: NativeLayout;
  packed: PackedLayout;
}

const tlsLayouts = new Map<string, Layout>();

/** {@link makeTlsLayout}, made once. */
export function tlsLayout(
  protocol: Protocol,
  cipher: CipherName,
  macLength = 0,
  encryptThenMac = false,
): Layout {
  const name = `${protocol} ${cipher} ${macLength} ${encryptThenMac}`;
  let layout = tlsLayouts.get(name);
  if (layout === undefined) {
    const facts = makeTlsLayout(protocol, ciphers[cipher], macLength, encryptThenMac);
    layout = { facts, packed: packLayout(facts) };
    tlsLayouts.set(name, layout);
  }
  return layout;
}

/**
 * The record layout of a TLS version with a cipher as data for the native record layer.
 *
 * @param macLength bytes of the MAC, 0 with AEAD
 * @param encryptThenMac RFC 7366
 */
function makeTlsLayout(
  protocol: Protocol,
  cipher: CipherFacts,
  macLength: number,
  encryptThenMac: boolean,
): NativeLayout {
  const header = Uint8Array.of(ContentType.applicationData, 3, VERSIONS[protocol], 0, 0);
  const layout: NativeLayout = {
    header,
    typeOffset: 0,
    innerType: false,
    lengthOffset: 3,
    lengthSize: 2,
    lengthBias: TLS_HEADER,
    maxPayload: TLS_MAX_FRAGMENT,
    maxBody: TLS_MAX_FRAGMENT + 2048, // RFC 5246 6.2.3
    nonce: Nonce.xorSequence,
    fixedIv: 12,
    explicitIv: 0,
    order: MacOrder.aead,
    tag: cipher.tagLength,
    padding: Padding.none,
    // seq_num || type || version || length (RFC 5246 6.2.3.1 and 6.2.3.3)
    associatedSequence: 8,
    associatedStart: 0,
    associatedEnd: TLS_HEADER,
    associatedLength: AssociatedLength.covered,
  };
  if (protocol === 'tls1.3') {
    layout.innerType = true;
    layout.maxBody = TLS_MAX_FRAGMENT + 256; // RFC 8446 5.2
    layout.associatedSequence = 0;
    layout.associatedLength = AssociatedLength.frame;
  } else if (cipher.mode === 'cbc') {
    layout.order = encryptThenMac ? MacOrder.encryptThenMac : MacOrder.macThenEncrypt;
    layout.tag = macLength;
    layout.padding = Padding.tls;
    if (protocol === 'tls1.0') {
      layout.nonce = Nonce.chained;
      layout.fixedIv = cipher.ivLength;
    } else {
      layout.nonce = Nonce.explicitRandom;
      layout.fixedIv = 0;
      layout.explicitIv = cipher.ivLength;
    }
  } else if (!cipher.xorNonce) {
    layout.nonce = Nonce.explicitCounter; // RFC 5288 3, RFC 6655 3
    layout.fixedIv = 4;
    layout.explicitIv = 8;
  }
  return layout;
}

/**
 * A layout given by offsets as data for the native record layer.
 *
 * @throws SoCryptError ERR_SO_CRYPT_INVALID_OPTION naming the field
 */
export function customLayout(frame: FrameLayout, cipher: CipherFacts, macLength: number): Layout {
  const size = frame.header?.length ?? 0;
  check(frame.header instanceof Uint8Array && size >= 1 && size <= 32, 'header', '1 to 32 bytes');
  const length = frame.length;
  check(
    isIn(length?.size, 2, 4) && isIn(length.offset, 0, size - length.size),
    'length',
    '{ offset, size: 2 | 3 | 4 } inside the header',
  );
  check(isIn(length.bias, 0, 65_535), 'length.bias', '0 to 65535');
  const maxPayload = frame.maxPayload ?? TLS_MAX_FRAGMENT;
  check(isIn(maxPayload, 1, 65_536), 'maxPayload', '1 to 65536');

  const layout: NativeLayout = {
    header: frame.header,
    typeOffset: -1,
    innerType: false,
    lengthOffset: length.offset,
    lengthSize: length.size,
    lengthBias: length.bias,
    maxPayload,
    maxBody: 0,
    ...ivOf(frame, cipher),
    order: MacOrder.aead,
    tag: cipher.tagLength,
    padding: Padding.none,
    associatedSequence: 0,
    associatedStart: 0,
    associatedEnd: size,
    associatedLength: AssociatedLength.frame,
  };
  if (cipher.mode === 'aead') {
    check(frame.mac === undefined, 'mac', 'absent: an AEAD cipher has its own tag');
    const aad = frame.aad ?? { start: 0, end: size };
    check(isIn(aad.start, 0, size) && isIn(aad.end, aad.start, size), 'aad', 'a range of the header');
    layout.associatedStart = aad.start;
    layout.associatedEnd = aad.end;
    layout.associatedSequence = sequenceBytes(aad.sequence ?? 0, 'aad.sequence');
  } else {
    const mac = frame.mac;
    check(
      mac?.order === 'mac-then-encrypt' || mac?.order === 'encrypt-then-mac',
      'mac.order',
      "'mac-then-encrypt' or 'encrypt-then-mac': only AEAD ciphers go without a MAC",
    );
    check(isIn(mac.start, 0, size), 'mac.start', 'an offset in the header');
    check(isIn(mac.length ?? macLength, 10, macLength), 'mac.length', `10 to ${macLength}`);
    layout.order = mac.order === 'mac-then-encrypt' ? MacOrder.macThenEncrypt : MacOrder.encryptThenMac;
    layout.tag = mac.length ?? macLength;
    layout.associatedStart = mac.start;
    layout.associatedSequence = sequenceBytes(mac.sequence ?? 8, 'mac.sequence');
  }
  const padding = frame.padding ?? (cipher.mode === 'cbc' ? 'tls' : 'none');
  check(
    padding === (cipher.mode === 'cbc' ? 'tls' : 'none'),
    'padding',
    "'tls' with CBC, 'none' with others",
  );
  layout.padding = padding === 'tls' ? Padding.tls : Padding.none;
  layout.maxBody = layout.explicitIv + maxPayload + layout.tag + (padding === 'tls' ? 256 : 0);
  const longest = size + layout.maxBody - length.bias;
  check(longest < 256 ** length.size, 'length', `wide enough for ${longest}`);
  return { facts: layout, packed: packLayout(layout) };
}

// Nonces that never repeat under one key are the layout's business, not its user's: only these shapes are accepted.
function ivOf(
  frame: FrameLayout,
  cipher: CipherFacts,
): Pick<NativeLayout, 'nonce' | 'fixedIv' | 'explicitIv'> {
  const { fixed, explicit, xorSequence = false } = frame.iv ?? {};
  if (cipher.mode === 'cbc') {
    if (fixed === 0 && explicit === cipher.ivLength && !xorSequence)
      return { nonce: Nonce.explicitRandom, fixedIv: 0, explicitIv: explicit };
    throw invalid('iv', `{ fixed: 0, explicit: ${cipher.ivLength} } with a CBC cipher`);
  }
  if (fixed === 12 && explicit === 0 && xorSequence)
    return { nonce: Nonce.xorSequence, fixedIv: 12, explicitIv: 0 };
  if (fixed === 4 && explicit === 8 && !xorSequence)
    return { nonce: Nonce.explicitCounter, fixedIv: 4, explicitIv: 8 };
  throw invalid('iv', '{ fixed: 12, explicit: 0, xorSequence: true } or { fixed: 4, explicit: 8 }');
}

function sequenceBytes(value: number, field: string): number {
  check(value === 0 || value === 4 || value === 8, field, '0, 4 or 8');
  return value;
}

function isIn(value: unknown, from: number, to: number): boolean {
  return Number.isInteger(value) && (value as number) >= from && (value as number) <= to;
}

function check(condition: boolean, field: string, wanted: string): asserts condition {
  if (!condition) throw invalid(field, wanted);
}

function invalid(field: string, wanted: string): SoCryptError {
  return new SoCryptError('ERR_SO_CRYPT_INVALID_OPTION', `frame.${field} is invalid`, {
    hint: `It must be ${wanted}`,
  });
}
