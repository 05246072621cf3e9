import net from 'node:net';
import type { Socket } from './socket.js';
import { kState, type State } from './socket-internals.js';

/** bytesRead and bytesWritten count the application's bytes. (@types/node has them as fields, which can't be overridden in a class.) */
export function countPlainBytes(prototype: Socket): void {
  count(
    prototype,
    'bytesRead',
    ({ records, relay }) => (records?.overheadRead ?? 0) - (relay?.bytesRead ?? 0),
  );
  count(
    prototype,
    'bytesWritten',
    ({ records, relay, fileBytes }) =>
      (records?.overheadWritten ?? 0) - fileBytes - (relay?.bytesWritten ?? 0),
  );
}

function count(
  prototype: Socket,
  name: 'bytesRead' | 'bytesWritten',
  beyond: (state: State) => number,
): void {
  Object.defineProperty(prototype, name, {
    configurable: true,
    enumerable: true,
    get(this: Socket): number | undefined {
      const bytes = Reflect.get(net.Socket.prototype, name, this) as number | undefined;
      const state = this[kState];
      return bytes === undefined || state === null ? bytes : bytes - beyond(state);
    },
  });
}
