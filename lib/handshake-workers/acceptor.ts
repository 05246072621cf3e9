import { constants } from 'node:os';
import type tls from 'node:tls';
import { type AcceptedHandle, type Internals, isPlain } from '../accept.js';
import { listened } from './messages.js';
import type { Credentials, NativeThreads } from './native-threads.js';

type TcpHandle = AcceptedHandle & { open(fd: number): number; close(): void };

/** libuv's listening socket. */
interface Listening {
  readonly fd: number;
  readonly constructor: { name: string; new (type: number): TcpHandle };
  close(callback?: () => void): void;
  ref(): void;
  unref(): void;
  hasRef(): boolean;
}

/** TCPConstants.SOCKET of Node's tcp_wrap. */
const SOCKET = 0;
/** Turns of the event loop in which libuv must have begun to wait for a socket that listens. */
const MOST_TRIES = 16;

const DECISIVE = ['connection', ...Object.keys(listened)];

/**
 * Has the threads accept a server's connections, which then come to this one with their handshakes done. Only as long as nobody would see
 * the net.Socket of one, or limits how many there are; otherwise the event loop accepts as ever.
 */
export class Acceptor {
  readonly #server: Internals;
  readonly #threads: NativeThreads;
  readonly #credentials: () => Credentials | undefined;
  #listening: Listening | undefined;
  #class: Listening['constructor'] | undefined;
  /** What the threads listen with. */
  #inForce: Credentials | undefined;
  /** Of the connections that they have accepted, those the server counts. */
  #counted = 0;
  #isUpdating = false;
  #triesLeft = 0;

  /** @param credentials undefined: the next handshake is not theirs */
  constructor(server: tls.Server, threads: NativeThreads, credentials: () => Credentials | undefined) {
    this.#server = server as unknown as Internals;
    this.#threads = threads;
    this.#credentials = credentials;
    server.on('listening', () => this.#begin());
    // Before a listener is there nothing more must be accepted without it.
    server.on('newListener', (event) => {
      if (DECISIVE.includes(event as string)) this.#changed();
    });
    server.on('removeListener', (event) => {
      if (DECISIVE.includes(event as string)) this.#changed();
    });
    for (const name of ['maxConnections', 'blockList', 'emit'])
      whenAssigned(this.#server, name, () => this.#changed());
    const { getConnections } = server;
    Object.defineProperty(server, 'getConnections', {
      value: (...args: Parameters<typeof getConnections>) => {
        this.#count();
        return Reflect.apply(getConnections, server, args);
      },
      configurable: true,
      writable: true,
    });
  }

  #begin(): void {
    const listening = this.#server._handle as unknown as Listening | null;
    // Pipes have no such threads' worth of connections, and in a cluster the primary may accept.
    if (listening?.constructor.name !== 'TCP' || !(listening.fd >= 0)) return;
    this.#listening = listening;
    this.#class = listening.constructor;
    this.#triesLeft = MOST_TRIES;
    const wrap = (name: 'close' | 'ref' | 'unref', run: () => void, isFirst: boolean): void => {
      const original = listening[name];
      Object.defineProperty(listening, name, {
        value: (...args: [(() => void)?]) => {
          if (isFirst) run();
          Reflect.apply(original, listening, args);
          if (!isFirst) run();
        },
        configurable: true,
        writable: true,
      });
    };
    wrap('close', () => this.#end(), true);
    wrap('ref', () => this.update(), false);
    wrap('unref', () => this.update(), false);
    this.update();
  }

  #end(): void {
    if (this.#inForce !== undefined) this.#stop(-1);
    this.#listening = undefined;
  }

  /** To be called when something may have changed that decides who accepts. */
  update(): void {
    const listening = this.#listening;
    if (listening === undefined) return;
    // (A process that waits for nothing but an unref'd server does not wait for handshakes that nobody knows of.)
    const wanted = isPlain(this.#server) && listening.hasRef() ? this.#credentials() : undefined;
    if (wanted === this.#inForce) return;
    if (this.#inForce !== undefined) this.#stop(listening.fd);
    if (wanted !== undefined) this.#start(listening, wanted);
  }

  // Something is about to change. Until it has, the event loop accepts.
  #changed(): void {
    if (this.#inForce !== undefined) this.#stop(this.#listening!.fd);
    if (this.#listening === undefined || this.#isUpdating) return;
    this.#isUpdating = true;
    process.nextTick(() => {
      this.#isUpdating = false;
      this.update();
    });
  }

  #start({ fd }: Listening, credentials: Credentials): void {
    const result = this.#threads.listen(fd, credentials);
    if (result === 0) this.#inForce = credentials;
    else if (result === -constants.errno.ENOENT && this.#triesLeft-- > 0) setImmediate(() => this.update());
  }

  #stop(fd: number): void {
    this.#inForce = undefined;
    this.#threads.unlisten(fd);
    this.#count();
  }

  // The server counts what was accepted, also what has not come here yet: it must not be closed before.
  #count(): void {
    const { accepted } = this.#threads;
    this.#server._connections += accepted - this.#counted;
    this.#counted = accepted;
  }

  /** Handles for connections that the threads have accepted; null: it could not be had. @param given as take() has them */
  openAll(given: Uint32Array): (AcceptedHandle | null)[] {
    this.#count();
    const handles: (AcceptedHandle | null)[] = [];
    for (let i = 0; i < given.length; i++) handles.push(this.#open(given, i));
    // What nobody tells of may have changed.
    this.update();
    return handles;
  }

  #open(given: Uint32Array, i: number): AcceptedHandle | null {
    const handle = new this.#class!(SOCKET);
    if (handle.open(given[i]! - 1) !== 0) return this.#close(handle);
    // At once: this thread may be terminated anywhere that something is called.
    given[i] = 0;
    if (this.#server.noDelay) handle.setNoDelay?.(true);
    return handle;
  }

  #close(handle: TcpHandle): null {
    handle.close();
    this.#server._connections--;
    this.#server._emitCloseIfDrained();
    return null;
  }
}

// A property that programs set at any time.
function whenAssigned(object: object, name: string, changed: () => void): void {
  const hadOwn = Object.hasOwn(object, name);
  let own = hadOwn;
  let value = hadOwn ? (object as Record<string, unknown>)[name] : undefined;
  Object.defineProperty(object, name, {
    get: () => (own ? value : Reflect.get(Object.getPrototypeOf(object), name, object)),
    set(given: unknown) {
      own = true;
      value = given;
      changed();
    },
    configurable: true,
    enumerable: hadOwn,
  });
}
