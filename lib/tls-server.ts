import type net from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { resolveEngine } from './engines.js';
import type { Handshake } from './handshake/handshake.js';
import { adopt } from './server.js';
import { canTakeOver, type EngineOptions, kComplete, kSsl, kStart, TLSSocket } from './tls-socket.js';
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

/**
 * tls.Server whose connections go to an engine after the handshake. Node's own connection listener runs the handshake, with a stream
 * of ours in place of the connection, so that all its options and events are Node's.
 */
export class Server extends tls.Server {
  readonly #handshakeOf: ConnectionListener;
  readonly #engineOptions: EngineOptions;
  readonly #pauseOnConnect: boolean;
  // The server as a handshake sees it: the same, but that the handshake's events come by here. Each connection has one that inherits.
  readonly #views: object;

  constructor(
    options?: (tls.TlsOptions & EngineOptions) | ((socket: TLSSocket) => void),
    listener?: (socket: TLSSocket) => void,
  ) {
    const given = typeof options === 'function' ? {} : { ...options };
    const onSecure = typeof options === 'function' ? options : listener;
    resolveEngine(given.engine, given.driver);
    // The handshake must read at once, whatever the application wants afterwards.
    super(
      { ...given, pauseOnConnect: false } as tls.TlsOptions,
      onSecure as ((socket: tls.TLSSocket) => void) | undefined,
    );
    const { engine, driver, truncation } = given;
    this.#engineOptions = {
      ...(engine && { engine }),
      ...(driver && { driver }),
      ...(truncation && { truncation }),
    };
    this.#pauseOnConnect = given.pauseOnConnect === true;
    const server = this;
    this.#views = Object.create(this, {
      listenerCount: { value: (event: string) => (event === 'keylog' ? 1 : server.listenerCount(event)) },
      emit: {
        value(this: View, event: string, ...args: unknown[]): boolean {
          return server.#onHandshakeEvent(this[kConnecting], event, args);
        },
      },
    });
    // The one listener that tls.Server's constructor has added.
    this.#handshakeOf = this.listeners('connection')[0] as ConnectionListener;
    this.removeListener('connection', this.#handshakeOf as never);
    this.on('connection', (connection: net.Socket) => this.#onConnection(connection));
  }

  #onConnection(connection: net.Socket): void {
    // A stream without a handle of its own (injected by emit('connection')) has nothing that an engine could carry.
    if (!canTakeOver(connection)) return void this.#handshakeOf.call(this, connection);
    const { bytes } = takeUnread(connection);
    const socket = adopt(
      connection,
      this,
      (options) => new TLSSocket({ ...options, ...this.#engineOptions }),
    );
    if (this.listenerCount('connection') > 1) {
      // Somebody keeps the connection to watch it or to close it.
      connection.once('close', () => socket.destroy());
      socket.once('close', () => connection.destroy());
    }
    const handshake = socket[kStart](true, bytes);
    const onError = (error: Error) => handshake.wire.destroy(error);
    socket.on('error', onError);
    const view: View = Object.create(this.#views);
    view[kConnecting] = { socket, handshake, onError };
    this.#handshakeOf.call(view, handshake.wire as unknown as Duplex);
  }

  // An event of a connection's handshake on its way to the application.
  #onHandshakeEvent(connection: Connecting, event: string, args: unknown[]): boolean {
    const { socket, handshake } = connection;
    switch (event) {
      case 'keylog':
        handshake.onKeylog(args[0] as Buffer);
        return this.emit(event, args[0], socket);
      case 'newSession':
      case 'resumeSession':
        return this.#ask(event, args, handshake);
      case 'tlsClientError':
        return this.emit(event, args[0], socket);
      case 'secureConnection': {
        const ssl = args[0] as tls.TLSSocket;
        socket[kSsl] = ssl;
        ssl.on('error', (error) => socket.destroy(error));
        socket[kComplete](ssl, true, () => {
          // As with node:tls, a connection that breaks must not end a server whose application does not listen.
          socket.on('error', ignore);
          socket.removeListener('error', connection.onError);
          if (this.#pauseOnConnect) socket.pause();
          this.emit(event, socket);
        });
        return true;
      }
      default:
        return this.emit(event, ...args);
    }
  }

  // Until the application has answered, OpenSSL must not be fed.
  #ask(event: string, args: unknown[], handshake: Handshake): boolean {
    if (this.listenerCount(event) === 0) return false;
    const go = handshake.hold();
    let answered = false;
    const answer = args.at(-1) as (...values: unknown[]) => void;
    const wrapped = (...values: unknown[]): void => {
      answer(...values);
      if (!answered) go();
      answered = true;
    };
    return this.emit(event, ...args.slice(0, -1), wrapped);
  }
}

function ignore(): void {}
