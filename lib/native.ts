import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HandshakeContext, HandshakeThreads } from './native/handshakes.js';
import type { Kernel } from './native/kernel.js';
import type { PackedLayout } from './native/layouts.js';
import type { SshOpener, SshSealer, SshSpec } from './native/packets.js';
import type { DirectionPattern, Opener, OpenerSpec, Sealer, SealerSpec } from './native/records.js';
import type { Relays } from './native/relays.js';

/**
 * The addon's surface (native/addon.cc); native/ beside this file has what its parts are made of. Everything it is given has been validated
 * in lib/; its own checks guard memory only.
 */
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
  /** `Opener.open` of the Opener with that number, to out[at…]. (Finding what belongs to `this` takes as long as opening a small record.) */
  open(slot: number, input: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number;
  /** `Sealer.seal` of the Sealer with that number. */
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
