import { AsyncResource } from 'node:async_hooks';
import { constants } from 'node:os';
import type { CryptState } from '../crypt-options.js';
import type { Kernel } from '../native/kernel.js';
import { native } from '../native.js';
import { type Watched, watcher } from './readiness.js';

// libuv has no names for some that net/tls answers with (EBADMSG), so util.getSystemErrorName() does not do.
const errorNames = new Map(Object.entries(constants.errno).map(([name, number]) => [-number, name]));
// Node has no name for Linux's; OpenBSD's so_crypt says ENEEDAUTH instead.
errorNames.set(process.platform === 'openbsd' ? -81 : -127, 'EKEYEXPIRED');

/** A system call's failure, in the shape of Node's own. @param errno -errno */
export function systemError(errno: number, syscall: string): NodeJS.ErrnoException {
  const code = errorNames.get(errno) ?? `errno ${-errno}`;
  return Object.assign(new Error(`${syscall} ${code}`), { errno, code, syscall });
}

/** -errno of what is no failure: try again when the socket is ready. */
export const EAGAIN = -constants.errno.EAGAIN;

/** The system calls of the kernel engines. Where there are none, no engine gets as far as to ask for them. */
export function kernel(): Kernel {
  if (native.kernel === undefined) throw new Error('no kernel engine on this system');
  return native.kernel;
}

/**
 * A connection's descriptor, for system calls of ours beside those of libuv.
 */
export class KernelPort implements Watched {
  readonly fd: number;
  #id: number | undefined;
  #isRef = true;
  #closed = false;
  #isOnDevice: boolean | undefined;
  #onReadable: (() => void) | undefined;
  #writableWaiters: (() => void)[] = [];
  // Events come in the context in which the socket was armed (AsyncLocalStorage).
  readonly #context = new AsyncResource('so-crypt.KernelPort');
  readonly #fail: (error: Error) => void;

  /** @param fail called when the descriptor can't be watched */
  constructor(fd: number, fail: (error: Error) => void) {
    this.fd = fd;
    this.#fail = fail;
  }

  /** Calls back each time that something has come, and soon for what is there; undefined ends that. */
  watchReadable(callback: (() => void) | undefined): void {
    this.#onReadable = callback;
    if (callback === undefined) return this.#count();
    // There will be no event for what has come already.
    if (this.#id === undefined) this.#watch();
    else setImmediate(() => this.#readable());
    this.#count();
  }

  /** Calls back soon, once, although no event comes. */
  readAgain(): void {
    setImmediate(() => this.#readable());
  }

  /** Calls back once, when the socket takes more, or is destroyed. */
  whenWritable(callback: () => void): void {
    this.#writableWaiters.push(callback);
    this.#watch();
    this.#count();
  }

  /** As socket.ref() and unref(). */
  setRef(on: boolean): void {
    this.#isRef = on;
    this.#count();
  }

  /** Who does the record work of a direction that ktls carries. */
  offload(write: boolean): 'software' | 'device' {
    this.#isOnDevice ??= kernel().isOnDevice!(this.fd, write);
    return this.#isOnDevice ? 'device' : 'software';
  }

  /** Who waits to write is called once more, to find the socket destroyed: a callback or an open file may hang on it. */
  close(): void {
    this.#closed = true;
    this.#onReadable = undefined;
    const waiters = this.#writableWaiters;
    this.#writableWaiters = [];
    process.nextTick(() => {
      for (const waiter of waiters) waiter();
    });
    if (this.#id !== undefined) watcher().forget(this.fd, this.#id);
    this.#id = undefined;
  }

  onReady(readable: boolean, writable: boolean): void {
    if (writable && this.#writableWaiters.length > 0) {
      const waiters = this.#writableWaiters;
      this.#writableWaiters = [];
      for (const waiter of waiters) this.#context.runInAsyncScope(waiter);
    }
    if (readable) this.#readable();
    this.#count();
  }

  #readable(): void {
    if (this.#onReadable !== undefined) this.#context.runInAsyncScope(this.#onReadable);
  }

  #watch(): void {
    if (this.#closed) return;
    const result = watcher().watch(this.fd, this.#writableWaiters.length > 0, this, this.#id);
    if (result < 0) this.#fail(systemError(result, process.platform === 'linux' ? 'epoll_ctl' : 'kevent'));
    else this.#id = result;
  }

  // The event loop runs as long as somebody waits.
  #count(): void {
    if (this.#id === undefined) return;
    const waits = this.#onReadable !== undefined || this.#writableWaiters.length > 0;
    watcher().setWaiting(this.#id, waits && this.#isRef);
  }
}

/** What does the kernel's cryptography of a direction. */
export function offloadOf(
  engine: CryptState['engine'],
  port: KernelPort | undefined,
  write: boolean,
): CryptState['offload'] {
  if (engine === 'so_crypt') return 'software';
  return engine === 'ktls' ? port!.offload(write) : 'none';
}
