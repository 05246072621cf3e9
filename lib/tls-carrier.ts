import net from 'node:net';
import type { Duplex } from 'node:stream';
import { duplexHandle } from './duplex-handle.js';
import type { Socket } from './socket.js';
import { intoInbox } from './socket-inbox.js';
import { NO_BYTES, takeUnread } from './unread.js';

interface Handle {
  isStreamBase?: boolean;
  fd?: number;
  close(callback: () => void): void;
}

type Internals = net.Socket & { _handle: Handle | null };

/** Whether the stream is a connection of the kernel whose handle can be taken over now: nothing is queued above it. */
export function canTakeOver(stream: unknown): stream is net.Socket {
  if (!(stream instanceof net.Socket) || stream.destroyed || stream.pending || stream.readableEnded)
    return false;
  if ((stream as Partial<Socket>).crypt || 'encrypted' in stream) return false;
  const handle = (stream as Internals)._handle!;
  return handle.isStreamBase === true && typeof handle.fd === 'number' && isQueueEmpty(stream);
}

/** Options for net.Socket. @param options of a TLSSocket that stands on the stream, if there is one */
export function optionsOn(options: object, stream?: Duplex | null, carrier?: Carrier): object {
  if ((options as { onread?: object }).onread === intoInbox) return options; // a server's, who has made them for this one
  const below = carrier && {
    handle: carrier.handle,
    allowHalfOpen: stream?.allowHalfOpen,
    onread: undefined,
  };
  return { ...options, ...below, pauseOnCreate: false };
}

function isQueueEmpty(stream: net.Socket): boolean {
  if (stream.writableLength === 0) return true;
  return (stream as unknown as { writableBuffer: unknown[] }).writableBuffer.length === 0;
}

/**
 * The stream that a TLSSocket was given to stand on. A connection of the kernel shares its handle: it goes on answering for addresses,
 * and can be closed, but reads nothing more. Any other stream gets a handle that reads and writes it.
 */
export class Carrier {
  readonly handle: object;
  /** What had arrived and nobody had consumed. */
  readonly unread: Buffer;
  readonly #stream: Duplex;
  /** The handle is its stream's, too. */
  readonly #isShared: boolean;
  #closed = false;
  #failed: (error: Error) => void = () => {};

  constructor(stream: Duplex) {
    this.#stream = stream;
    this.#isShared = canTakeOver(stream);
    this.unread = this.#isShared ? takeUnread(stream).bytes : NO_BYTES;
    this.handle = this.#isShared
      ? (stream as Internals)._handle!
      : duplexHandle(stream, (error) => this.#failed(error));
    stream.once('close', () => {
      this.#closed = true;
    });
  }

  /** Tells of the stream's own end and errors. */
  watch(closed: () => void, failed: (error: Error) => void): void {
    this.#failed = failed;
    this.#stream.on('close', closed);
    this.#stream.on('error', failed);
  }

  /** Runs a function that closes the handle. One that is shared is closed by its first owner: both must hear of the end. */
  closeBy(run: () => void): void {
    if (!this.#isShared) return run();
    const value = (callback: () => void): void => {
      Reflect.deleteProperty(this.handle, 'close');
      if (this.#closed) return void setImmediate(callback);
      this.#stream.once('close', () => callback());
      this.#stream.destroy();
    };
    Object.defineProperty(this.handle, 'close', { value, configurable: true, writable: true });
    run();
    Reflect.deleteProperty(this.handle, 'close');
  }
}
