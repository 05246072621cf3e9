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
