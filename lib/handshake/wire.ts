import { EventEmitter } from 'node:events';
import net from 'node:net';
import { type JSStream, newJSStream, UV_ECANCELED, UV_EPIPE } from '../js-stream.js';

type Callback = (error?: Error | null) => void;

/** Who gets what OpenSSL puts out. */
export interface WireEnd {
  onOutput(bytes: Buffer, callback: Callback): void;
  /** OpenSSL's side has closed. */
  onWireClosed(): void;
}

/**
 * The connection as Node's TLSSocket sees it during a handshake: it passes for a connected net.Socket whose handle is a JSStream. A
 * Duplex would do (Node makes such a socket for it), but with two streams more for each handshake, which then takes half as long
 * again; and this way OpenSSL has acted on a record, and its answer is there, when {@link feed} returns.
 */
export class Wire extends EventEmitter {
  declare readonly connecting: boolean;
  declare readonly writableLength: number;
  declare readonly readableLength: number;
  declare readonly allowHalfOpen: boolean;
  /** net.Socket looks up this chain for timers. */
  _parent = null;
  _handle: JSStream | null;
  destroyed = false;
  /** The socket that the application knows. */
  owner: object | null = null;
  #end: WireEnd;
  #write: object | null = null;

  constructor(end: WireEnd) {
    super();
    this.#end = end;
    const handle = newJSStream();
    handle.isClosing = () => this.destroyed;
    handle.onreadstart = handle.onreadstop = () => 0;
    handle.onwrite = (request, chunks) => this.#onWrite(request, chunks);
    handle.onshutdown = (request) => {
      setImmediate(() => handle.finishShutdown(request, 0));
      return 0;
    };
    handle.close = (callback) => {
      this.destroy();
      if (callback) setImmediate(callback);
    };
    this._handle = handle;
  }

  /** Gives OpenSSL bytes of the peer. */
  feed(bytes: Buffer): void {
    this._handle?.readBuffer(bytes);
  }

  /** Tells OpenSSL of the peer's FIN. */
  feedEnd(): void {
    this._handle?.emitEOF();
  }

  destroy(error?: Error): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    const handle = this._handle!;
    this._handle = null;
    setImmediate(() => {
      if (this.#write !== null) handle.finishWrite(this.#write, UV_ECANCELED);
      this.#write = null;
      if (error) this.emit('error', error);
      this.emit('close');
    });
    this.#end.onWireClosed();
    return this;
  }

  #onWrite(request: object, chunks: Buffer[]): number {
    const handle = this._handle;
    if (handle === null) return UV_EPIPE;
    this.#write = request;
    this.#end.onOutput(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks), (error) => {
      if (this.#write !== request) return;
      this.#write = null;
      // OpenSSL may go on writing in here.
      handle.finishWrite(request, error ? UV_EPIPE : 0);
    });
    return 0;
  }
}

// TLSSocket asks `instanceof net.Socket`, and some of its members.
Object.setPrototypeOf(
  Wire.prototype,
  Object.create(net.Socket.prototype, {
    connecting: { value: false },
    writableLength: { value: 0 },
    readableLength: { value: 0 },
    allowHalfOpen: { value: false },
  }),
);
