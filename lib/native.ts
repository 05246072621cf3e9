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

/** Keys of an SSH direction, as `new SshSealer` and `new SshOpener` take it. */
export interface SshSpec {
  provider: 'evp' | 'af_alg' | 'cryptodev';
  driver: string | undefined;
  /** OpenSSL's names, or chacha20-poly1305@openssh.com. */
  cipher: string;
  mac: string | undefined;
  encryptThenMac: boolean;
  key: Uint8Array;
  iv: Uint8Array;
  macKey: Uint8Array;
  /** Undefined: that of the key before, or 0. */
  sequence: number | undefined;
  /** Packets allowed under the key. */
  limit: number;
}

interface NativeSshDirection {
  /** Of the next packet; it wraps at 2^32. */
  readonly sequence: number;
  /** Under this key. */
  readonly packets: number;
  /** The key's fingerprint. */
  readonly usedKeys: Uint8Array;
  setSequence(sequence: number): void;
  /** Wipes the keys. */
  dispose(): void;
}

export interface SshSealer extends NativeSshDirection {
  /** Most bytes that a packet is longer than its payload. */
  readonly overhead: number;
  /** A packet for each of payloads[from, to) that is not empty; bytes written, or a negative {@link SealStatus}. */
  seal(payloads: readonly Uint8Array[], from: number, to: number, out: Uint8Array): number;
  /** One packet, of a payload in two parts, to `out` from `at` on; as above. */
  sealParts(head: Uint8Array, body: Uint8Array, out: Uint8Array, at: number): number;
}

export interface SshOpener extends NativeSshDirection {
  /** The IV of the next packet, in the first of 16 bytes. */
  readonly iv: Uint8Array;
  /**
   * Opens the packets of `input` from start to end; an {@link SshOpenStatus}. {@link native}.result: bytes consumed, payloads, bytes kept,
   * bytes missing, packets beyond one for each payload; {@link native}.sshPayloads: where in `out` they lie.
   *
   * @param mode an {@link SshOpenMode}
   */
  open(input: Uint8Array, start: number, end: number, mode: number, out: Uint8Array): number;
}

/** enum SshOpenMode of native/record/ssh_opener.h. */
export const SshOpenMode = { all: 0, one: 1, joined: 2 } as const;

/** enum SshOpenStatus of native/record/ssh_opener.h. */
export const SshOpenStatus = {
  needMore: 0,
  newKeys: 1,
  capacity: 2,
  badMac: -1,
  tooLong: -2,
  badLength: -3,
  badPadding: -4,
  limit: -5,
  provider: -6,
} as const;

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
   * @param fd a socket that gets them; how many it has taken without waiting, or -errno, is in {@link native}.result[0]. -1: none
   * @param more the FIN follows
   */
  seal(
    type: number,
    chunks: Uint8Array | readonly Uint8Array[],
    out: Uint8Array,
    fd?: number,
    more?: boolean,
  ): number;
  /** Its number for {@link native}.sendSmall, as long as it is there. */
  readonly slot: number;
}

export interface Opener extends NativeDirection {
  /** Bytes that the unfinished frame lacks, or its header does; 0 between two frames. */
  readonly missing: number;
  /** The IV of the next frame of a chained layout. */
  readonly iv: Uint8Array;
  /** Opens the frames of `input` from start to end; an {@link OpenStatus}, with the numbers in {@link native}.result. */
  open(input: Uint8Array, start: number, end: number, out: Uint8Array): number;
  /** Its number for {@link native}.open, as long as it is there. */
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

/** KtlsKeys of native/kernel/ktls.h, SoCryptKeys of native/kernel/so_crypt.h. Errors are -errno. */
export interface KernelKeys {
  readonly usedKeys: Uint8Array;
  /**
   * Gives the kernel the key.
   * @param sequence of the next record, where it is another than that of the constructor
   * @param again the direction has been armed with another key before
   */
  arm(fd: number, sequence?: bigint, again?: boolean): number;
  /** so_crypt: the IV of the next record, where it is chained. */
  setIv?(iv: Uint8Array): void;
  /** The key after a KeyUpdate; `arm` gives it to the kernel. False: there is no traffic secret. */
  next(): boolean;
  /** Of the next record; undefined when the kernel does not tell. */
  sequence(fd: number): bigint | undefined;
  dispose(): void;
}

/** Readiness of native/kernel/readiness.h. Results are 0 or -errno. */
export interface Readiness {
  /** 0, or -errno: it can't be used. */
  readonly error: number;
  /** @param id told with each event @param isKnown the descriptor is watched already */
  watch(fd: number, id: number, writable: boolean, isKnown: boolean): number;
  forget(fd: number): void;
  setRef(on: boolean): void;
}

/** native/addon_linux.cc: what only Linux has. */
export interface LinuxKernel {
  /** Sets TCP_ULP. */
  attachKtls(fd: number): number;
  sendFile(fd: number, file: number, offset: number, count: number): number;
  sendFileInBackground(
    fd: number,
    file: number,
    offset: number,
    count: number,
    callback: (result: number) => void,
  ): void;
  /** A regular file's descriptor without waiting; facts: size, seconds and nanoseconds of the last change. */
  openCached(path: string, facts: Float64Array): number;
  /** What is in the page cache; 0 at the file's end. */
  readCached(file: number, out: Uint8Array, length: number, offset: number): number;
  /** SO_RCVLOWAT: the connection is readable when so many bytes have come, or FIN. */
  setReceiveLowat?(fd: number, bytes: number): number;
  /** [error, rekey, step]; null: kTLS has no such cipher. */
  probe(cipher: string, version: number): [error: number, rekey: boolean, step: string] | null;
  /** What the kernel carries on a socket that another process has armed; null: nothing. Ciphers by the kernel's names with so_crypt. */
  inherited(
    fd: number,
  ):
    | number
    | null
    | [
        engine: 'ktls' | 'so_crypt',
        protocol: number,
        cipher: string,
        mac: string,
        encryptThenMac: boolean,
        write: boolean,
        read: boolean,
      ];
  /** Of the next record. @param cipher ktls: its name; so_crypt: '' */
  inheritedSequence(fd: number, cipher: string, write: boolean): bigint | undefined;
  /** TLS_RX_EXPECT_NO_PAD. */
  expectNoPadding(fd: number): number;
  isOnDevice(fd: number, write: boolean): boolean;
  KtlsKeys: new (spec: DirectionSpec, version: number, write: boolean) => KernelKeys;
}

/** native/addon_kernel.cc. Results are counts, or -errno. */
export interface Kernel extends Partial<LinuxKernel> {
  /** Sets TCP_ULP, on Linux. */
  attachSoCrypt(fd: number): number;
  probeSoCrypt(): [error: number, step: string];
  SoCryptKeys: new (
    spec: DirectionSpec | SshSpec,
    protocol: number,
    write: boolean,
    maxPayload: number,
  ) => KernelKeys;
  /** Plaintext of one record type, which is told in type[0]; that is 0 at FIN. */
  receive(fd: number, out: Uint8Array, type: Uint8Array): number;
  /** Bytes of the stream while the kernel has no read key. */
  receivePlain(fd: number, out: Uint8Array): number;
  sendRecord(fd: number, type: number, content: Uint8Array): number;
  /** SSH: how many of payloads[from, to) the kernel has taken, each as one packet. */
  sendPayloads(fd: number, payloads: readonly Uint8Array[], from: number, to: number): number;
  /**
   * SSH: a ReceiveStatus of native/kernel/ssh_io.h. {@link native}.result: payloads, bytes behind them that are the beginning of another
   * one; {@link native}.sshPayloads: where in `out` they lie. The first `partial` bytes of `out` are the beginning of the first payload.
   */
  receivePayloads(fd: number, out: Uint8Array, partial: number): number;
  Readiness: new (callback: (ids: Uint32Array, events: Uint32Array, count: number) => void) => Readiness;
}

/** A secure context for handshakes in threads without JavaScript (native/handshake). */
export interface HandshakeContext {
  readonly nothing?: never;
}

/** Handshakes without JavaScript, in threads of their own or in this one (native/handshake/threads.h, here.h). */
export interface HandshakeThreads {
  /** 0 or -errno. To be called again when a context has been made. */
  start(): number;
  /** The index of the thread that got it. */
  submit(id: number, fd: number, context: HandshakeContext): number;
  abort(thread: number, id: number): void;
  /**
   * They accept the connections of a listening socket of libuv's, and libuv does not. 0 or -errno; -ENOENT: libuv has not begun to wait for
   * it. Not in this thread.
   */
  listen?(fd: number, context: HandshakeContext): number;
  /** They accept no more, and libuv does again; fd -1: libuv does not either, because the socket is about to be closed. */
  unlisten?(fd: number): void;
  /** Connections that they have accepted, ever. */
  readonly accepted?: number;
  /**
   * All that they have told: lib/handshake-workers/native-events.ts. Wipe it. Ahead, how many connections are among them, and for each its
   * descriptor and 1, in the machine's order: 0 is to be put there as soon as a handle has the descriptor, in the same statement as it were.
   * In a thread that ends before that it is closed.
   */
  take(): Buffer;
  /** Closes the connections of the last take() that no handle has. */
  closeGiven?(): void;
  /** Whether they keep the process alive. */
  setRef(on: boolean): void;
  /** For good. */
  stop(): void;
}

/** Connections whose plaintext goes by local sockets (native/relay); what they tell is in lib/relay/relays.ts. Linux only. */
export interface Relays {
  /** 0 or -errno. */
  start(): number;
  /**
   * The descriptor of the plain side, which is the caller's, or -errno.
   *
   * @param keyDue frames behind which there must be a new write key; 0: the key can't be changed
   */
  add(id: number, fd: number, sealer: Sealer, opener: Opener, keyDue: number): number;
  /** Bytes of the connection that were read before. */
  feed(id: number, bytes: Uint8Array): void;
  /** Reads on behind a control record. @param noData another one must follow */
  readOn(id: number, noData: boolean): void;
  /** The plain side has its end behind all that was opened. */
  endReading(id: number): void;
  /** Records, behind all that was sealed. False: that all of it is sent will be told. */
  send(id: number, records: Uint8Array): boolean;
  /** Plain bytes read and written, and milliseconds since any have passed. */
  counters(id: number, out: Float64Array): void;
  /** Sends what goes without waiting, and lets go of the connection. */
  remove(id: number): void;
  /** Sends of all what goes without waiting. */
  drain(): void;
  /** Whether they keep the process alive. */
  setRef(on: boolean): void;
}

interface Native {
  /** Linux only. `make` makes one SecureContext of Node's, which must live as long as handshakes with it. `protocols`: for ALPN, as on the wire. */
  HandshakeContext:
    | (new (
        make: () => void,
        protocols: Uint8Array,
        // limit: frames under one key, for directions that are made with the handshake; 0: its outcomes are secrets
        suites: readonly (readonly [id: number, cipher: string, layout: PackedLayout, limit: number])[],
      ) => HandshakeContext)
    | undefined;
  HandshakeThreads:
    | (new (
        threads: number,
        mostInFlight: number,
        niceness: number,
        timeout: number,
        callback: () => void,
      ) => HandshakeThreads)
    | undefined;
  /** Linux only. `callback` is never called by one of its methods. */
  HandshakesHere: (new (timeout: number, callback: () => void) => HandshakeThreads) | undefined;
  /** `callback` is never called by one of its methods. */
  Relays:
    | (new (
        callback: (
          id: number,
          news: number,
          number: number,
          content: Buffer | undefined,
          hasData: boolean,
        ) => void,
      ) => Relays)
    | undefined;
  /** Adds to the niceness of the calling thread, where the system allows it. Linux only. */
  lowerPriority: ((niceness: number) => void) | undefined;
  /** Linux and OpenBSD only. */
  kernel: Kernel | undefined;
  /** Another descriptor of the same connection, or -errno. Not on Windows, where connections have none. */
  duplicate: ((fd: number) => number) | undefined;
  /** A Buffer of recycled memory, of size class 0 to 4 (SlabPool::kSizes of native/slab_pool.h). */
  slab(sizeClass: number): Buffer | undefined;
  /** Bytes of slabs that this thread got since the memory of one last came back. */
  slabsSinceReturn(): number;
  /** Gives the memory of Buffers back at once that have an ArrayBuffer of their own. They are empty then. */
  discard(buffers: readonly Uint8Array[]): void;
  /** {@link Opener.open} of the Opener with that number, to out[at…]. (Finding what belongs to `this` takes as long as opening a small record.) */
  open(slot: number, input: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number;
  /** {@link Sealer.seal} of the Sealer with that number. */
  seal(
    slot: number,
    type: number,
    chunks: Uint8Array | readonly Uint8Array[],
    out: Uint8Array,
    fd: number,
    more: boolean,
  ): number;
  /** Wipes and forgets a Sealer or an Opener, or both, that have numbers only. To be called once: the next connection gets the same ones. */
  disown(sealer: number | undefined, opener: number | undefined): void;
  /**
   * Seals a head and a body as application data, in memory of the addon's, and hands the records to a socket. Their length, or a negative
   * {@link SealStatus}; `capacity` does no harm: they are too long for that. {@link native}.result: how many bytes of the records the socket
   * has taken, or -errno, and the length of the plaintext.
   *
   * @param slot of the Sealer
   * @param isUtf8 of a head that is a string; else it is latin1
   */
  sendSmall(
    slot: number,
    fd: number,
    head: string | Uint8Array,
    isUtf8: boolean,
    body: Uint8Array | undefined,
  ): number;
  /** What the socket has not taken of {@link sendSmall}'s records, from so many bytes on; to be asked for at once. */
  takeSealed(from: number): Buffer;
  /** The first so many bytes for a socket, past libuv: how many it has taken, or -errno. `more` follow at once (MSG_MORE). */
  send(fd: number, bytes: Uint8Array, length: number, more: boolean): number;
  /** The system call and errno of this thread's last failed provider; undefined: none since it was asked for. */
  failure(): [call: string, errno: number] | undefined;
  /** Whether AF_ALG does a cipher by the driver or algorithm of that name, for records of the layout, or of that length. */
  checkAfAlg(cipher: string, name: string, layout: PackedLayout | number | undefined): boolean;
  /** The driver by which /dev/crypto does a cipher ('' where that is not told), undefined: it does not. driver: a name, or ''. */
  checkCryptodev(
    cipher: string,
    driver: string,
    layout: PackedLayout | number | undefined,
  ): string | undefined;
  /** What Linux calls a cipher. */
  afAlgName(cipher: string): string;
  /** The spec may not want padding, or a first record of one byte. */
  DirectionPattern: new (
    spec: SealerSpec | OpenerSpec,
  ) => DirectionPattern;
  Sealer: {
    new (spec: SealerSpec): Sealer;
    new (pattern: DirectionPattern, secret: Uint8Array, sequence: bigint): Sealer;
    /** Of a number that a handshake has made; it stays the same, and is the object's now. */
    new (slot: number): Sealer;
  };
  Opener: {
    new (spec: OpenerSpec): Opener;
    new (pattern: DirectionPattern, secret: Uint8Array, sequence: bigint): Opener;
    new (slot: number): Opener;
  };
  SshSealer: new (spec: SshSpec) => SshSealer;
  SshOpener: new (spec: SshSpec) => SshOpener;
  /** Offset and length of each payload that the last `open` of an SshOpener has opened. */
  sshPayloads: Int32Array;
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
