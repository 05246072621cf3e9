/**
 * so-crypt/http2: node:http2 with the same exports; https connections are those of so-crypt/tls.
 */
import http2 from 'node:http2';
import type { Socket as NodesSocket } from 'node:net';
import { promisify } from 'node:util';
import { drop } from './drop-in.js';
import { sendFile } from './http-file/send.js';
import { http2Socket } from './http2-socket.js';
import net, { type ConnectOptions, type Socket } from './index.js';
import tls, { type ConnectionOptions } from './tls.js';
import type { HandshakeWorkers } from './tls-options.js';
import { carry, forNodesServer } from './tls-server.js';
import type { EngineOptions, TLSSocket } from './tls-socket.js';

export { type HttpFileOptions, type HttpFileResult, sendFile } from './http-file/send.js';
export type { EngineOptions } from './tls-socket.js';

/** Options of {@link connect}: Node's and the engine's. */
export type SecureClientSessionOptions = http2.SecureClientSessionOptions & EngineOptions;

/** Options of {@link createSecureServer}: Node's and the engine's. */
export type SecureServerOptions = http2.SecureServerOptions & EngineOptions & HandshakeWorkers;

type Options = SecureClientSessionOptions & { allowHTTP1?: boolean; ALPNCallback?: unknown };
type Listener = (session: http2.ClientHttp2Session, socket: NodesSocket) => void;

/** http2.connect, over a TLSSocket or Socket of ours. */
export function connect(authority: string | URL, listener?: Listener): http2.ClientHttp2Session;
export function connect(
  authority: string | URL,
  options?: SecureClientSessionOptions,
  listener?: Listener,
): http2.ClientHttp2Session;
export function connect(
  authority: string | URL,
  given?: Options | Listener,
  later?: Listener,
): http2.ClientHttp2Session {
  const options = typeof given === 'function' ? undefined : given;
  const listener = typeof given === 'function' ? given : later;
  const createConnection = options?.createConnection ? undefined : connectionFor(authority, options);
  if (createConnection === undefined) return http2.connect(authority, options, listener);
  return http2.connect(
    authority,
    { ...options, createConnection } as http2.SecureClientSessionOptions,
    listener,
  );
}

Object.defineProperty(connect, promisify.custom, {
  value: (authority: string | URL, options?: Options): Promise<http2.ClientHttp2Session> =>
    new Promise((resolve, reject) => {
      const session = connect(authority, options, () => {
        session.removeListener('error', reject);
        resolve(session);
      });
      session.once('error', reject);
    }),
});

// What is no authority or no protocol of http2, Node says better.
function connectionFor(authority: string | URL, options: Options | undefined) {
  if (typeof authority === 'string' && !URL.canParse(authority)) return undefined;
  const { protocol } = (typeof authority === 'string' ? new URL(authority) : authority) ?? {};
  switch (protocol || options?.protocol || 'https:') {
    case 'https:':
      return connectSecurely;
    case 'http:':
      return connectPlainly;
    default:
      return undefined;
  }
}

function connectPlainly(authority: URL, options: Options): Socket {
  const address = { port: authority.port || '80', host: hostOf(authority), ...options };
  return net.connect(address as unknown as ConnectOptions);
}

function connectSecurely(authority: URL, options: Options): TLSSocket {
  const host = hostOf(authority);
  const secure: ConnectionOptions = { ...options } as ConnectionOptions;
  if (!options.ALPNCallback) secure.ALPNProtocols = options.allowHTTP1 ? ['h2', 'http/1.1'] : ['h2'];
  if (!secure.servername && net.isIP(host) === 0) secure.servername = host;
  // Node gives the port as a string, and an empty one for that of the protocol.
  const socket = tls.connect((authority.port || '443') as unknown as number, host, secure);
  return http2Socket(socket);
}

function hostOf(authority: URL): string {
  const host = authority.hostname || authority.host || 'localhost';
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

/** http2.createSecureServer, whose connections go to an engine after the handshake. */
export function createSecureServer(listener?: Handler): http2.Http2SecureServer;
export function createSecureServer(options: SecureServerOptions, listener?: Handler): http2.Http2SecureServer;
export function createSecureServer(...args: unknown[]): http2.Http2SecureServer {
  const [options, listener] = args;
  const server = http2.createSecureServer(
    forNodesServer(options) as http2.SecureServerOptions,
    listener as Handler,
  );
  carry(server, options);
  // The one listener that Node's constructor has added.
  const start = server.listeners('secureConnection')[0] as (this: object, socket: TLSSocket) => void;
  server.removeListener('secureConnection', start as never);
  server.on('secureConnection', (socket) => {
    const ours = socket as unknown as TLSSocket;
    start.call(server, ours.alpnProtocol === 'h2' ? http2Socket(ours) : ours);
  });
  return server;
}

type Handler = (request: http2.Http2ServerRequest, response: http2.Http2ServerResponse) => void;

export const {
  constants,
  createServer,
  getDefaultSettings,
  getPackedSettings,
  getUnpackedSettings,
  sensitiveHeaders,
  Http2ServerRequest,
  Http2ServerResponse,
} = http2;

/** Undefined before Node 20.12. */
export const { performServerHandshake } = http2 as unknown as {
  performServerHandshake: (socket: NodesSocket, options?: http2.ServerOptions) => http2.ServerHttp2Session;
};

/** Everything node:http2 has, with ours in its place; what require() gives. */
const api = drop(http2, { connect, createSecureServer, sendFile });

export { api as default, api as 'module.exports' };
