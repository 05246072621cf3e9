/**
 * so-crypt/http2: node:http2 with the same exports; https connections are those of so-crypt/tls.
 */
import http2 from 'node:http2';
import net from 'node:net';
import { promisify } from 'node:util';
import { drop } from './drop-in.js';
import tls, { type ConnectionOptions } from './tls.js';
import { carry, readingAtOnce } from './tls-server.js';
import type { EngineOptions, TLSSocket } from './tls-socket.js';

export type { EngineOptions } from './tls-socket.js';

/** Options of {@link connect}: Node's and the engine's. */
export type SecureClientSessionOptions = http2.SecureClientSessionOptions & EngineOptions;

/** Options of {@link createSecureServer}: Node's and the engine's. */
export type SecureServerOptions = http2.SecureServerOptions & EngineOptions;

type Options = SecureClientSessionOptions & { allowHTTP1?: boolean; ALPNCallback?: unknown };
type Listener = (session: http2.ClientHttp2Session, socket: net.Socket) => void;

/** http2.connect; https goes over a TLSSocket of ours. */
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
  if (typeof options?.createConnection === 'function' || !isSecure(authority, options))
    return http2.connect(authority, options, listener);
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

// What is no authority at all, Node says better.
function isSecure(authority: string | URL, options: Options | undefined): boolean {
  if (typeof authority === 'string' && !URL.canParse(authority)) return false;
  const { protocol } = (typeof authority === 'string' ? new URL(authority) : authority) ?? {};
  return (protocol || options?.protocol || 'https:') === 'https:';
}

function createConnection(authority: URL, options: Options): TLSSocket {
  const name = authority.hostname || authority.host || 'localhost';
  const host = name.startsWith('[') ? name.slice(1, -1) : name;
  const secure: ConnectionOptions = { ...options } as ConnectionOptions;
  if (!options.ALPNCallback) secure.ALPNProtocols = options.allowHTTP1 ? ['h2', 'http/1.1'] : ['h2'];
  if (!secure.servername && net.isIP(host) === 0) secure.servername = host;
  // Node gives the port as a string, and an empty one for that of the protocol.
  return tls.connect((authority.port || 443) as number, host, secure);
}

/** http2.createSecureServer, whose connections go to an engine after the handshake. */
export function createSecureServer(listener?: Handler): http2.Http2SecureServer;
export function createSecureServer(options: SecureServerOptions, listener?: Handler): http2.Http2SecureServer;
export function createSecureServer(...args: unknown[]): http2.Http2SecureServer {
  const [options, listener] = args;
  const server = http2.createSecureServer(
    readingAtOnce(options) as http2.SecureServerOptions,
    listener as Handler,
  );
  carry(server, options);
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
  performServerHandshake: (socket: net.Socket, options?: http2.ServerOptions) => http2.ServerHttp2Session;
};

/** Everything node:http2 has, with ours in its place; what require() gives. */
const api = drop(http2, { connect, createSecureServer });

export { api as default, api as 'module.exports' };
