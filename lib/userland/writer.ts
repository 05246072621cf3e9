import { constants } from 'node:os';
import type { Arming } from '../arm.js';
import { BufferPool, poolFor } from '../buffer-pool.js';
import type { DirectionState } from '../crypt-options.js';
import { SoCryptError } from '../errors.js';
import { ContentType } from '../frame-layouts.js';
import {
  type DirectionSpec,
  type ExportedKeys,
  NO_SLOT,
  type Sealer,
  SealStatus,
} from '../native/records.js';
import { native } from '../native.js';
import { providerFailed } from '../provider-failure.js';

/** Plaintext bytes that are sealed and handed to the kernel in one piece: eight full records. */
const SEGMENT = 131_072;

/** Plaintext bytes up to which there is a shorter way. */
export const SMALL = 16_384;

const small = new BufferPool(20_480, 64);
const large = new BufferPool(SEGMENT + 8_192, 16);

/** Sealed records, in a buffer that goes back to its pool after the write. */
export interface Sealed {
  bytes: Buffer;
  release: () => void;
}

/** What became of records that a socket got as they were sealed. */
export interface Sent {
  /** Bytes of the plaintext. */
  length: number;
  /** What the socket has not taken; undefined: nothing. */
  rest: Sealed | undefined;
  /** -errno; 0: it works. */
  error: number;
}

// One for all: it is looked at before anything else can run.
const sent: Sent = { length: 0, rest: undefined, error: 0 };

/** The socket is full, or it is none, or the system lacks memory: libuv's business. */
const { EAGAIN, EWOULDBLOCK, ENOTSOCK, ENOBUFS, ENOMEM } = constants.errno;
const FOR_LIBUV: readonly number[] = [EAGAIN, EWOULDBLOCK, ENOTSOCK, ENOBUFS, ENOMEM].map((errno) => -errno);

/** The write direction of a socket on a userland engine: seals into pooled buffers, keeps the key's limits. */
export class RecordWriter {
  readonly protocol: Arming['protocol'];
  /** Undefined: nobody has needed an object yet, and the number is all that there is. */
  #sealer: Sealer | undefined;
  /** What native.sendSmall knows it by. */
  #slot: number;
  readonly #cipher: Arming['cipher'];
  readonly #layout: DirectionSpec['layout'];
  readonly #recordLimit: number;
  readonly #keyUpdateAfter: number;
  /** Records up to which nothing is to be thought of. */
  readonly #limit: number;
  #maxFragment: number;
  readonly #mostFragment: number;
  readonly #overhead: number;
  /** The traffic secret is known, so the key can be updated. */
  readonly canUpdate: boolean;
  /** Most bytes that {@link seal} takes. */
  segment: number;
  #keyUpdates = 0;
  /** Frames under the present key, or somewhat more: the addon knows, and is asked when it matters. */
  #atMost = 0;

  /** @param made in place of the secret, a number that a handshake has made */
  constructor(arming: Arming & { write: object }, made?: number, overhead = 0) {
    this.#cipher = arming.cipher;
    this.#layout = arming.write.layout;
    this.#recordLimit = arming.facts.recordLimit;
    this.#keyUpdateAfter = arming.keyUpdateAfter;
    this.protocol = arming.protocol;
    const { pattern, secret, sequence } = arming.write;
    if (made !== undefined) this.#sealer = undefined;
    else if (pattern === undefined) this.#sealer = new native.Sealer(arming.write);
    else this.#sealer = new native.Sealer(pattern, secret, sequence);
    this.#slot = made ?? this.#sealer!.slot;
    this.#maxFragment = this.#mostFragment = arming.write.maxFragment;
    this.#overhead = this.#sealer?.overhead ?? overhead;
    this.canUpdate = made !== undefined || secret.length > 0;
    this.#limit = this.canUpdate ? Math.min(this.#keyUpdateAfter, this.#recordLimit) : this.#recordLimit;
    this.segment = this.#largestSegment();
  }

  /** Undefined: it has been disposed of. */
  get sealer(): Sealer | undefined {
    if (this.#sealer === undefined && this.#slot !== NO_SLOT) this.#sealer = new native.Sealer(this.#slot);
    return this.#sealer;
  }

  #largestSegment(): number {
    return this.canUpdate ? Math.min(SEGMENT, this.#keyUpdateAfter * this.#maxFragment) : SEGMENT;
  }

  /** Plaintext bytes of a record, from the next one on; never more than what it was armed with. */
  setMaxFragment(size: number): void {
    this.#maxFragment = Math.min(size, this.#mostFragment);
    this.sealer?.setMaxFragment(this.#maxFragment);
    this.segment = this.#largestSegment();
  }

  state(): Omit<DirectionState, 'engine'> {
    const { sequence = 0n, frames = 0 } = this.sealer ?? {};
    return { sequence, records: BigInt(frames), keyUpdates: this.#keyUpdates };
  }

  get usedKeys(): Uint8Array {
    return this.sealer!.usedKeys;
  }

  /** Records behind which the key is to be changed; 0: it can't be. */
  get keyDue(): number {
    return this.canUpdate ? this.#keyUpdateAfter : 0;
  }

  /** What does not change: layout, cipher and limit. */
  get spec(): Pick<DirectionSpec, 'layout' | 'cipher' | 'mac' | 'limit' | 'macKey'> {
    return {
      layout: this.#layout,
      cipher: this.#cipher,
      mac: undefined,
      macKey: new Uint8Array(0),
      limit: this.#recordLimit,
    };
  }

  /** What another engine needs to go on behind the last record; undefined when the provider does not keep the key. */
  exportKeys(): ExportedKeys | undefined {
    return this.sealer?.exportKeys();
  }

  /**
   * Seals application data, with a KeyUpdate before it when the key has served long enough.
   *
   * @param length of all chunks, at most {@link segment} bytes
   * @throws SoCryptError ERR_SO_CRYPT_KEY_LIMIT, ERR_SO_CRYPT_PROVIDER
   */
  seal(chunks: Uint8Array | readonly Uint8Array[], length: number): Sealed {
    const records = Math.ceil(length / this.#maxFragment);
    if (this.#atMost + records <= this.#limit) return this.#seal(ContentType.applicationData, chunks, length);
    const frames = this.sealer?.frames ?? 0;
    this.#atMost = frames;
    if (this.canUpdate && frames > 0 && frames + records > this.#keyUpdateAfter) {
      const update = this.keyUpdate(false);
      const data = this.#seal(ContentType.applicationData, chunks, length);
      const bytes = Buffer.concat([update.bytes, data.bytes]);
      update.release();
      data.release();
      return { bytes, release: () => {} };
    }
    if (frames + records > this.#recordLimit)
      throw new SoCryptError(
        'ERR_SO_CRYPT_KEY_LIMIT',
        `${this.#cipher} may seal no more records under this key`,
        {
          hint: 'With TLS 1.3 give the traffic secret in write.secret, so that the key can be changed; else open a new connection',
        },
      );
    return this.#seal(ContentType.applicationData, chunks, length);
  }

  /**
   * The same, and hands the records to the socket at once.
   *
   * @param fd of a socket that has taken all that was sealed before
   * @param isLast the FIN follows
   * @returns to be looked at, at once; undefined: nothing was done, because another key is due
   */
  sealTo(
    fd: number,
    chunks: Uint8Array | readonly Uint8Array[],
    length: number,
    type: number = ContentType.applicationData,
    isLast = false,
  ): Sent | undefined {
    const records = Math.ceil(length / this.#maxFragment);
    if (this.#atMost + records > this.#limit) return undefined;
    const pool = poolFor(this.#count(length), small, large);
    const buffer = pool.acquire();
    const written = this.#sealInto(buffer, type, chunks, fd, isLast);
    const count = native.result[0]!;
    sent.error = errorOf(count);
    sent.length = length;
    if (count === written || sent.error !== 0) {
      pool.release(buffer);
      sent.rest = undefined;
    } else {
      sent.rest = {
        bytes: buffer.subarray(Math.max(count, 0), written),
        release: () => pool.release(buffer),
      };
    }
    return sent;
  }

  /**
   * The same for a head and a body, which take no way through Buffers.
   *
   * @param most bytes that they may be, at most {@link SMALL}
   * @param isUtf8 of a head that is a string; else it is latin1
   * @returns undefined: nothing was done, because it has to go by {@link sealTo}
   */
  sendSmall(
    fd: number,
    head: string | Uint8Array,
    isUtf8: boolean,
    body: Uint8Array | undefined,
    most: number,
  ): Sent | undefined {
    const records = Math.ceil(most / this.#maxFragment);
    if (this.#atMost + records > this.#limit) return undefined;
    const written = native.sendSmall(this.#slot, fd, head, isUtf8, body);
    if (written === SealStatus.capacity) return undefined;
    this.#count(most);
    if (written < 0) throw failureOf(written);
    sent.length = native.result[1]!;
    const count = native.result[0]!;
    sent.error = errorOf(count);
    if (count === written || sent.error !== 0) sent.rest = undefined;
    else sent.rest = { bytes: native.takeSealed(Math.max(count, 0)), release: () => {} };
    return sent;
  }

  /** Seals an alert or a handshake message as one record. */
  sealControl(type: number, content: Uint8Array): Sealed {
    return this.#seal(type, content, content.length);
  }

  /**
   * Seals a KeyUpdate under the old key and goes over to the next one (RFC 8446 4.6.3).
   *
   * @param request whether the peer shall do the same (update_requested)
   */
  keyUpdate(request: boolean): Sealed {
    const sealed = this.#seal(ContentType.handshake, Uint8Array.of(24, 0, 0, 1, request ? 1 : 0), 5);
    if (!this.sealer?.updateKey()) throw providerFailed();
    this.#keyUpdates++;
    this.#atMost = 0;
    return sealed;
  }

  /** Wipes the keys. */
  dispose(): void {
    this.#sealer?.dispose();
    if (this.#sealer !== undefined) return;
    native.disown(this.#slot, undefined);
    this.#slot = NO_SLOT; // it is another connection's from here on
  }

  #seal(type: number, chunks: Uint8Array | readonly Uint8Array[], length: number): Sealed {
    // Neither fits with tiny fragments, or much padding.
    const pool = poolFor(this.#count(length), small, large);
    const buffer = pool.acquire();
    const written = this.#sealInto(buffer, type, chunks, -1, false);
    return { bytes: buffer.subarray(0, written), release: () => pool.release(buffer) };
  }

  /** Counts the records of so much plaintext, which is about to be sealed. Most bytes that they have. */
  #count(length: number): number {
    const records = Math.floor(length / this.#maxFragment) + 2;
    this.#atMost += records;
    return length + records * this.#overhead;
  }

  #sealInto(
    buffer: Buffer,
    type: number,
    chunks: Uint8Array | readonly Uint8Array[],
    fd: number,
    isLast: boolean,
  ): number {
    const written = native.seal(this.#slot, type, chunks, buffer, fd, isLast);
    if (written < 0) throw failureOf(written);
    return written;
  }
}

export function errorOf(count: number): number {
  return count < 0 && !FOR_LIBUV.includes(count) ? count : 0;
}

/** @param status that sealing has ended with */
export function failureOf(status: number): SoCryptError {
  return status === SealStatus.limit ? sequenceEnded() : providerFailed();
}

function sequenceEnded(): SoCryptError {
  return new SoCryptError('ERR_SO_CRYPT_KEY_LIMIT', 'The key may seal no more records', {
    hint: 'Open a new connection',
  });
}
