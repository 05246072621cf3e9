import type { Callback } from './direction.js';

/**
 * Sends chunks in pieces of at most `most` bytes, each when the one before has gone.
 *
 * @param send gets the chunks of a piece and their length
 * @param isOver the rest need not be sent
 */
export function sendInPieces(
  chunks: readonly Uint8Array[],
  most: number,
  send: (piece: Uint8Array[], length: number, callback: Callback) => void,
  isOver: () => boolean,
  callback: Callback,
): void {
  let index = 0;
  let offset = 0;
  const next = (): { piece: Uint8Array[]; length: number } => {
    const piece: Uint8Array[] = [];
    let length = 0;
    while (length < most && index < chunks.length) {
      const chunk = chunks[index]!;
      const end = Math.min(chunk.length, offset + most - length);
      piece.push(offset === 0 && end === chunk.length ? chunk : chunk.subarray(offset, end));
      length += end - offset;
      offset = end;
      if (offset === chunk.length) {
        index++;
        offset = 0;
      }
    }
    return { piece, length };
  };
  // A loop while the kernel takes all at once, so that the stack does not grow with the write's length.
  const run = (): void => {
    for (let synchronous = true, again = true; again; ) {
      again = false;
      const { piece, length } = next();
      if (length === 0) return callback();
      synchronous = true;
      send(piece, length, (error) => {
        if (error) return callback(error);
        if (isOver()) return callback();
        if (synchronous) again = true;
        else run();
      });
      synchronous = false;
    }
  };
  run();
}
