import { BufferPool, poolFor } from '../buffer-pool.js';
import type { SshSealer } from '../native/packets.js';
import { native } from '../native.js';
import { errorOf } from '../userland/writer.js';

/** One write() takes what is sealed together, up to this: four packets of 32 KB. (Twice as many save next to nothing, and the peer begins later.) */
export const segments = new BufferPool(139_264, 16);
// A turn that begins with a small packet mostly has no others.
const small = new BufferPool(4096, 64);

/** Sealed packets that go to the kernel together. */
export class Segment {
  #pool: Pick<BufferPool, 'acquire' | 'release'>;
  #buffer: Buffer;
  #length = 0;
  #plain = 0;

  /** @param bound most bytes of its first packet */
  constructor(bound: number) {
    this.#pool = poolFor(bound, bound <= small.size / 4 ? small : segments, segments);
    this.#buffer = this.#pool.acquire();
  }

  /** Nothing could be sealed. */
  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Bytes for further packets. */
  get room(): number {
    return this.#buffer.length - this.#length;
  }

  /** Bytes of payloads. */
  get plain(): number {
    return this.#plain;
  }

  /** Makes room for so many bytes, if it is small. False: send it. */
  widen(bound: number): boolean {
    if (this.#pool !== small || this.#length + bound > segments.size) return false;
    const buffer = segments.acquire();
    this.#buffer.copy(buffer, 0, 0, this.#length);
    small.release(this.#buffer);
    this.#pool = segments;
    this.#buffer = buffer;
    return true;
  }

  /** @returns bytes sealed, or a negative SealStatus */
  seal(sealer: SshSealer, head: Uint8Array, body: Uint8Array): number {
    const written = sealer.sealParts(head, body, this.#buffer, this.#length);
    if (written < 0) return written;
    this.#length += written;
    this.#plain += head.length + body.length;
    return written;
  }

  /**
   * Past libuv.
   *
   * @param more others follow at once: what fills no TCP segment waits for them (MSG_MORE)
   * @returns bytes that the socket has not taken; a negative number: -errno
   */
  sendTo(fd: number, more: boolean): number {
    const count = native.send(fd, this.#buffer, this.#length, more);
    const error = errorOf(count);
    return error !== 0 ? error : this.#length - Math.max(count, 0);
  }

  /** The last so many bytes of it. */
  last(length: number): Buffer {
    return this.#buffer.subarray(this.#length - length, this.#length);
  }

  /** What is to be sent. While the kernel takes nothing, segments would pile up: then none is larger than what is in it. */
  take(outlet: { readonly isFlushed: boolean }): Buffer {
    const bytes = this.#buffer.subarray(0, this.#length);
    if (this.#length > this.#buffer.length / 2 || outlet.isFlushed) return bytes;
    const copy = Buffer.from(bytes);
    this.release();
    return copy;
  }

  /** The kernel has it, or there is no kernel any more. */
  release(): void {
    if (this.#buffer === NOTHING) return;
    this.#pool.release(this.#buffer);
    this.#buffer = NOTHING;
  }
}

const NOTHING = Buffer.alloc(0);
