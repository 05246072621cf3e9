const CAPACITY = 65_536;

/** Numbers and short byte strings, one behind the other, in memory that holds keys: it is wiped when it is taken. */
export class Packer {
  readonly #bytes = Buffer.alloc(CAPACITY);
  #at = 0;

  get isEmpty(): boolean {
    return this.#at === 0;
  }

  /** Whether so many bytes more have room. */
  hasRoom(bytes: number): boolean {
    return this.#at + bytes <= CAPACITY;
  }

  u8(value: number): void {
    this.#at = this.#bytes.writeUInt8(value, this.#at);
  }

  u32(value: number): void {
    this.#at = this.#bytes.writeUInt32LE(value, this.#at);
  }

  u64(value: number | bigint): void {
    this.#at = this.#bytes.writeBigUInt64LE(BigInt(value), this.#at);
  }

  /** At most 255 bytes; undefined is as none. */
  bytes(value: Uint8Array | undefined): void {
    const length = value?.length ?? 0;
    this.u8(length);
    if (value !== undefined) this.#bytes.set(value, this.#at);
    this.#at += length;
  }

  /** All so far, in memory that can be transferred. */
  take(): ArrayBuffer {
    const filled = this.#bytes.subarray(0, this.#at);
    const taken = new ArrayBuffer(this.#at);
    new Uint8Array(taken).set(filled);
    filled.fill(0);
    this.#at = 0;
    return taken;
  }
}

/** Reads what a {@link Packer} has written. Byte strings are views. */
export class Unpacker {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(packed: ArrayBuffer | Buffer) {
    this.#bytes = Buffer.isBuffer(packed) ? packed : Buffer.from(packed);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  u8(): number {
    return this.#bytes[this.#at++]!;
  }

  u32(): number {
    this.#at += 4;
    return this.#bytes.readUInt32LE(this.#at - 4);
  }

  /** So many numbers of the machine's own, where they are. */
  numbers(count: number): Uint32Array {
    const { buffer, byteOffset } = this.#bytes;
    const view = new Uint32Array(buffer, byteOffset + this.#at, count);
    this.#at += view.byteLength;
    return view;
  }

  u64(): bigint {
    this.#at += 8;
    return this.#bytes.readBigUInt64LE(this.#at - 8);
  }

  bytes(): Buffer {
    const length = this.u8();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** Bytes whose length has four bytes. */
  long(): Buffer {
    const length = this.u32();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  text(): string {
    const length = this.u8();
    this.#at += length;
    return this.#bytes.toString('latin1', this.#at - length, this.#at);
  }

  wipe(): void {
    this.#bytes.fill(0);
  }
}
