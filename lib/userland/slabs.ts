import { native } from '../native.js';

/** Bytes: SlabPool::kSizes of native/slab_pool.h. */
export const SLABS = [21_504, 43_008, 86_016, 262_144, 1_048_576] as const;

// V8 looks for dead Buffers when it allocates one itself and they have become many; slabs it does not allocate.
const LOOK_AFTER = 4_194_304;
// Many are 32 MB, but from V8 13 on (Node 24) 64 MB, at which V8 also begins to mark the whole heap, on all its threads, because so much
// memory is outside of it; while the heap is small, at a quarter of that already. Opened records leave no other garbage that would bring a
// scavenge before. So some is made: an array is the cheapest. (Node 24, TLS and SSH: receiving takes 0.3 instead of 0.5 s of CPU per GB.)
const MARKS_BEFORE = Number.parseInt(process.versions.v8, 10) >= 13;
const FILL_AFTER = 10_000_000;
// What V8 puts into the young generation's pages; more would be mapped and unmapped each time.
const MOST_ELEMENTS = 15_000;

let handedOut = 0;
/** Here so that the arrays are not optimized away. */
export let garbage: unknown[] | undefined;

/** @returns a Buffer whose memory is recycled when it is garbage (native/slab_pool.h says why); undefined: V8 wants memory of its own */
export function slabOf(sizeClass: number): Buffer | undefined {
  const slab = native.slab(sizeClass);
  if (slab === undefined) return undefined;
  handedOut += slab.length;
  if (handedOut > LOOK_AFTER) {
    handedOut = 0;
    new ArrayBuffer(1);
  }
  if (MARKS_BEFORE && native.slabsSinceReturn() > FILL_AFTER)
    for (let left = slab.length / 8; left > 0; left -= MOST_ELEMENTS)
      garbage = new Array(Math.min(left, MOST_ELEMENTS));
  return slab;
}
