import type { Callback } from './records/direction.js';
import type { Socket } from './socket.js';
import { type Entry, kRunFile, type State } from './socket-internals.js';
import { bytesOf } from './userland/gather.js';

/**
 * What waited in a socket's queue and is not all for the records: bytes from before it was armed, and files. The entries of one kind that
 * come first are written, then the rest.
 *
 * @param writePlain several entries as they are
 */
export function writeMixed(
  socket: Socket,
  state: State,
  entries: Entry[],
  writePlain: (plain: Entry[], done: Callback) => void,
  callback: Callback,
): void {
  const kindOf = ({ chunk }: Entry, index: number): string | Buffer => {
    if (state.files?.has(chunk as Buffer)) return chunk;
    return index < state.plainEntries || !state.records?.writer ? 'plain' : 'records';
  };
  const kind = kindOf(entries[0]!, 0);
  const next = entries.findIndex((entry, index) => kindOf(entry, index) !== kind);
  state.heldEntries = next < 0 ? 0 : entries.length - next;
  const run = next < 0 ? entries : entries.slice(0, next);
  const file = kind === 'records' && next > 0 ? state.files?.get(entries[next]!.chunk as Buffer) : undefined;
  if (file !== undefined) {
    // What comes before a file can share its first record.
    const rest = entries.slice(next + 1);
    const behind: Callback = (error) =>
      error || rest.length === 0 ? callback(error) : socket._writev(rest, callback);
    return socket[kRunFile](entries[next]!.chunk as Buffer, file, false, behind, run.map(bytesOf));
  }
  const after: Callback = (error) => {
    if (error || next < 0) callback(error);
    else socket._writev(entries.slice(next), callback);
  };
  const [{ chunk, encoding }] = run as [Entry];
  if (run.length === 1) return socket._write(chunk, encoding as BufferEncoding, after);
  if (kind === 'records') return state.records!.send(run.map(bytesOf), after);
  state.plainEntries = Math.max(0, state.plainEntries - run.length);
  writePlain(run, after);
}
