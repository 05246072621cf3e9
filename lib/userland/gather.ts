import type { Entry } from '../socket-internals.js';

/** Up to here copying is cheaper than handing several Buffers to the addon. */
export const MOST = 16_384;

/** Up to here a loop is faster than TypedArray.prototype.set(). */
const TINY = 24;

// What is written here is sealed before anything else can run.
const scratch = Buffer.allocUnsafeSlow(MOST);

/**
 * Small chunks as one run of bytes, for a writer that seals at once; undefined: they are too long for that.
 *
 * @param atOnce so many bytes the writer seals before it returns
 */
export function gather(entries: readonly Entry[], atOnce: number): Buffer | undefined {
  const most = Math.min(MOST, atOnce);
  let at = 0;
  for (const { chunk, encoding } of entries) {
    if (typeof chunk === 'string') {
      // UTF-16 to UTF-8 makes three bytes of one unit at most.
      if (at + 3 * chunk.length > most) return undefined;
      at += scratch.write(chunk, at, encoding as BufferEncoding);
    } else {
      if (at + chunk.length > most) return undefined;
      scratch.set(chunk, at);
      at += chunk.length;
    }
  }
  return scratch.subarray(0, at);
}

/** The same for chunks of {@link MOST} bytes at most. */
export function gatherBytes(chunks: readonly Uint8Array[]): Buffer {
  let at = 0;
  for (let i = 0; i < chunks.length; i++) {
    const chunk = chunks[i]!;
    const { length } = chunk;
    if (length > TINY) scratch.set(chunk, at);
    else for (let k = 0; k < length; k++) scratch[at + k] = chunk[k]!;
    at += length;
  }
  return scratch.subarray(0, at);
}

export function bytesOf({ chunk, encoding }: Entry): Buffer {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding as BufferEncoding) : chunk;
}
