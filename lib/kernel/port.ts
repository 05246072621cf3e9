import { getSystemErrorName } from 'node:util';
import { type Kernel, native, type Poll } from '../native.js';

const READABLE = 1; // UV_READABLE
const WRITABLE = 2; // UV_WRITABLE

/** A system call's failure, in the shape of Node's own. */
export function systemError(errno: number, syscall: string): NodeJS.ErrnoException {
  const code = getSystemErrorName(errno);
  return Object.assign(new Error(`${syscall} ${code}`), { errno, code, syscall });
}

/** -errno of what is no failure: try again when the socket is ready. */
export const EAGAIN = -11;

/** The system calls of the kernel engines. Where there are none, no engine gets as far as to ask for them. */
export function kernel(): Kernel {
  if (native.kernel === undefined) throw new Error('no kernel engine on this system');
  return native.kernel;
}

/**
 * A connection's descriptor, for system calls of ours beside those of libuv. Waiting is done on a duplicate, which exists only when
 * something has had to wait.
 */
export class KernelPort {
  readonly fd: number;
  #poll: Poll | undefined;
  #events = 0;
  #isRef = true;
  #closed = false;
  #isOnDevice: boolean | undefined;
  #onReadable: (() => void) | undefined;
  #writableWaiters: (() => void)[] = [];
  readonly #fail: (error: Error) => void;

  /** @param fail called when the descriptor can't be watched */
  constructor(fd: number, fail: (error: Error) => void) {
    this.fd = fd;
    this.#fail = fail;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Calls back whenever there is something to read; undefined ends that. */
  watchReadable(callback: (() => void) | undefined): void {
    this.#onReadable = callback;
    this.#watch();
  }

  /** Calls back once, when the socket takes more. */
  whenWritable(callback: () => void): void {
    this.#writableWaiters.push(callback);
    this.#watch();
  }

  /** As socket.ref() and unref(). */
  setRef(on: boolean): void {
    this.#isRef = on;
    this.#poll?.setRef(on);
  }

  /** Who does the record work of a direction that ktls carries. */
  offload(write: boolean): 'software' | 'device' {
    this.#isOnDevice ??= kernel().isOnDevice(this.fd, write);
    return this.#isOnDevice ? 'device' : 'software';
  }

  close(): void {
    this.#closed = true;
    this.#poll?.close();
    this.#poll = undefined;
    this.#onReadable = undefined;
    this.#writableWaiters = [];
  }

  #watch(): void {
    if (this.#closed) return;
    const events = (this.#onReadable ? READABLE : 0) | (this.#writableWaiters.length > 0 ? WRITABLE : 0);
    if (events === this.#events) return;
    this.#events = events;
    const poll = this.#poll ?? this.#open();
    const result = poll?.watch(events) ?? 0;
    if (result < 0) this.#fail(systemError(result, 'poll'));
  }

  #open(): Poll | undefined {
    const poll = new (kernel().Poll)(this.fd, (status, events) => this.#onEvent(status, events));
    if (poll.error < 0) {
      this.#fail(systemError(poll.error, 'dup'));
      return undefined;
    }
    poll.setRef(this.#isRef);
    this.#poll = poll;
    return poll;
  }

  // libuv stops watching when it reports an error, and does not say which: the next system call does.
  #onEvent(status: number, events: number): void {
    if (status < 0) this.#events = 0;
    if (status < 0 || events & WRITABLE) {
      const waiters = this.#writableWaiters;
      this.#writableWaiters = [];
      for (const waiter of waiters) waiter();
    }
    if (status < 0 || events & READABLE) this.#onReadable?.();
    this.#watch();
  }
}
