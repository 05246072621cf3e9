import { BufferPool } from './buffer-pool.js';
import { SoCryptError } from './errors.js';
import { EAGAIN, type KernelPort, kernel, systemError } from './kernel/port.js';
import { type FileSource, OpenFile } from './open-file.js';
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
  /** Bytes of the application; the callback comes when the kernel has them, and the Buffers may be used again. */
  sendBytes(bytes: readonly Uint8Array[], callback: Callback): void;
  /** The kernel has taken bytes by sendfile(2). */
  onSent(length: number): void;
  destroy(): void;
}

/** Bytes that one sendfile(2) is asked for: the event loop waits for their encryption, some 0.3 ms. */
const KERNEL_PIECE = 524_288;

/** A call that took longer has waited for a disk. */
const SLOW_MS = 10;

/** Bytes that are read at once where there is no sendfile(2). */
const READ_PIECE = 131_072;

/** Bytes that one connection may send before others have their turn. */
const TURN = 524_288;

const pool = new BufferPool(READ_PIECE, 8);

/** Of a transfer that more hangs on than its promise. */
export interface TransferTerms {
  /** The peer was promised all of it: what goes wrong destroys the socket. */
  mustComplete?: boolean;
  /** It has ended, or will not take place; undefined: the kernel has all of it. */
  onEnd?: (error: Error | undefined) => void;
}

/** A file, or a range of one, on its way to a socket. */
export class FileTransfer {
  bytesSent = 0;
  error: Error | undefined;
  readonly #options: SendFileOptions;
  readonly #terms: TransferTerms;
  readonly #source: FileSource | OpenFile;
  readonly #opening: Promise<OpenFile> | undefined;
  #file: OpenFile | undefined;
  #head: readonly Uint8Array[] = [];
  #isOpen = false;
  #isRunning = false;
  #offset = 0;
  #remaining = 0;

  /** @throws TypeError, RangeError for options that make no sense */
  constructor(source: FileSource | OpenFile, options: SendFileOptions, terms: TransferTerms = {}) {
    checkRange(options);
    this.#options = options;
    this.#terms = terms;
    this.#source = source;
    this.#file = source instanceof OpenFile ? source : OpenFile.openCached(source);
    if (this.#file === undefined && (typeof source === 'string' || source instanceof URL)) {
      // At once, so that a missing file is known early; its error is told when its turn comes.
      this.#opening = OpenFile.open(source);
      this.#opening.catch(() => {});
    }
  }

  get isComplete(): boolean {
    return this.#isOpen && this.#remaining === 0;
  }

  /**
   * Sends all of it; the callback's error is the socket's. What is wrong with the file is in `error`.
   *
   * @param head what is to be sent before the file, in the same record where that can be
   */
  run(outlet: FileOutlet, callback: Callback, head: readonly Uint8Array[] = []): void {
    this.#isRunning = true;
    this.#head = head;
    const end: Callback = (failure) => {
      const { error } = this;
      void this.close();
      if (error && this.#terms.mustComplete) outlet.destroy();
      this.#terms.onEnd?.(error ?? failure ?? (this.isComplete ? undefined : closedEarly()));
      callback(failure);
    };
    const fail = (error: unknown): void => {
      this.error = error as Error;
      const before = this.#takeHead();
      if (before.length === 0 || this.#terms.mustComplete) end();
      else outlet.sendBytes(before, end);
    };
    const start = (file: OpenFile): void => {
      this.#file = file;
      try {
        this.#begin(file);
      } catch (error) {
        return fail(error);
      }
      this.#send(outlet, end, fail);
    };
    if (this.#options.signal?.aborted) fail(this.#options.signal.reason);
    else if (this.#file !== undefined) start(this.#file);
    else (this.#opening ?? OpenFile.open(this.#source as FileSource)).then(start, fail);
  }

  /** The socket is closed before the transfer's turn has come. */
  cancel(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.close();
    this.#terms.onEnd?.(closedEarly());
  }

  /** The transfer will not take place, or has ended. */
  async close(): Promise<void> {
    const file = this.#file ?? (await this.#opening?.catch(() => undefined));
    file?.close();
  }

  #begin(file: OpenFile): void {
    const { start = 0, end } = this.#options;
    this.#offset = start;
    this.#remaining = (end === undefined ? Math.max(file.size, start) : end + 1) - start;
    if (start + this.#remaining > file.size) throw this.#truncated(file.size);
    this.#isOpen = true;
  }

  #takeHead(): readonly Uint8Array[] {
    const head = this.#head;
    this.#head = [];
    return head;
  }

  #send(outlet: FileOutlet, done: Callback, fail: (error: Error) => void): void {
    const inKernel = this.#remaining === 0 ? undefined : outlet.kernelOutlet(this.#remaining);
    if (inKernel === undefined && this.#remaining > 0) return this.#readAndSend(outlet, done, fail);
    const head = this.#takeHead();
    const rest: Callback = (error) => {
      if (error || inKernel === undefined) return done(error);
      this.#sendInKernel(outlet, inKernel, done, (thrown) => {
        inKernel.flush();
        fail(thrown);
      });
    };
    if (head.length > 0) outlet.sendBytes(head, rest);
    else rest();
  }

  #sendInKernel(
    outlet: FileOutlet,
    { port, segment, reserve }: KernelOutlet,
    done: Callback,
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

  #readAndSend(outlet: FileOutlet, done: Callback, fail: (error: Error) => void): void {
    const buffer = pool.acquire();
    const finish = (run: () => void): void => {
      pool.release(buffer);
      run();
    };
    const failed = (error: Error): void => finish(() => fail(error));
    const step = (): void => {
      const { signal } = this.#options;
      if (signal?.aborted) return failed(signal.reason as Error);
      const room = READ_PIECE - this.#head.reduce((sum, { length }) => sum + length, 0);
      // (Who has that much to say before is answered in two pieces.)
      const count = Math.min(this.#remaining, room > 0 ? room : READ_PIECE);
      this.#file!.read(buffer, count, this.#offset, (error, bytesRead) => {
        if (error) return failed(error);
        if (bytesRead === 0) return failed(this.#truncated(this.#offset));
        if (signal?.aborted) return failed(signal.reason as Error);
        if (outlet.destroyed) return finish(done);
        outlet.sendBytes([...this.#takeHead(), buffer.subarray(0, bytesRead)], (failure) => {
          if (failure || outlet.destroyed) return finish(() => done(failure));
          if (!this.#advance(bytesRead, failed)) return;
          if (this.#remaining === 0) finish(done);
          else next(bytesRead);
        });
      });
    };
    // A loop as long as nothing has to be waited for; and other connections have their turn.
    let isLooping = false;
    let again = false;
    let taken = 0;
    const next = (length: number): void => {
      taken += length;
      if (taken >= TURN) {
        taken = 0;
        setImmediate(loop);
      } else if (isLooping) again = true;
      else loop();
    };
    const loop = (): void => {
      isLooping = true;
      do {
        again = false;
        step();
      } while (again);
      isLooping = false;
    };
    loop();
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

function closedEarly(): SoCryptError {
  return new SoCryptError('ERR_SO_CRYPT_CLOSED', 'The socket was closed before the file was sent');
}

function checkRange({ start = 0, end }: SendFileOptions): void {
  const bad = (name: string, value: unknown) =>
    Object.assign(new RangeError(`${name} of sendFile is out of range: ${value}`), {
      code: 'ERR_OUT_OF_RANGE',
    });
  if (!Number.isSafeInteger(start) || start < 0) throw bad('start', start);
  if (end !== undefined && (!Number.isSafeInteger(end) || end < start - 1)) throw bad('end', end);
}
