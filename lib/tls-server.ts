import net from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { acceptHandles } from './accept.js';
import { callableBase } from './callable.js';
import { resolveEngine } from './engines.js';
import type { Handshake } from './handshake/handshake.js';
import { canBeNative } from './handshake-workers/native-threads.js';
import { HandshakeService } from './handshake-workers/service.js';
import { threadsOf } from './handshake-workers/setup.js';
import { adopt, adoptHandle } from './server.js';
import { canTakeOver } from './tls-carrier.js';
import type { HandshakeWorkers } from './tls-options.js';
import { ask } from './tls-server-view.js';
import {
  type EngineOptions,
  engineOptionsOf,
  kComplete,
  kDriven,
  kSsl,
  kStart,
  kTakeUnread,
  ownerOf,
  TLSSocket,
} from './tls-socket.js';
import { takeUnread } from './unread.js';

const kConnecting = Symbol('so-crypt.connecting');

/** A connection whose handshake runs. */
interface Connecting {
  socket: TLSSocket;
  handshake: Handshake;
  onError: (error: Error) => void;
}

interface View {
  [kConnecting]: Connecting;
}

type ConnectionListener = (this: object, stream: Duplex) => void;

/** What a server of Node's gets over to its connections. */
export type ServerOptions = EngineOptions & HandshakeWorkers & { pauseOnConnect?: boolean | undefined };

type PskCallback = (this: unknown, socket: TLSSocket, identity: string) => unknown;

/** Options for Node's constructor of a server. */
export function forNodesServer<T>(options: T): T {
  // Anything else Node refuses.
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return options;
  const given = options as ServerOptions & { pskCallback?: PskCallback };
  resolveEngine(given.engine, given.driver);
  threadsOf(given);
  const { pskCallback, pauseOnConnect } = given;
  return {
    ...options,
    // A handshake must read at once, whatever the application wants afterwards.
    ...(pauseOnConnect && { pauseOnConnect: false }),
    ...(typeof pskCallback === 'function' && { pskCallback: withOurs(pskCallback) }),
  };
}

// Node shows the application a TLSSocket of its own.
function withOurs(callback: PskCallback): PskCallback {
  return function (socket, identity) {
    const ours = ownerOf(socket);
    return callback.call(this === socket ? ours : this, ours, identity);
  };
}

/**
 * Makes the connections of a tls.Server of Node's, or of one of its descendants, go to an engine after the handshake. Node's own
 * connection listener runs the handshake, with a stream of ours in place of the connection, so that all its options and events are
 * Node's.
 */
export function carry(server: tls.Server, options: unknown): void {
  new Carriage(server, (typeof options === 'object' && options) || {});
}

class Carriage {
  readonly #server: tls.Server;
  readonly #handshakeOf: ConnectionListener;
  readonly #engineOptions: EngineOptions;
  // The server as a handshake sees it: the same, but that the handshake's events come by here. Each connection has one that inherits.
  readonly #views: object;
  /** Does the handshakes that are not Node's TLSSocket's in this thread. */
  readonly #service: HandshakeService | undefined;

  constructor(server: tls.Server, options: ServerOptions) {
    const { pauseOnConnect } = options;
    this.#server = server;
    this.#engineOptions = engineOptionsOf(options);
    if (pauseOnConnect) Object.assign(server, { pauseOnConnect: true });
    const carriage = this;
    this.#views = Object.create(server, {
      pauseOnConnect: { value: false },
      listenerCount: { value: (event: string) => (event === 'keylog' ? 1 : server.listenerCount(event)) },
      emit: {
        value(this: View, event: string, ...args: unknown[]): boolean {
          return carriage.#onHandshakeEvent(this[kConnecting], event, args);
        },
      },
    });
    // The one listener that tls.Server's constructor has added.
    this.#handshakeOf = server.listeners('connection')[0] as ConnectionListener;
    server.removeListener('connection', this.#handshakeOf as never);
    server.on('connection', (connection) => this.#onConnection(connection));
    const threads = threadsOf(options);
    if (threads.threads > 0 || canBeNative(options as tls.TlsOptions, threads)) {
      const service = new HandshakeService(server, options, threads, {
        socketFor: (connection, isFresh) => this.#socketFor(connection, isFresh).socket,
        socketOf: (handle) => adoptHandle(handle, server, this.#make, false),
        handshakeByNode: (connection, isFresh, received) =>
          this.#handshakeByNode(connection, isFresh, received),
      });
      acceptHandles(server, (handle) => service.offerHandle(handle));
      this.#service = service;
    }
  }

  readonly #make = (accepted: object): TLSSocket => new TLSSocket(undefined, accepted, this.#engineOptions);

  #onConnection(connection: Duplex): void {
    const isFresh = this.#isFresh(connection);
    if (!this.#service?.offer(connection, isFresh)) this.#handshakeByNode(connection, isFresh);
  }

  /** @param received what was read before, if that is not in the connection any more */
  #handshakeByNode(connection: Duplex, isFresh: boolean, received?: Buffer): void {
    const { socket, unread: left } = this.#socketFor(connection, isFresh);
    const unread = received?.length ? received : left;
    const handshake = socket[kStart](true);
    const onError = (error: Error) => handshake.wire.destroy(error);
    socket.on('error', onError);
    const view: View = Object.create(this.#views);
    view[kConnecting] = { socket, handshake, onError };
    this.#handshakeOf.call(view, handshake.wire as unknown as Duplex);
    if (unread.length > 0) handshake.receive(unread);
  }

  // A connection that nobody else has seen is no more than a handle.
  #isFresh(connection: Duplex): boolean {
    const server = this.#server;
    return (
      connection instanceof net.Socket &&
      (connection as { server?: unknown }).server === server &&
      server.listenerCount('connection') === 1
    );
  }

  #socketFor(connection: Duplex, isFresh: boolean): { socket: TLSSocket; unread: Buffer } {
    const server = this.#server;
    if (isFresh && canTakeOver(connection)) {
      const { bytes: unread } = takeUnread(connection);
      return { socket: adopt(connection, server, this.#make, false), unread };
    }
    const socket = new TLSSocket(connection, { [kDriven]: this.#engineOptions });
    Object.assign(socket, { server });
    return { socket, unread: socket[kTakeUnread]() };
  }

  // An event of a connection's handshake on its way to the application.
  #onHandshakeEvent(connection: Connecting, event: string, args: unknown[]): boolean {
    const server = this.#server;
    const { socket, handshake } = connection;
    switch (event) {
      case 'keylog':
        handshake.onKeylog(args[0] as Buffer);
        return server.emit(event, args[0], socket);
      case 'newSession':
      case 'resumeSession':
        return ask(server, event, args, handshake);
      case 'tlsClientError': {
        const ssl = args[1] as TLSSocket;
        socket.servername = ssl.servername;
        socket.authorizationError = ssl.authorizationError;
        return server.emit(event, args[0], socket);
      }
      case 'secureConnection': {
        const ssl = args[0] as tls.TLSSocket;
        socket[kSsl] = ssl;
        ssl.on('error', (error) => socket.destroy(error));
        // Whatever fails until the engine has the connection, the application hears of as of a handshake's failure; once.
        let isTold = false;
        const tell = (error: Error): void => {
          if (!isTold) server.emit('tlsClientError', error, socket);
          isTold = true;
        };
        socket.on('error', tell);
        const established = (): void => {
          // As with node:tls, a connection that breaks must not end a server whose application does not listen.
          socket.on('error', ignore);
          socket.removeListener('error', connection.onError).removeListener('error', tell);
          if ((server as { pauseOnConnect?: boolean }).pauseOnConnect) socket.pause();
          server.emit(event, socket);
        };
        socket[kComplete](ssl, true, established, tell);
        return true;
      }
      default:
        return server.emit(event, ...args);
    }
  }
}

/** tls.Server whose connections go to an engine after the handshake. */
export class Server extends callableBase(tls.Server) {
  constructor(
    options?: (tls.TlsOptions & EngineOptions & HandshakeWorkers) | ((socket: TLSSocket) => void),
    listener?: (socket: TLSSocket) => void,
  ) {
    super(
      forNodesServer(options) as tls.TlsOptions,
      listener as ((socket: tls.TLSSocket) => void) | undefined,
    );
    carry(this, options);
  }
}

function ignore(): void {}
