import { type Duplex, Readable } from 'node:stream';

export const NO_BYTES = Buffer.alloc(0);

/**
 * Takes out of a stream what has arrived and was not consumed, without telling its listeners, and, where there is some, undoes an end
 * that was noted but not told yet: the bytes are records, and the plaintext in them is still to come.
 */
export function takeUnread(stream: Duplex): { bytes: Buffer; ended: boolean } {
  const state = (stream as unknown as { _readableState: { ended: boolean } })._readableState;
  const { ended } = state;
  if (stream.readableLength === 0) return { bytes: NO_BYTES, ended };
  state.ended = false;
  const chunks: Buffer[] = [];
  // read() emits 'data'; an own `emit` hides that of the prototype for as long.
  const own = Object.getOwnPropertyDescriptor(stream, 'emit');
  Object.defineProperty(stream, 'emit', { value: () => false, configurable: true, writable: true });
  try {
    for (let chunk = take(stream); chunk !== null; chunk = take(stream)) chunks.push(chunk);
  } finally {
    if (own === undefined) Reflect.deleteProperty(stream, 'emit');
    else Object.defineProperty(stream, 'emit', own);
  }
  return { bytes: Buffer.concat(chunks), ended };
}

function take(stream: Duplex): Buffer | null {
  return Readable.prototype.read.call(stream) as Buffer | null;
}
