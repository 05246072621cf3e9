/** Cuts a stream into TLS records: the handshake is fed one at a time, so that none is read that belongs to the engine. */
export class RecordSplitter {
  #pending: Buffer = Buffer.alloc(0);

  push(bytes: Buffer): void {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
  }

  /** Bytes that wait. */
  get length(): number {
    return this.#pending.length;
  }

  /** The next whole record with its header, or undefined. */
  next(): Buffer | undefined {
    const pending = this.#pending;
    if (pending.length < 5) return undefined;
    const length = 5 + pending.readUInt16BE(3);
    // Something that can't be a record: OpenSSL shall see it at once and say so.
    if (length > 5 + 16_384 + 2_048 || pending[1] !== 3) return this.rest();
    if (pending.length < length) return undefined;
    this.#pending = pending.subarray(length);
    return pending.subarray(0, length);
  }

  /** All that has not been taken. */
  rest(): Buffer {
    const rest = this.#pending;
    this.#pending = Buffer.alloc(0);
    return rest;
  }
}

/** All whole records in `bytes`. */
export function* recordsIn(bytes: Buffer): Generator<Buffer> {
  const splitter = new RecordSplitter();
  splitter.push(bytes);
  for (let record = splitter.next(); record !== undefined; record = splitter.next()) yield record;
}
