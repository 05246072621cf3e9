import net from 'node:net';
import { callableBase } from './callable.js';
import { Socket } from './socket.js';
import { intoInbox } from './socket-inbox.js';

type Internals = net.Socket & { _handle: object | null; server?: unknown; _server?: unknown };

/** net.Server whose 'connection' event brings a {@link Socket}. */
export class Server extends callableBase(net.Server) {
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const [socket] = args;
    if (event === 'connection' && socket instanceof net.Socket && !(socket instanceof Socket))
      return super.emit(event, adopt(socket, this));
    return super.emit(event, ...args);
  }
}

/**
 * Moves an accepted connection from the net.Socket that net.Server made, and that nobody has seen yet, to a Socket of ours. It stays
 * counted by its server.
 */
export function adopt<T extends Socket>(
  accepted: net.Socket,
  server: net.Server,
  make: (options: object) => T = (options) => new Socket(options) as T,
  pauseOnCreate?: boolean,
): T {
  const from = accepted as Internals;
  const handle = from._handle;
  if (!handle) throw new TypeError('The connection has no handle');
  from._handle = null;
  const socket = adoptHandle(handle, server, make, pauseOnCreate);
  (socket as unknown as Internals).server = from.server;
  from._server = null;
  return socket;
}

/** The same for a connection that has no net.Socket, and is counted by its server. */
export function adoptHandle<T extends Socket>(
  handle: object,
  server: net.Server,
  make: (options: object) => T,
  pauseOnCreate = (server as net.Server & net.ServerOpts).pauseOnConnect,
): T {
  const { noDelay, keepAlive, keepAliveInitialDelay, allowHalfOpen, highWaterMark } = server as net.Server &
    net.ServerOpts;
  const socket = make({
    handle,
    allowHalfOpen,
    pauseOnCreate,
    noDelay,
    keepAlive,
    keepAliveInitialDelay: (keepAliveInitialDelay ?? 0) * 1000,
    highWaterMark,
    readable: true,
    writable: true,
    onread: 'useUserBuffer' in handle ? intoInbox : undefined,
    // net.Socket copies the options and sets these in the copy, to just these values. Where they are not there yet V8 takes 5 µs for it.
    emitClose: false,
    autoDestroy: true,
    decodeStrings: false,
  });
  const to = socket as unknown as Internals;
  to.server = to._server = server;
  return socket;
}
