import type { WriteChunks } from './duplex-handle.js';
import { native } from './native.js';
import type { Callback } from './records/direction.js';
import type { TLSSocket } from './tls-socket.js';
import { writeThrough } from './write-through.js';

/** Most bytes that go past the stream's queue at once. */
const PIECE = 131_072;

/**
 * Writes for http2, which brings the frames of a turn of the event loop together, in many chunks. It waits for the end of a write before
 * it goes on, so it is told at once where the kernel takes all at once.
 *
 * The chunks are JSStream's copies, of which nobody else knows: their memory is given back when they are written. Left to the garbage
 * collector it takes other threads to free it, and costs more than sealing.
 */
export function http2Writer(socket: TLSSocket): WriteChunks {
  return (chunks, length, callback) => {
    let isHere = true;
    const end: Callback = (error) => {
      native.discard(chunks);
      if (error && isHere) setImmediate(callback, error);
      else callback(error);
    };
    let rest: readonly Buffer[] = chunks;
    let left = length;
    while (left > PIECE) {
      const [piece, behind] = splitAt(rest, PIECE);
      let isTaken = false;
      const done: Callback = (error) => {
        if (error) socket.destroy(error);
        isTaken = !error;
      };
      if (!writeThrough(socket, piece, PIECE, done)) break;
      rest = behind;
      left -= PIECE;
      if (!isTaken) break; // the socket is full: the stream waits for it
    }
    const done: Callback = (error) => {
      if (error) socket.destroy(error);
      end(error);
    };
    if (left > PIECE || !writeThrough(socket, rest, left, done)) writeByStream(socket, rest, end);
    isHere = false;
  };
}

function writeByStream(socket: TLSSocket, chunks: readonly Buffer[], callback: Callback): void {
  const last = chunks.length - 1;
  socket.cork();
  for (let i = 0; i < last; i++) socket.write(chunks[i]!);
  socket.write(chunks[last]!, callback);
  socket.uncork();
}

/** Copies nothing. */
function splitAt(
  chunks: readonly Buffer[],
  length: number,
): [before: readonly Buffer[], behind: readonly Buffer[]] {
  let index = 0;
  let at = 0;
  while (at + chunks[index]!.length <= length) at += chunks[index++]!.length;
  const before = chunks.slice(0, index);
  const behind = chunks.slice(index);
  if (at < length) {
    const cut = behind[0]!;
    before.push(cut.subarray(0, length - at));
    behind[0] = cut.subarray(length - at);
  }
  return [before, behind];
}
