/**
 * so-crypt/https: node:https with the same exports, on the sockets of so-crypt/tls.
 */
import type http from 'node:http';
import https from 'node:https';
import { callable, callableBase } from './callable.js';
import { drop } from './drop-in.js';
import { sendFile } from './http-file/send.js';
import { Agent as AgentClass } from './https-agent.js';
import type { HandshakeWorkers } from './tls-options.js';
import { carry, forNodesServer } from './tls-server.js';
import type { EngineOptions } from './tls-socket.js';

export { type HttpFileOptions, type HttpFileResult, sendFile } from './http-file/send.js';
export type { AgentOptions } from './https-agent.js';
export type { EngineOptions } from './tls-socket.js';

/** Options of {@link createServer}: Node's and the engine's. */
export type ServerOptions = https.ServerOptions & EngineOptions & HandshakeWorkers;

/** Options of {@link request}: Node's and the engine's. */
export type RequestOptions = https.RequestOptions & EngineOptions;

class ServerClass extends callableBase(https.Server) {
  constructor(options?: ServerOptions | http.RequestListener, listener?: http.RequestListener) {
    super(forNodesServer(options) as https.ServerOptions, listener);
    carry(this, options);
  }
}
Object.defineProperty(ServerClass, 'name', { value: 'Server' });

/** https.Server, whose connections go to an engine after the handshake. */
export const Server = callable(ServerClass, https.Server);
export type Server = ServerClass;

/** https.createServer with a {@link Server}. */
export function createServer(listener?: http.RequestListener): Server;
export function createServer(options: ServerOptions, listener?: http.RequestListener): Server;
export function createServer(...args: unknown[]): Server {
  return new Server(...(args as [ServerOptions]));
}

/** https.Agent, whose connections are ours. */
export const Agent = callable(AgentClass, https.Agent);
export type Agent = AgentClass;

/** The agent of all requests that name none. */
export const globalAgent = new Agent(https.globalAgent.options as https.AgentOptions);

type Answer = (response: http.IncomingMessage) => void;

/** https.request; without the option `agent` by {@link globalAgent}. */
export function request(options: RequestOptions | string | URL, callback?: Answer): http.ClientRequest;
export function request(url: string | URL, options: RequestOptions, callback?: Answer): http.ClientRequest;
export function request(...args: unknown[]): http.ClientRequest {
  const at = isUrl(args[0]) ? 1 : 0;
  const given = args[at];
  const hasOptions = typeof given === 'object' && given !== null;
  const options: RequestOptions = hasOptions ? { ...given } : {};
  if (options.agent === false) options.agent = new Agent();
  else if (options.agent == null && typeof options.createConnection !== 'function')
    options.agent = api.globalAgent;
  args.splice(at, hasOptions || given === null ? 1 : 0, options);
  return https.request(...(args as [RequestOptions]));
}

// Also of another realm, or from a package, as Node sees it.
function isUrl(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value === 'string';
  const { href, protocol, auth, path } = value as Record<string, unknown>;
  return Boolean(href && protocol) && auth === undefined && path === undefined;
}

/** {@link request} without a body. */
export function get(options: RequestOptions | string | URL, callback?: Answer): http.ClientRequest;
export function get(url: string | URL, options: RequestOptions, callback?: Answer): http.ClientRequest;
export function get(...args: unknown[]): http.ClientRequest {
  const asked = request(...(args as [RequestOptions]));
  asked.end();
  return asked;
}

/** Everything node:https has, with ours in its place; what require() gives. */
const api = drop(https, {
  Agent,
  globalAgent: globalAgent as https.Agent,
  Server,
  createServer,
  get,
  request,
  sendFile,
});

export { api as default, api as 'module.exports' };
