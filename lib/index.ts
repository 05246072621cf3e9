/**
 * so-crypt: a drop-in for node:net whose sockets encrypt in write().
 */
import net from 'node:net';
import { callable } from './callable.js';
import { drop } from './drop-in.js';
import { engines } from './engines.js';
import { SoCryptError } from './errors.js';
import { fromHandle } from './from-handle.js';
import { Server as ServerClass } from './server.js';
import { Socket as SocketClass, type SocketOptions } from './socket.js';

export type {
  ArmedProtocol,
  CipherName,
  CryptOptions,
  CryptState,
  DirectionKeys,
  DirectionState,
  EngineChoice,
  EngineName,
  MacName,
  Protocol,
  ReadState,
} from './crypt-options.js';
export { type EngineReport, engines } from './engines.js';
export { SoCryptError, type SoCryptErrorCode } from './errors.js';
export type { FrameLayout } from './frame-layout.js';
export type { FromHandleOptions } from './from-handle.js';
export type { SshCipherName, SshCryptOptions, SshDirectionKeys, SshMacName } from './packets/options.js';
export type { SendFileOptions } from './send-file.js';
export type { SocketOptions } from './socket.js';
export { fromHandle };

/** net.Socket with {@link SocketClass.setCrypt}. */
export const Socket = callable(SocketClass, net.Socket);
export type Socket = SocketClass;
export { Socket as Stream };

/** net.Server, whose connections are {@link Socket}s. */
export const Server = callable(ServerClass, net.Server);
export type Server = ServerClass;

/** Options of {@link connect}: those of net.connect, and `crypt`. */
export type ConnectOptions = net.NetConnectOpts & SocketOptions;

/** net.connect, with a {@link Socket} and the option `crypt`. */
export function connect(options: ConnectOptions, listener?: () => void): Socket;
export function connect(port: number, host?: string, listener?: () => void): Socket;
export function connect(path: string, listener?: () => void): Socket;
export function connect(...args: unknown[]): Socket {
  const options = typeof args[0] === 'object' && args[0] !== null ? (args[0] as ConnectOptions) : undefined;
  const socket = new Socket(options);
  if (options?.timeout) socket.setTimeout(options.timeout);
  return socket.connect(...(args as [net.NetConnectOpts]));
}

/** The same as {@link connect}. */
export const createConnection = connect;

/** net.createServer, whose connections are {@link Socket}s. */
export function createServer(listener?: (socket: Socket) => void): Server;
export function createServer(options: net.ServerOpts, listener?: (socket: Socket) => void): Server;
export function createServer(...args: unknown[]): Server {
  return new Server(...(args as [net.ServerOpts]));
}

export const {
  BlockList,
  SocketAddress,
  isIP,
  isIPv4,
  isIPv6,
  getDefaultAutoSelectFamily,
  setDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout,
  setDefaultAutoSelectFamilyAttemptTimeout,
} = net;

/** Everything node:net has, with ours in its place; what require() gives. */
const api = drop(net, {
  Socket,
  Stream: Socket,
  Server,
  connect,
  createConnection,
  createServer,
  engines,
  SoCryptError,
  fromHandle,
});

export { api as default, api as 'module.exports' };
