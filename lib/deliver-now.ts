import type { Duplex } from 'node:stream';

/** What is looked at of a stream's readable state; the same in Node 20 to 26. */
interface ReadableState {
  readonly flowing: boolean | null;
  readonly length: number;
  /** _read() has been called, and nothing has been pushed since. */
  readonly reading: boolean;
  /** That call has not returned. */
  readonly sync: boolean;
  readonly ended: boolean;
  readonly destroyed: boolean;
  readonly errored: Error | null;
  readonly encoding: string | null;
  readonly dataEmitted: boolean;
  /** What pipe() waits for. */
  readonly awaitDrainWriters: unknown;
}

/**
 * Does for a flowing stream what push() comes to: emits 'data'. What it saves is that push() asks for more by a _read() in the next tick; here
 * the one before goes on, as if it had been called already. That is as much work as http has with a small request.
 *
 * @returns false: nothing was done, because there is more to it; push() knows
 */
export function deliverNow(stream: Duplex, data: Buffer): boolean {
  const { _readableState: state } = stream as unknown as { _readableState: ReadableState };
  const isFlowing =
    state.flowing === true &&
    state.length === 0 &&
    state.reading === true &&
    state.sync === false &&
    state.ended === false &&
    state.destroyed === false &&
    state.errored === null &&
    state.encoding === null &&
    state.dataEmitted === true &&
    state.awaitDrainWriters === null;
  if (!isFlowing || stream.listenerCount('data') === 0) return false;
  stream.emit('data', data);
  return true;
}
