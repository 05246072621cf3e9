import { AsyncResource } from 'node:async_hooks';
import net from 'node:net';
import { type AcceptedHandle, connectionOf } from '../accept.js';
import type { TLSSocket } from '../tls-socket.js';
import { NO_BYTES, takeUnread } from '../unread.js';

interface Handle extends AcceptedHandle {
  reading: boolean;
  readStart(): number;
  readStop(): number;
}

type Destroyable = { _destroy(error: Error | null, callback: (error?: Error | null) => void): void };

/**
 * A connection whose descriptor another thread uses. Nothing of this thread reads meanwhile, and the descriptor is not closed: its number
 * could be another connection's before the thread looks for it.
 */
export class Loan {
  readonly id: number;
  /** Nobody but us knows the connection. */
  readonly isFresh: boolean;
  /** What had been read before. */
  readonly unread: Buffer;
  /** What the application has been shown, if anything. */
  socket: TLSSocket | undefined;
  /** It has been destroyed meanwhile. */
  isAbandoned = false;
  readonly #scope = new AsyncResource('so-crypt.handshake');
  /** For what nobody has seen a net.Socket of. */
  readonly handle: Handle;
  #connection: net.Socket | undefined;
  readonly #server: net.Server | undefined;
  readonly #abort: () => void;
  #isGuarded = false;
  #wantsToRead = false;
  #isFree = false;
  #whenFree: (() => void)[] = [];

  /**
   * @param what a connection, or what {@link acceptHandles} has got of one of the server's
   * @param abort asks the thread to let go of it
   */
  constructor(
    id: number,
    what: net.Socket | { handle: AcceptedHandle; server: net.Server },
    isFresh: boolean,
    abort: () => void,
  ) {
    this.id = id;
    this.isFresh = isFresh;
    this.#abort = abort;
    if (!(what instanceof net.Socket)) {
      this.handle = what.handle as Handle;
      this.#server = what.server;
      this.unread = NO_BYTES;
      return;
    }
    this.#connection = what;
    this.handle = (what as unknown as { _handle: Handle })._handle;
    this.handle.readStop();
    this.handle.reading = false;
    this.unread = what.readableLength > 0 ? takeUnread(what).bytes : NO_BYTES;
    if (!isFresh) this.guard(what);
  }

  /** Nobody has needed a net.Socket. */
  get isHandle(): boolean {
    return this.#connection === undefined;
  }

  get connection(): net.Socket {
    this.#connection ??= connectionOf(this.handle, this.#server!);
    return this.#connection;
  }

  /** Runs what tells the application, in an asynchronous context of the connection's own. */
  run(tell: () => void): void {
    this.#scope.runInAsyncScope(tell);
  }

  get fd(): number {
    return this.handle.fd;
  }

  /** The application gets a stream on the handle: it may be destroyed, paused and resumed. */
  guard(stream: net.Socket): void {
    const destroyable = stream as unknown as Destroyable;
    const value: Destroyable['_destroy'] = (error, callback) => {
      Reflect.deleteProperty(destroyable, '_destroy');
      this.isAbandoned = true;
      if (this.#isFree) return destroyable._destroy(error, callback);
      this.#whenFree.push(() => destroyable._destroy(error, callback));
      this.#abort();
    };
    Object.defineProperty(destroyable, '_destroy', { value, configurable: true, writable: true });
    this.#whenFree.push(() => Reflect.deleteProperty(destroyable, '_destroy'));
    this.#guardHandle();
  }

  #guardHandle(): void {
    if (this.#isGuarded) return;
    this.#isGuarded = true;
    const replace = (name: 'readStart' | 'readStop', wants: boolean): void => {
      const value = (): number => {
        this.#wantsToRead = wants;
        return 0;
      };
      Object.defineProperty(this.handle, name, { value, configurable: true, writable: true });
    };
    replace('readStart', true);
    replace('readStop', false);
  }

  /** The thread has closed its descriptor. */
  free(): void {
    if (this.#isFree) return;
    this.#isFree = true;
    if (this.#isGuarded) {
      Reflect.deleteProperty(this.handle, 'readStart');
      Reflect.deleteProperty(this.handle, 'readStop');
      if (this.#wantsToRead && !this.isAbandoned) this.handle.readStart();
    }
    const waiting = this.#whenFree;
    this.#whenFree = [];
    for (const run of waiting) run();
  }
}
