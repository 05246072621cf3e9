/**
 * Buffers for sealed records. A write holds one until the kernel has taken all of it, which is mostly at once: then a handful of
 * buffers serve all sockets of a thread, and an idle connection holds none.
 */
export class BufferPool {
  readonly size: number;
  readonly #free: Buffer[] = [];
  readonly #keep: number;

  /**
   * @param size of each buffer, in bytes
   * @param keep how many unused ones to keep
   */
  constructor(size: number, keep: number) {
    this.size = size;
    this.#keep = keep;
  }

  acquire(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.size);
  }

  /** Ciphertext only: nothing to wipe. */
  release(buffer: Buffer): void {
    if (this.#free.length < this.#keep) this.#free.push(buffer);
  }
}

/** The pool whose buffers have so many bytes, the small one if it will do; what fits neither gets memory of its own. */
export function poolFor(
  bound: number,
  small: BufferPool,
  large: BufferPool,
): Pick<BufferPool, 'acquire' | 'release'> {
  if (bound <= small.size) return small;
  if (bound <= large.size) return large;
  return { acquire: () => Buffer.allocUnsafeSlow(bound), release: () => {} };
}
