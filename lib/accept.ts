import { channel } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import net from 'node:net';

/** A connection of the kernel, as libuv has accepted it. */
export interface AcceptedHandle {
  readonly fd: number;
  readonly isStreamBase?: boolean;
  setNoDelay?(on: boolean): void;
}

/** What Node's own listener of libuv's does with a server, and looks at. */
export type Internals = net.Server & {
  _handle: { fd?: number; onconnection?: OnConnection } | null;
  _connections: number;
  _emitCloseIfDrained(): void;
  noDelay?: boolean;
  keepAlive?: boolean;
  blockList?: unknown;
};

type OnConnection = (this: object, error: number, handle: AcceptedHandle | undefined) => void;

const accepted = channel('net.server.socket');
const { emit } = EventEmitter.prototype;

/**
 * Shows `take` each connection of a server before there is a net.Socket for it: to make one takes as long as to accept the connection. Only
 * where nobody would see the net.Socket: 'connection' has no listener but the server's own. False from `take`: Node goes on with it.
 */
export function acceptHandles(server: net.Server, take: (handle: AcceptedHandle) => boolean): void {
  const internals = server as Internals;
  server.on('listening', () => {
    const listening = internals._handle;
    const onconnection = listening?.onconnection;
    // In a cluster it may be no handle of libuv's, and connections come from the primary.
    if (!listening || typeof onconnection !== 'function' || !(listening.fd! >= 0)) return;
    listening.onconnection = function (error, handle): void {
      if (error || !handle || !isPlain(server) || !take(handle))
        return onconnection.call(this, error, handle);
      if (internals.noDelay) handle.setNoDelay?.(true);
      internals._connections++;
    };
  });
}

/** Whether nobody would see the net.Socket of a server's connection, or limits which there are. */
export function isPlain(server: net.Server): boolean {
  const { maxConnections, blockList, keepAlive } = server as Internals;
  const isLimited = maxConnections != null || Boolean(blockList) || keepAlive === true;
  if (isLimited || accepted.hasSubscribers) return false;
  return server.emit === emit && server.listenerCount('connection') === 1;
}

/** Of the channel in which Node tells of each connection that a server has accepted. */
export function hasSubscribers(): boolean {
  return accepted.hasSubscribers;
}

export function publish(socket: net.Socket): void {
  accepted.publish({ socket });
}

/** The net.Socket that Node would have made. */
export function connectionOf(handle: AcceptedHandle, server: net.Server): net.Socket {
  const { allowHalfOpen, highWaterMark } = server as net.Server & net.ServerOpts;
  const connection = new net.Socket({
    handle,
    allowHalfOpen,
    pauseOnCreate: true,
    readable: true,
    writable: true,
    readableHighWaterMark: highWaterMark,
    writableHighWaterMark: highWaterMark,
  } as net.SocketConstructorOpts);
  return Object.assign(connection, { server, _server: server });
}
