import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import type { Random } from './random.js';

/** Sizes of writes around those of a record and of what the kernel takes at once. */
export const oddSizes = [1, 7, 333, 1_460, 16_383, 16_384, 16_385, 40_001, 65_537] as const;

/** Cuts data into chunks whose sizes come from `sizes`, again and again. */
export function cut(data: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, i = 0; at < data.length; i++) {
    const size = sizes[i % sizes.length]!;
    chunks.push(data.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

/** Resolves when the stream wants more; rejects when it closes before. */
export function drained(stream: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      stream.off('drain', done);
      stream.off('close', closed);
      resolve();
    };
    const closed = (): void => reject(new Error('closed before it drained'));
    stream.once('drain', done);
    stream.once('close', closed);
  });
}

/** Writes the chunks, waiting for 'drain' where write() says so. */
export async function writeAll(stream: Duplex, chunks: Iterable<Buffer>): Promise<void> {
  for (const chunk of chunks) {
    if (stream.destroyed) throw new Error('destroyed while it was written to');
    if (!stream.write(chunk)) await drained(stream);
  }
}

/** Writes data in chunks of random size with pauses. Returns when all is written; ends nothing. */
export async function writeAtRandom(stream: Duplex, data: Buffer, random: Random): Promise<void> {
  for (let at = 0; at < data.length; ) {
    const size = random.size(300_000);
    if (stream.destroyed) throw new Error('destroyed while it was written to');
    const more = stream.write(data.subarray(at, at + size));
    at += size;
    if (!more && !random.oneIn(4)) await drained(stream);
    if (random.oneIn(40)) await (random.oneIn(2) ? turn() : sleep(random.integer(1, 4)));
  }
}

/** What has come to a stream so far: number of bytes and hash, not the bytes. */
export class Digest {
  readonly #hash = createHash('sha256');
  length = 0;
  ended = false;

  constructor(stream: Duplex) {
    stream.on('data', (chunk: Buffer) => {
      this.length += chunk.length;
      this.#hash.update(chunk);
    });
    stream.on('end', () => {
      this.ended = true;
    });
  }

  /** Of all; asked for once. */
  hex(): string {
    return this.#hash.digest('hex');
  }
}

/** A reader that now and then stops for some milliseconds. Call it before data comes. */
export function readSlowly(stream: Duplex, random: Random): Digest {
  const digest = new Digest(stream);
  stream.on('data', () => {
    if (!random.oneIn(10)) return;
    stream.pause();
    setTimeout(() => stream.resume(), random.integer(0, 4));
  });
  return digest;
}
