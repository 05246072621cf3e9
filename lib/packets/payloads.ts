import type { Readable } from 'node:stream';
import { tooLong } from './writer.js';

/**
 * Refuses a chunk that is longer than a payload may be, before the stream has it: nothing is lost yet.
 *
 * @param most undefined: chunks may be cut
 * @throws SoCryptError ERR_SO_CRYPT_RECORD_OVERFLOW
 */
export function refuseLongPayload(most: number | undefined, chunk: unknown, encoding: unknown): void {
  if (most === undefined) return;
  const length =
    typeof chunk === 'string'
      ? Buffer.byteLength(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
      : ((chunk as Uint8Array | null)?.byteLength ?? 0);
  if (length > most) throw tooLong(length, most);
}

// A list of its own kind before Node 22.
interface ReadableState {
  buffer: { head: { data: Buffer } | null } | Buffer[];
  bufferIndex?: number;
}

/** What read() has to ask for to get one payload; a stream that is not flowing would give all it has. */
export function sizeOfPayload(stream: Readable, size: number | undefined): number | undefined {
  if (size !== undefined || stream.readableLength === 0) return size;
  const { buffer, bufferIndex } = (stream as unknown as { _readableState: ReadableState })._readableState;
  return 'head' in buffer ? buffer.head?.data.length : buffer[bufferIndex ?? 0]?.length;
}
