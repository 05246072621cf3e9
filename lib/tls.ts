/**
 * so-crypt/tls: node:tls with the same exports, whose sockets hand their records to an engine once the handshake is done.
 */
import net from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { callable } from './callable.js';
import { drop } from './drop-in.js';
import { resolveEngine } from './engines.js';
import { createSecureContext, createSecureContextMember } from './secure-context.js';
import type { HandshakeWorkers } from './tls-options.js';
import { Server as ServerClass } from './tls-server.js';
import {
  type EngineOptions,
  engineOptionsOf,
  kComplete,
  kDriven,
  kSsl,
  kStart,
  kTakeUnread,
  TLSSocket as SocketClass,
} from './tls-socket.js';

export type { EngineOptions, TLSSocketOptions } from './tls-socket.js';

/** tls.TLSSocket whose handshake is Node's own and whose records are an engine's. */
export const TLSSocket = callable(SocketClass, tls.TLSSocket);
export type TLSSocket = SocketClass;

/** tls.Server whose 'secureConnection' brings {@link TLSSocket}s of ours. */
export const Server = callable(ServerClass, tls.Server);
export type Server = ServerClass;

/** Options of {@link connect}: Node's and the engine's. */
export type ConnectionOptions = tls.ConnectionOptions & EngineOptions;

/** Options of {@link createServer}: Node's and the engine's. */
export type TlsOptions = tls.TlsOptions & EngineOptions & HandshakeWorkers;

/**
 * tls.connect. With the option `socket` a connected socket of net is taken over; any other Duplex has no descriptor that a kernel could
 * have, and its records are made in the process.
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
  const socket = new SocketClass(given, { ...rest, [kDriven]: engineOptionsOf(rest) } as object);
  const handshake = socket[kStart](false);
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
    socket.authorizationError = ssl.authorizationError ?? null;
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
  const isAborted = (rest as { signal?: AbortSignal }).signal?.aborted === true;
  if (given === undefined && !isAborted) {
    if (rest.timeout) socket.setTimeout(rest.timeout);
    socket.connect(rest as net.NetConnectOpts);
  }
  const unread = socket[kTakeUnread]();
  if (unread.length > 0) handshake.receive(unread);
  return socket;
}

/** As Node does it: net's arguments (port | path | options, [host], [listener]), and options in second or third place. */
function normalize(args: unknown[]): [ConnectionOptions, (() => void) | undefined] {
  const { _normalizeArgs } = net as unknown as {
    _normalizeArgs(args: unknown[]): [ConnectionOptions, (() => void) | null];
  };
  const [options, listener] = _normalizeArgs(args);
  const more = typeof args[1] === 'object' && args[1] !== null ? args[1] : args[2];
  return [typeof more === 'object' ? { ...options, ...more } : { ...options }, listener ?? undefined];
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
  getCiphers,
  rootCertificates,
} = tls;

export { createSecureContext };

/** What this version of Node has; undefined in older ones. */
export const { SecureContext, convertALPNProtocols, getCACertificates, setDefaultCACertificates } =
  tls as unknown as {
    SecureContext: unknown;
    convertALPNProtocols(protocols: readonly string[] | NodeJS.ArrayBufferView, out: object): void;
    getCACertificates: ((type?: 'default' | 'system' | 'bundled' | 'extra') => string[]) | undefined;
    setDefaultCACertificates:
      | ((certificates: readonly (string | NodeJS.ArrayBufferView)[]) => void)
      | undefined;
  };

/** Everything node:tls has, with ours in its place; what require() gives. */
const api = drop(tls, { TLSSocket, Server, connect, createServer, createSecureContext });
Object.defineProperty(api, 'createSecureContext', createSecureContextMember);

export type { Duplex };
export { api as default, api as 'module.exports' };
