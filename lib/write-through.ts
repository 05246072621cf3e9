import type { Callback } from './records/direction.js';
import type { Socket } from './socket.js';
import { kState, type State } from './socket-internals.js';
import { gatherBytes, MOST } from './userland/gather.js';

/** Whether what is given to the records now keeps its place: nothing waits in the stream's queue, which takes more. */
export function isQueueEmpty(socket: Socket, state: State): boolean {
  if (state.gate !== null || socket.destroyed || socket.writableEnded || socket.writableCorked > 0)
    return false;
  // What waits, and a file that is on its way and has no length here.
  const { writing } = (socket as unknown as { _writableState: { writing: boolean } })._writableState;
  return !writing && socket.writableLength === 0;
}

/**
 * Writes past the stream's queue, as long as nothing is in it: the chunks are sealed now, and handed to libuv behind all that was written
 * before. So order is kept, and `end()` and `write()` may follow at once.
 *
 * @param length of all chunks
 * @param callback as that of write(), but it comes before this returns when the kernel has taken everything, and an error of the
 *   connection is not told to the stream
 * @returns false: nothing was done, because it has to go by the stream
 */
export function writeThrough(
  socket: Socket,
  chunks: readonly Uint8Array[],
  length: number,
  callback: Callback,
): boolean {
  const state = socket[kState];
  const records = state?.records;
  const atOnce = records?.writer?.atOnce;
  if (state == null || records == null || atOnce === undefined || length > atOnce) return false;
  if (!isQueueEmpty(socket, state)) return false;
  const isShort = length <= MOST && chunks.length > 1;
  records.send(isShort ? [gatherBytes(chunks)] : chunks, callback);
  return true;
}
