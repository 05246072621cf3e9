import { markAsUntransferable } from 'node:worker_threads';
import { SLABS, slabOf } from './slabs.js';

const FOR_ONE_READ = SLABS.slice(0, 3);
const [SHARED, SHARED_BY_LONG] = [3, 4] as const;

/**
 * Memory for the plaintext of one read, which becomes the application's. For a small read it is Node's; for a large one it is a slab
 * that is recycled (native/slab_pool.h says why), at most twice as large as asked for.
 *
 * @param length bytes that are needed
 */
export function allocateOutput(length: number): Buffer {
  if (length <= SLABS[0] / 2) return Buffer.allocUnsafe(length);
  const sizeClass = FOR_ONE_READ.findIndex((size) => length <= size);
  return (sizeClass < 0 ? undefined : slabOf(sizeClass)) ?? Buffer.allocUnsafeSlow(length);
}

// Transferred to another thread by one who got a part of it, it would be gone for all. (Slabs can't be: Node sees to that for all memory
// that is not V8's, and does not end well when it is told so twice.)
function ownMemory(size: number): Buffer {
  const memory = Buffer.allocUnsafeSlow(size);
  markAsUntransferable(memory.buffer as ArrayBuffer);
  return memory;
}

/** Memory that many reads share, as those of Buffer.allocUnsafe(): what each is given comes behind what the one before has kept. */
class SharedOutput {
  readonly #make: () => Buffer;
  readonly #align: number;
  #memory: Buffer = Buffer.alloc(0);
  /** Where the next plaintext goes. */
  taken = 0;

  /** @param align what is kept ends at a multiple of, a power of two */
  constructor(make: () => Buffer, align: number) {
    this.#make = make;
    this.#align = align;
  }

  /** @returns memory with room for so many bytes behind {@link taken} */
  reserve(least: number): Buffer {
    if (this.#memory.length - this.taken < least) {
      this.#memory = this.#make();
      this.taken = 0;
    }
    return this.#memory;
  }

  /** The first so many of them are in use. */
  keep(length: number): void {
    this.taken = Math.min(this.#memory.length, this.taken + ((length + this.#align - 1) & -this.#align));
  }

  owns(output: Buffer): boolean {
    return output.buffer === this.#memory.buffer;
  }
}

/** Up to so many bytes {@link small} is for. */
export const SMALL_OUTPUT = 2_048;

/** For the plaintext of small reads, whose Buffer is made when its length is known, instead of one before and one behind. */
export const small = new SharedOutput(() => ownMemory(4 * SMALL_OUTPUT), 8);

// In whole cache lines, with which the cipher is faster.
const sharedOf = (sizeClass: number): SharedOutput =>
  new SharedOutput(() => slabOf(sizeClass) ?? ownMemory(SLABS[sizeClass]!), 64);
const shared = sharedOf(SHARED);
// The plaintext of a long read is to be in one piece mostly.
const sharedByLong = sharedOf(SHARED_BY_LONG);

/**
 * Memory for the plaintext of one read or some of it, out of a piece that many reads share: for payloads that come by the thousand. Say
 * with {@link keepOutput} how much of it is in use.
 *
 * @param least bytes that are needed in any case; @param most bytes that could be used, no fewer
 */
export function shareOutput(least: number, most: number): Buffer {
  if (least > SLABS[SHARED_BY_LONG]) return Buffer.allocUnsafeSlow(least);
  const from = most > SLABS[SHARED] ? sharedByLong : shared;
  const memory = from.reserve(least);
  return memory.subarray(from.taken, Math.min(memory.length, from.taken + most));
}

/** @param length of what {@link shareOutput} gave last, from its beginning on */
export function keepOutput(output: Buffer, length: number): void {
  if (shared.owns(output)) shared.keep(length);
  else if (sharedByLong.owns(output)) sharedByLong.keep(length);
}
