/**
 * so-crypt/tls: node:tls with the same exports, whose sockets hand their records to an engine once the handshake is done.
 */
import type net from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { resolveEngine } from './engines.js';
import { Server } from './tls-server.js';
import { canTakeOver, type EngineOptions, kComplete, kSsl, kStart, TLSSocket } from './tls-socket.js';
import { takeUnread } from './unread.js';

export { Server } from './tls-server.js';
export { type EngineOptions, TLSSocket } from './tls-socket.js';

/** Options of {@link connect}: Node's and the engine's. */
export type ConnectionOptions = tls.ConnectionOptions & EngineOptions;

/** Options of {@link createServer}: Node's and the engine's. */
export type TlsOptions = tls.TlsOptions & EngineOptions;

/**
 * tls.connect. With the option `socket` a connected socket of net is taken over; any other Duplex has no descriptor that an engine
 * could have, and Node's own TLSSocket is returned for it.
 */
export function connect(options: ConnectionOptions, listener?: () => void): TLSSocket;
export function connect(
  port: number,
  host?: string,
  options?: ConnectionOptions,
  listener?: () => void,
): TLSSocket;
export function connect(port: number, options?: ConnectionOptions, listener?: () => void): TLSSocket;
export function connect(...args: unknown[]): TLSSocket {
  const [options, listener] = normalize(args);
  resolveEngine(options.engine, options.driver);
  const { socket: given, ...rest } = options;
  if (given !== undefined && !canTakeOver(given))
    return tls.connect(options, listener) as unknown as TLSSocket;

  const { socket, unread } = given === undefined ? fresh(rest) : takeOver(given as net.Socket, rest);
  const handshake = socket[kStart](false, unread);
  const {
    signal: _signal,
    onread: _onread,
    timeout: _timeout,
    ...forNode
  } = rest as ConnectionOptions & { signal?: unknown; onread?: unknown };
  const hostname = given && (given as unknown as { _host?: string })._host;
  let ssl: tls.TLSSocket;
  try {
    ssl = tls.connect({
      ...(hostname && { host: hostname }),
      ...forNode,
      socket: handshake.wire as unknown as net.Socket,
    });
  } catch (error) {
    handshake.detach();
    socket.destroy();
    throw error;
  }
  socket[kSsl] = ssl;
  socket.authorized = false;
  ssl.on('keylog', (line: Buffer) => {
    handshake.onKeylog(line);
    socket.emit('keylog', line);
  });
  // Before TLS 1.3 the session is there before the handshake is done; the application hears of it afterwards.
  let early: Buffer | undefined;
  ssl.on('session', (session: Buffer) => {
    if (socket.secureConnecting) early = session;
    else socket.emit('session', session);
  });
  ssl.on('OCSPResponse', (response: Buffer) => socket.emit('OCSPResponse', response));
  ssl.on('error', (error: Error) => {
    if (!socket.destroyed) socket.destroy(error);
  });
  ssl.once('secureConnect', () => {
    socket[kComplete](ssl, false, () => {
      socket.emit('secure');
      socket.emit('secureConnect');
      if (early !== undefined) socket.emit('session', early);
    });
  });
  if (listener) socket.once('secureConnect', listener);
  if (given === undefined) {
    if (rest.timeout) socket.setTimeout(rest.timeout);
    socket.connect(rest as net.NetConnectOpts);
  }
  return socket;
}

function fresh(options: ConnectionOptions): { socket: TLSSocket; unread?: Buffer } {
  return { socket: new TLSSocket(options as object) };
}

function takeOver(given: net.Socket, options: ConnectionOptions): { socket: TLSSocket; unread: Buffer } {
  const { bytes: unread } = takeUnread(given);
  const from = given as unknown as { _handle: object | null };
  const handle = from._handle;
  from._handle = null;
  const socket = new TLSSocket({ ...options, handle, allowHalfOpen: given.allowHalfOpen } as object);
  // The one who gave it may go on watching it and closing it.
  given.once('close', () => socket.destroy());
  socket.once('close', () => given.destroy());
  return { socket, unread };
}

// port | path | options, [host], [options], [listener]
function normalize(args: unknown[]): [ConnectionOptions, (() => void) | undefined] {
  const listener = typeof args.at(-1) === 'function' ? (args.at(-1) as () => void) : undefined;
  const options: ConnectionOptions = {};
  const [first, second] = args;
  if (typeof first === 'string' && !/^\d+$/.test(first)) options.path = first;
  else if (typeof first === 'number' || typeof first === 'string') options.port = Number(first);
  if (typeof second === 'string') options.host = second;
  for (const arg of args) if (typeof arg === 'object' && arg !== null) Object.assign(options, arg);
  return [options, listener];
}

/** tls.createServer, whose 'secureConnection' brings {@link TLSSocket}s of ours. */
export function createServer(listener?: (socket: TLSSocket) => void): Server;
export function createServer(options: TlsOptions, listener?: (socket: TLSSocket) => void): Server;
export function createServer(...args: unknown[]): Server {
  return new Server(...(args as [TlsOptions]));
}

export const {
  CLIENT_RENEG_LIMIT,
  CLIENT_RENEG_WINDOW,
  DEFAULT_CIPHERS,
  DEFAULT_ECDH_CURVE,
  DEFAULT_MAX_VERSION,
  DEFAULT_MIN_VERSION,
  checkServerIdentity,
  createSecureContext,
  getCiphers,
  rootCertificates,
} = tls;

/** The class of createSecureContext()'s contexts. */
export const SecureContext = (tls as unknown as { SecureContext: unknown }).SecureContext;

/** Everything node:tls has, with ours in its place. */
export default { ...tls, TLSSocket, Server, connect, createServer };

export type { Duplex };
