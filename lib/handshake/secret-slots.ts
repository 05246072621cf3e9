/** Secrets of one length in memory that they share: a Buffer's own memory costs more than a secret that every connection keeps. */
export class SecretSlots {
  readonly #length: number;
  readonly #free: Buffer[] = [];

  constructor(length: number) {
    this.#length = length;
  }

  /** A copy of a secret of that length. */
  take(secret: Uint8Array): Buffer {
    if (this.#free.length === 0) {
      const slab = Buffer.allocUnsafeSlow(SLOTS * this.#length);
      for (let i = 0; i < SLOTS; i++)
        this.#free.push(slab.subarray(i * this.#length, (i + 1) * this.#length));
    }
    const slot = this.#free.pop()!;
    slot.set(secret);
    return slot;
  }

  /** Wipes what {@link take} has returned. Call it once. */
  give(slot: Buffer): void {
    slot.fill(0);
    this.#free.push(slot);
  }
}

const SLOTS = 128;
