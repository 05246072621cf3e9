/** The option `onread` of net.Socket. */
export interface UserOnread {
  buffer: Uint8Array | (() => Uint8Array);
  callback: (bytes: number, buffer: Uint8Array) => boolean;
}

/** Gives plain bytes to an application that reads with `onread`, in pieces that fit its buffers. */
export class OnreadDelivery {
  readonly #onread: UserOnread;
  readonly #socket: object;
  #target: Uint8Array | undefined;
  #isPaused = false;
  #rest: Buffer[] = [];
  #whenEmpty: (() => void) | undefined;

  constructor(onread: UserOnread, socket: object) {
    this.#onread = onread;
    this.#socket = socket;
  }

  /** The test that net.Socket makes: anything else is ignored. */
  static isWanted(onread: UserOnread | null | undefined): onread is UserOnread {
    return (
      typeof onread === 'object' &&
      onread !== null &&
      (onread.buffer instanceof Uint8Array || typeof onread.buffer === 'function') &&
      typeof onread.callback === 'function'
    );
  }

  /** Until {@link deliverRest}. */
  pause(): void {
    this.#isPaused = true;
  }

  /** False: the application's callback wants no more for now; what is left is kept. */
  deliver(data: Buffer): boolean {
    if (this.#rest.length > 0 || this.#isPaused) {
      this.#rest.push(data);
      return false;
    }
    const { buffer, callback } = this.#onread;
    for (let at = 0; at < data.length; ) {
      // As net.Socket does, the application is asked for the buffer of the next read as soon as it had this one.
      const next = (): Uint8Array => (typeof buffer === 'function' ? buffer() : buffer);
      this.#target ??= next();
      const target = this.#target;
      const length = data.copy(target, 0, at);
      at += length;
      const more = length > 0 && callback.call(this.#socket, length, target) !== false;
      this.#target = next();
      if (!more || this.#isPaused) {
        if (at < data.length) this.#rest.unshift(data.subarray(at));
        return false;
      }
    }
    return true;
  }

  /** Goes on with what was kept. True: nothing is left. */
  deliverRest(): boolean {
    this.#isPaused = false;
    while (this.#rest.length > 0) {
      const [data, ...later] = this.#rest as [Buffer, ...Buffer[]];
      this.#rest = [];
      const more = this.deliver(data);
      this.#rest.push(...later);
      if (!more) return false;
    }
    const next = this.#whenEmpty;
    this.#whenEmpty = undefined;
    next?.();
    return true;
  }

  /** Calls back when nothing is left, now or later: the end of the stream comes behind its data. */
  whenEmpty(callback: () => void): void {
    if (this.#rest.length === 0) callback();
    else this.#whenEmpty = callback;
  }
}
