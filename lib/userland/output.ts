import { native } from '../native.js';

/** SlabPool::kSizes of native/slab_pool.h. */
const SLABS = [21_504, 43_008, 86_016] as const;

// V8 looks for dead Buffers when it allocates one itself and they have become many (2 x 16 MB); slabs it does not allocate.
const COLLECT_AFTER = 16_777_216;

let slabbed = 0;

/**
 * Memory for the plaintext of one read, which becomes the application's. For a small read it is Node's; for a large one it is a slab
 * that is recycled (native/slab_pool.h says why), at most twice as large as asked for.
 *
 * @param length bytes that are needed
 */
export function allocateOutput(length: number): Buffer {
  if (length <= SLABS[0] / 2) return Buffer.allocUnsafe(length);
  const sizeClass = SLABS.findIndex((size) => length <= size);
  const slab = sizeClass < 0 ? undefined : native.slab(sizeClass);
  if (slab === undefined) return Buffer.allocUnsafeSlow(length);
  slabbed += slab.length;
  if (slabbed > COLLECT_AFTER) {
    slabbed = 0;
    new ArrayBuffer(1);
  }
  return slab;
}
