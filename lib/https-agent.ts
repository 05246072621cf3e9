import https from 'node:https';
import { callableBase } from './callable.js';
import tls, { type ConnectionOptions, type TLSSocket } from './tls.js';
import type { EngineOptions } from './tls-socket.js';

/** Options of {@link Agent}: Node's and the engine's. */
export type AgentOptions = https.AgentOptions & EngineOptions;

/** What Node's agent has beside what @types/node knows. */
interface Internals {
  _getSession(key: string): Buffer | undefined;
  _cacheSession(key: string, session: Buffer): void;
  _evictSession(key: string): void;
}

type Options = ConnectionOptions & { _agentKey?: string } & Record<symbol, unknown>;

/**
 * https.Agent, with Node's pool and its cache of sessions, whose connections are ours. Those through a proxy (the option `proxyEnv`)
 * are Node's.
 */
export class Agent extends callableBase(https.Agent) {
  constructor(options?: AgentOptions) {
    super(options);
  }

  override createConnection(...args: unknown[]): TLSSocket {
    if ((this.options as { proxyEnv?: unknown }).proxyEnv)
      return super.createConnection(...(args as [Options])) as unknown as TLSSocket;
    let options = connectionOptions(args);
    const cache = this as unknown as Internals;
    // A request that checks certificates in its own way may neither have sessions nor connections of others, says Node by this symbol.
    const own = Object.getOwnPropertySymbols(options).find(
      ({ description }) => description === 'per-request checkServerIdentity',
    );
    const key = own && options[own] ? undefined : options._agentKey;
    const session = key && cache._getSession(key);
    if (session) options = { session, ...options };
    const socket = tls.connect(options);
    if (own && options[own]) Object.assign(socket, { [own]: true });
    if (key) {
      socket.on('session', (session: Buffer) => cache._cacheSession(key, session));
      socket.once('close', (hadError: boolean) => {
        if (hadError) cache._evictSession(key);
      });
    }
    return socket;
  }

  override getName(options?: AgentOptions): string {
    const name = super.getName(options);
    return options?.engine ? `${name}:${options.engine}` : name;
  }
}

// ([port], [host], options, [callback])
function connectionOptions(args: unknown[]): Options {
  const given = args.find((arg) => typeof arg === 'object' && arg !== null);
  if (given === args[0] && given !== undefined) return given as Options;
  const [port, host] = args;
  return {
    ...(given as Options | undefined),
    ...(typeof port === 'number' && { port }),
    ...(typeof host === 'string' && { host }),
  };
}
