import { EventEmitter } from 'node:events';
import type net from 'node:net';
import type * as Ssh2 from 'ssh2';
import type { CryptState } from '../crypt-options.js';
import { Server as NetServer } from '../server.js';
import { cryptOf } from './client.js';
import { checkOptions, type EngineOptions } from './packet-layer.js';
import { attach, carried } from './sockets.js';
import { ssh2 } from './ssh2.js';

/** Options of {@link Server}: those of ssh2, and the engine. */
export interface ServerConfig extends Ssh2.ServerConfig, EngineOptions {}

/** A connection of a {@link Server}. */
export interface Connection extends Ssh2.Connection {
  /** What carries the connection's packets; null before the first key exchange, and while they are ssh2's own business. */
  readonly crypt: CryptState | null;
}

type Listener = (client: Connection, info: Ssh2.ClientInfo) => void;

interface Internals {
  _srv: net.Server;
}

/** ssh2's Server, whose connections are Sockets of ours that seal and open the packets. */
export class Server extends ssh2.Server {
  readonly #options: EngineOptions;

  /** @throws SoCryptError for the engine, and what ssh2 throws */
  constructor(config: ServerConfig, listener?: Listener) {
    super(config, listener as Ssh2.ServerConnectionListener | undefined);
    const { engine, driver, rekeyAfter } = config;
    this.#options = { engine, driver, rekeyAfter };
    checkOptions(this.#options);
    // ssh2's net.Server has listeners of ssh2's, and no state yet.
    const internals = this as unknown as Internals;
    const listeners = internals._srv;
    const server = new NetServer({ noDelay: true }); // as the client
    for (const name of listeners.eventNames())
      for (const one of listeners.rawListeners(name)) server.on(name as string, one as () => void);
    internals._srv = server;
  }

  override injectSocket(socket: Parameters<Ssh2.Server['injectSocket']>[0]): void {
    super.injectSocket(carried(socket));
  }

  // A connection is told of when its peer's identification has come: ahead of all packets.
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const [connection] = args;
    if (event === 'connection' && typeof connection === 'object' && connection !== null) {
      Object.defineProperty(connection, 'crypt', { get: () => cryptOf(connection), configurable: true });
      attach(connection, this.#options);
    }
    return EventEmitter.prototype.emit.call(this, event, ...args);
  }
}

// Where programs set them, ssh2's code must see it.
for (const name of ['KEEPALIVE_CLIENT_INTERVAL', 'KEEPALIVE_CLIENT_COUNT_MAX'] as const)
  Object.defineProperty(Server, name, {
    get: () => ssh2.Server[name],
    set: (value: number) => {
      ssh2.Server[name] = value;
    },
    enumerable: true,
    configurable: true,
  });
