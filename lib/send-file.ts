import { type FileHandle, open } from 'node:fs/promises';
import { BufferPool } from './buffer-pool.js';
import { SoCryptError } from './errors.js';
import { EAGAIN, type KernelPort, kernel, systemError } from './kernel/port.js';
import type { Callback } from './records/direction.js';

/** Options of {@link Socket.sendFile}. Offsets in bytes, as fs.createReadStream has them. */
export interface SendFileOptions {
  /** First byte. Default 0. */
  start?: number;
  /** Last byte, inclusive. Default: the file's last one. */
  end?: number;
  /** Ends the transfer between two pieces; what was sent stays sent. */
  signal?: AbortSignal;
  /** Called now and then with the bytes that the kernel has taken so far. */
  onProgress?: (bytesSent: number) => void;
}

/** A connection that sendfile(2) can be used on. */
export interface KernelOutlet {
  readonly port: KernelPort;
  /** Most bytes at once. */
  readonly segment: number;
  /** Runs what sends so many bytes, or tells the callback why they must not be sent. */
  reserve(length: number, callback: Callback, run: () => void): void;
  /** Sends what the kernel has kept for more. */
  flush(): void;
}

/** What sends the file's bytes: the socket, with whichever engine it has. */
export interface FileOutlet {
  readonly destroyed: boolean;
  /** undefined: sendfile(2) can't be used. */
  kernelOutlet(remaining: number): KernelOutlet | undefined;
  /** Bytes of the application; the callback comes when the kernel has them, and the Buffer may be used again. */
  sendBytes(bytes: Buffer, callback: Callback): void;
  /** The kernel has taken bytes by sendfile(2). */
  onSent(length: number): void;
}

/** Bytes that one sendfile(2) is asked for: the event loop waits for their encryption, some 0.3 ms. */
const KERNEL_PIECE = 524_288;

/** A call that took longer has waited for a disk. */
const SLOW_MS = 10;

/** Bytes that are read at once where there is no sendfile(2). */
const READ_PIECE = 131_072;

const pool = new BufferPool(READ_PIECE, 8);

/** A file, or a range of one, on its way to a socket. */
export class FileTransfer {
  bytesSent = 0;
  error: Error | undefined;
  readonly #options: SendFileOptions;
  readonly #source: string | URL | FileHandle;
  readonly #opening: Promise<FileHandle> | undefined;
  #file: FileHandle | undefined;
  #isOpen = false;
  #offset = 0;
  #remaining = 0;

  /** @throws TypeError, RangeError for options that make no sense */
  constructor(source: string | URL | FileHandle, options: SendFileOptions) {
    checkRange(options);
    this.#options = options;
    this.#source = source;
    if (typeof source === 'string' || source instanceof URL) {
      // At once, so that a missing file is known early; its error is told when its turn comes.
      this.#opening = open(source, 'r');
      this.#opening.catch(() => {});
    }
  }

  get isComplete(): boolean {
    return this.#isOpen && this.#remaining === 0;
  }

  /** Sends all of it; the callback's error is the socket's. What is wrong with the file is in `error`. */
  async run(outlet: FileOutlet, callback: Callback): Promise<void> {
    let failure: Error | null | undefined;
    try {
      this.#options.signal?.throwIfAborted();
      await this.#open();
      failure = await this.#send(outlet);
    } catch (error) {
      this.error = error as Error;
    }
    await this.close();
    callback(failure);
  }

  /** The transfer will not take place. */
  async close(): Promise<void> {
    const file = await this.#opening?.catch(() => undefined);
    await file?.close().catch(() => {});
  }

  async #open(): Promise<void> {
    this.#file = (await this.#opening) ?? (this.#source as FileHandle);
    const { start = 0, end } = this.#options;
    const stat = await this.#file.stat();
    if (!stat.isFile())
      throw Object.assign(new Error('sendFile takes a regular file'), { code: 'ERR_INVALID_ARG_VALUE' });
    this.#offset = start;
    this.#remaining = (end === undefined ? Math.max(stat.size, start) : end + 1) - start;
    if (start + this.#remaining > stat.size) throw this.#truncated(stat.size);
    this.#isOpen = true;
  }

  /** Resolves with the socket's error, or nothing. */
  #send(outlet: FileOutlet): Promise<Error | null | undefined> {
    if (this.#remaining === 0) return Promise.resolve(undefined);
    const inKernel = outlet.kernelOutlet(this.#remaining);
    return new Promise((resolve, reject) => {
      if (inKernel === undefined) return this.#readAndSend(outlet, resolve, reject);
      const flush = (end: (error: Error) => void) => (error: Error) => {
        inKernel.flush();
        end(error);
      };
      this.#sendInKernel(outlet, inKernel, resolve, flush(reject));
    });
  }

  #sendInKernel(
    outlet: FileOutlet,
    { port, segment, reserve }: KernelOutlet,
    done: (error?: Error | null) => void,
    fail: (error: Error) => void,
  ): void {
    const fd = this.#file!.fd;
    let inBackground = false;
    const step = (): void => {
      if (outlet.destroyed) return done();
      const { signal } = this.#options;
      if (signal?.aborted) return fail(signal.reason as Error);
      const count = Math.min(this.#remaining, KERNEL_PIECE, segment);
      reserve(count, done, () => send(count));
    };
    const send = (count: number): void => {
      if (inBackground) return kernel().sendFileInBackground!(port.fd, fd, this.#offset, count, after);
      const begin = performance.now();
      const result = kernel().sendFile!(port.fd, fd, this.#offset, count);
      inBackground = performance.now() - begin > SLOW_MS;
      after(result);
    };
    const after = (result: number): void => {
      if (outlet.destroyed) return done();
      if (result === EAGAIN) return port.whenWritable(step);
      if (result < 0) return done(systemError(result, 'sendfile'));
      if (result === 0) return fail(this.#truncated(this.#offset));
      outlet.onSent(result);
      if (!this.#advance(result, fail)) return;
      if (this.#remaining === 0) done();
      else setImmediate(step); // other connections have their turn
    };
    step();
  }

  #readAndSend(outlet: FileOutlet, done: (error?: Error | null) => void, fail: (error: Error) => void): void {
    const buffer = pool.acquire();
    const end = (run: () => void): void => {
      pool.release(buffer);
      run();
    };
    const step = async (): Promise<void> => {
      const { signal } = this.#options;
      let bytesRead: number;
      try {
        signal?.throwIfAborted();
        const count = Math.min(this.#remaining, READ_PIECE);
        ({ bytesRead } = await this.#file!.read(buffer, 0, count, this.#offset));
        if (bytesRead === 0) throw this.#truncated(this.#offset);
        signal?.throwIfAborted();
      } catch (error) {
        return end(() => fail(error as Error));
      }
      if (outlet.destroyed) return end(() => done());
      outlet.sendBytes(buffer.subarray(0, bytesRead), (error) => {
        if (error || outlet.destroyed) return end(() => done(error));
        if (!this.#advance(bytesRead, (thrown) => end(() => fail(thrown)))) return;
        if (this.#remaining === 0) end(() => done());
        else void step();
      });
    };
    void step();
  }

  /** False: the application's onProgress threw. */
  #advance(length: number, fail: (error: Error) => void): boolean {
    this.#offset += length;
    this.#remaining -= length;
    this.bytesSent += length;
    try {
      this.#options.onProgress?.(this.bytesSent);
      return true;
    } catch (error) {
      fail(error as Error);
      return false;
    }
  }

  #truncated(size: number): SoCryptError {
    const error = new SoCryptError(
      'ERR_SO_CRYPT_FILE_TRUNCATED',
      `The file ends at ${size}, ${this.#remaining} bytes before the end of what was to be sent`,
      { hint: 'If the peer was promised the rest, destroy the socket' },
    );
    return Object.assign(error, { bytesSent: this.bytesSent });
  }
}

function checkRange({ start = 0, end }: SendFileOptions): void {
  const bad = (name: string, value: unknown) =>
    Object.assign(new RangeError(`${name} of sendFile is out of range: ${value}`), {
      code: 'ERR_OUT_OF_RANGE',
    });
  if (!Number.isSafeInteger(start) || start < 0) throw bad('start', start);
  if (end !== undefined && (!Number.isSafeInteger(end) || end < start - 1)) throw bad('end', end);
}
