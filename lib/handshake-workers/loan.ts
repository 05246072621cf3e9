import { AsyncResource } from 'node:async_hooks';
import type net from 'node:net';
import type { TLSSocket } from '../tls-socket.js';
import { NO_BYTES, takeUnread } from '../unread.js';

interface Handle {
  fd: number;
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
  readonly connection: net.Socket;
  /** Nobody but us knows the connection. */
  readonly isFresh: boolean;
  /** What had been read before. */
  readonly unread: Buffer;
  /** What the application has been shown, if anything. */
  socket: TLSSocket | undefined;
  /** It has been destroyed meanwhile. */
  isAbandoned = false;
  readonly #scope = new AsyncResource('so-crypt.handshake');
  readonly #handle: Handle;
  readonly #abort: () => void;
  #isGuarded = false;
  #wantsToRead = false;
  #isFree = false;
  #whenFree: (() => void)[] = [];

  /** @param abort asks the thread to let go of it */
  constructor(id: number, connection: net.Socket, isFresh: boolean, abort: () => void) {
    this.id = id;
    this.connection = connection;
    this.isFresh = isFresh;
    this.#abort = abort;
    this.#handle = (connection as unknown as { _handle: Handle })._handle;
    this.#handle.readStop();
    this.#handle.reading = false;
    this.unread = connection.readableLength > 0 ? takeUnread(connection).bytes : NO_BYTES;
    if (!isFresh) this.guard(connection);
  }

  /** Runs what tells the application, in an asynchronous context of the connection's own. */
  run(tell: () => void): void {
    this.#scope.runInAsyncScope(tell);
  }

  get fd(): number {
    return this.#handle.fd;
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
      Object.defineProperty(this.#handle, name, { value, configurable: true, writable: true });
    };
    replace('readStart', true);
    replace('readStop', false);
  }

  /** The thread has closed its descriptor. */
  free(): void {
    if (this.#isFree) return;
    this.#isFree = true;
    if (this.#isGuarded) {
      Reflect.deleteProperty(this.#handle, 'readStart');
      Reflect.deleteProperty(this.#handle, 'readStop');
      if (this.#wantsToRead && !this.isAbandoned) this.#handle.readStart();
    }
    const waiting = this.#whenFree;
    this.#whenFree = [];
    for (const run of waiting) run();
  }
}
