import type net from 'node:net';
import { settleTimer } from './read-timer.js';
import type { Socket } from './socket.js';
import { kReceive, kState } from './socket-internals.js';

// What libuv reads into, for all sockets of the thread: the option `onread` of net.Socket.

// Its bytes are opened or copied before anything else can run. (Twice the size saves system calls, and costs as much again in cache misses.)
const inbox = Buffer.allocUnsafeSlow(65_536);

// SSH's packets are longer than that when they come by the thousand, and each read costs a way through ssh2 besides.
const largeInbox = Buffer.allocUnsafeSlow(524_288);

// What the handle reads into that asks next. (It asks when it is new, and behind each call of onRead.)
let nextInbox: Buffer | undefined = inbox;

// net.Socket calls it as a method of the socket.
function onRead(this: net.Socket, length: number, bytes: Buffer): boolean {
  try {
    return (this as Socket)[kReceive](bytes, length);
  } finally {
    const isLong = (this as Socket)[kState]?.records?.reader?.protocol === 'ssh';
    nextInbox = isLong && bytes === inbox ? largeInbox : undefined; // undefined: as before
    settleTimer(this as Socket);
  }
}

function takeNextInbox(): Buffer | undefined {
  const next = nextInbox;
  nextInbox = inbox;
  return next;
}

/** The option `onread` of a net.Socket that reads into our memory. */
export const intoInbox = { buffer: takeNextInbox, callback: onRead };

/** The options with which a net.Socket reads into our memory. */
export function readingIntoInbox<T extends { handle?: object; onread?: object }>(options: T): T {
  const { handle, onread } = options;
  if (onread === intoInbox) return options;
  // A handle that somebody has made of a plain object pushes what it reads.
  const canRead = !handle || 'useUserBuffer' in handle || !('readStart' in handle);
  return canRead ? { ...options, onread: intoInbox } : options;
}
