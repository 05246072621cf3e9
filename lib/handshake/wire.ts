import { EventEmitter } from 'node:events';
import net from 'node:net';
import { Duplex } from 'node:stream';
import tls from 'node:tls';

type Callback = (error?: Error | null) => void;

/** Node's stream base that JavaScript implements: what a TLSSocket over a Duplex has below it. */
interface JSStream {
  readBuffer(bytes: Buffer): void;
  emitEOF(): void;
  finishWrite(request: object, status: number): void;
  finishShutdown(request: object, status: number): void;
  isClosing(): boolean;
  onreadstart(): number;
  onreadstop(): number;
  onshutdown(request: object): number;
  onwrite(request: object, chunks: Buffer[]): number;
  close(callback?: () => void): void;
}

/** Who gets what OpenSSL puts out. */
export interface WireEnd {
  onOutput(bytes: Buffer, callback: Callback): void;
  /** OpenSSL's side has closed. */
  onWireClosed(): void;
}

const UV_ECANCELED = -125;
const UV_EPIPE = -32;

let jsStream: (new () => JSStream) | undefined;

// Node gives the class to nobody, but every TLSSocket over a Duplex stands on an instance of it.
function JSStreamClass(): new () => JSStream {
  if (jsStream === undefined) {
    const duplex = new Duplex({ read() {}, write: (_chunk, _encoding, callback) => callback() });
    const probe = new tls.TLSSocket(duplex, {
      isServer: true,
      secureContext: tls.createSecureContext({ ca: [] }),
    });
    const { _parent } = (probe as unknown as { _handle: { _parent: JSStream } })._handle;
    jsStream = _parent.constructor as new () => JSStream;
    probe.on('error', () => {}).destroy();
  }
  return jsStream;
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
  #end: WireEnd;
  #write: object | null = null;

  constructor(end: WireEnd) {
    super();
    this.#end = end;
    const handle = new (JSStreamClass())();
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
