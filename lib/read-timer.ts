import net from 'node:net';
import type { Callback } from './records/direction.js';
import type { Socket } from './socket.js';
import { kState } from './socket-internals.js';

// setTimeout()'s timer runs anew with each read. net.Socket sees to that before it delivers what it has read; but http takes the timer of
// keep-alive away with each request, and then all of that was for nothing. So it is done here when the read has been delivered.

interface WithTimer {
  _unrefTimer(): void;
}

/** Node's name for "there was a read or a write"; in Node 20 to 26. */
const kUpdateTimer = Object.getOwnPropertySymbols(net.Socket.prototype).find(
  ({ description }) => description === 'kUpdateTimer',
);

function later(this: Socket): void {
  this[kState]!.isTouched = true;
}

/** Lets sockets that are armed in both directions wait for {@link settleTimer}. Without Node's symbol all stays as it is. */
export function deferTimer(prototype: Socket): void {
  if (kUpdateTimer === undefined) return;
  Object.defineProperty(prototype, kUpdateTimer, {
    configurable: true,
    get(this: Socket & WithTimer): () => void {
      const records = this[kState]?.records;
      return records?.reader && records.writer ? later : this._unrefTimer;
    },
  });
}

/** The read or the write has been told to the application. */
export function settleTimer(socket: Socket): void {
  const state = socket[kState];
  if (state === null || !state.isTouched) return;
  state.isTouched = false;
  (socket as unknown as WithTimer)._unrefTimer();
}

/** A write's callback that does so first. */
export function settling(socket: Socket, callback: Callback): Callback {
  return (error) => {
    settleTimer(socket);
    callback(error);
  };
}
