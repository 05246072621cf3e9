/** A seeded generator (mulberry32): what a test does at random, it does again. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** At least 0, less than 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** An integer from `from` to `to`, both included. */
  integer(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  /** True in one of `n` cases. */
  oneIn(n: number): boolean {
    return this.next() * n < 1;
  }

  /** A size whose order of magnitude is random, so that small ones are as frequent as large ones. */
  size(max: number): number {
    return Math.max(1, Math.floor(max ** this.next()));
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let i = 0; i < length; i++) bytes[i] = this.#byte();
    return bytes;
  }

  // xorshift on the same state: bytes by the million.
  #byte(): number {
    let x = this.#state || 1;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return x & 0xff;
  }
}
