import net from 'node:net';
import type tls from 'node:tls';
import { validate } from './arm.js';
import { attachEarly } from './arm-socket.js';
import type { CryptOptions, EngineChoice, EngineName } from './crypt-options.js';
import { resolveEngine } from './engines.js';
import { SoCryptError } from './errors.js';
import { ContentType, TLS_MAX_FRAGMENT } from './frame-layouts.js';
import { specOf } from './handshake/hand-over.js';
import { type HandOver, Handshake } from './handshake/handshake.js';
import { suiteOf } from './handshake/suite.js';
import { Summary } from './handshake/summary.js';
import { native, type Sealer } from './native.js';
import { Socket, type SocketOptions } from './socket.js';
import {
  kArm,
  kEnsureState,
  kHideHandle,
  kOpenGate,
  kRawWrite,
  kReadOn,
  kState,
} from './socket-internals.js';

/** Options beyond Node's of everything in so-crypt/tls. */
export interface EngineOptions {
  /** Default `auto`; the environment variable SO_CRYPT_ENGINE sets another default. */
  engine?: EngineName | EngineChoice;
  /** Engines `af_alg` and `cryptodev`: the kernel's name of the driver that does the cipher; the suites must be such that it can. */
  driver?: string;
  /**
   * What a FIN without close_notify is: `'end'` (default, as with node:tls) or `'error'`. With `'end'`, `socket.crypt.read.truncated`
   * tells.
   */
  truncation?: 'error' | 'end';
}

/** Methods that @types/node does not know. */
type NodesTLSSocket = tls.TLSSocket & {
  setServername(name: string): void;
  setSession(session: Buffer | string): void;
};

export const kSsl = Symbol('so-crypt.ssl');
export const kStart = Symbol('so-crypt.start');
export const kComplete = Symbol('so-crypt.complete');

/**
 * tls.TLSSocket whose handshake is Node's own and whose records are an engine's. Made by {@link connect} and by {@link Server}.
 */
export class TLSSocket extends Socket {
  declare readonly encrypted: true;
  authorized = false;
  authorizationError: Error | null = null;
  alpnProtocol: string | false | null = null;
  servername: string | false | null = null;
  secureConnecting = true;
  /** Node's TLSSocket, or what is left of it. */
  [kSsl]: tls.TLSSocket | Summary | null = null;
  #handshake: Handshake | undefined;
  /** Seals tickets that reached the engine for OpenSSL, which waits for them under the first read key. */
  #ticketSealer: Sealer | undefined;
  readonly #engineOptions: EngineOptions;

  constructor(options: SocketOptions & EngineOptions = {}) {
    resolveEngine(options.engine, options.driver);
    super(options);
    const { engine, driver, truncation } = options;
    this.#engineOptions = {
      ...(engine && { engine }),
      ...(driver && { driver }),
      truncation: truncation ?? 'end',
    };
    this[kEnsureState]().gate = [];
  }

  /** Begins to run a handshake over this socket; all bytes go to it from here on. */
  [kStart](isServer: boolean, unread?: Buffer): Handshake {
    // What OpenSSL writes before the connection is there waits for it like any other write.
    const handshake = new Handshake(
      {
        rawWrite: (bytes, callback) => this.#whenConnected(() => this[kRawWrite](bytes, callback)),
        readOn: () => this[kReadOn](),
        // What was wrong, OpenSSL's side tells in the next ticks.
        closed: () => {
          setImmediate(() => this.destroy());
        },
      },
      isServer,
    );
    this.#handshake = handshake;
    this[kState]!.tap = handshake;
    this[kHideHandle]();
    this.#whenConnected(() => this.#attachEarly());
    if (unread !== undefined && unread.length > 0) handshake.receive(unread);
    return handshake;
  }

  // Later the peer's FIN may have come, and then it is too late.
  // A connection that is broken already is found out by the handshake, and whatever else is wrong when the keys come.
  #attachEarly(): void {
    try {
      attachEarly(this, resolveEngine(this.#engineOptions.engine, this.#engineOptions.driver));
    } catch (error) {
      if (!(error instanceof SoCryptError)) throw error;
    }
  }

  /** Node's side says that the handshake is done. `established` is called when the socket is armed. */
  [kComplete](ssl: tls.TLSSocket, isServer: boolean, established: () => void): void {
    this.#handshake!.complete(ssl, (error, handOver) => {
      if (this.destroyed) return;
      if (error !== undefined || handOver === undefined) return void this.destroy(error);
      this.#takeOver(ssl, isServer, handOver, established);
    });
  }

  #takeOver(ssl: tls.TLSSocket, isServer: boolean, handOver: HandOver, established: () => void): void {
    const state = this[kState]!;
    const { engine, driver, truncation } = this.#engineOptions;
    const arming = validate({
      ...handOver.options,
      ...(engine && { engine }),
      ...(driver && { driver }),
      ...(truncation && { truncation }),
      ...(!isServer && { onHandshakeMessage: (message: Buffer) => this.#onHandshakeMessage(message) }),
    });
    state.tap = null;
    try {
      this[kArm](arming, resolveEngine(engine), handOver.rest);
    } catch (thrown) {
      if (!(thrown instanceof SoCryptError)) throw thrown;
      handOver.wipe();
      return void this.destroy(thrown);
    }
    this.#startCounting(handOver.rest.length);
    this.authorized = ssl.authorized;
    this.authorizationError = ssl.authorizationError ?? null;
    this.alpnProtocol = ssl.alpnProtocol;
    this.servername = (ssl as unknown as { servername: string | false }).servername;
    this.secureConnecting = false;
    if (isServer) {
      this[kSsl] = new Summary(ssl, handOver.exporter);
      ssl.destroy();
    } else {
      // Tickets may come at any time, and OpenSSL makes sessions of them.
      if (arming.protocol === 'tls1.3')
        this.#ticketSealer = ticketSealer(ssl, handOver.options.read!.secret!);
    }
    this.#handshake = isServer ? undefined : this.#handshake;
    handOver.wipe();
    this[kOpenGate]();
    established();
    if (this.destroyed) return;
    if (handOver.ended) process.nextTick(() => this.push(null));
    else this.read(0);
  }

  // The handshake's bytes are none of the application's.
  #startCounting(unread: number): void {
    const records = this[kState]!.records!;
    records.overheadRead = (Reflect.get(net.Socket.prototype, 'bytesRead', this) as number) - unread;
    records.overheadWritten = Reflect.get(net.Socket.prototype, '_bytesDispatched', this) as number;
  }

  // TLS 1.3, client. Only tickets come here in practice; OpenSSL judges whatever it is.
  #onHandshakeMessage(message: Buffer): void {
    const sealer = this.#ticketSealer;
    if (sealer === undefined || this.#handshake === undefined) return;
    const out = Buffer.allocUnsafe(message.length + 3 * sealer.overhead);
    const written = sealer.seal(ContentType.handshake, message, out);
    if (written > 0) this.#handshake.feed(out.subarray(0, written));
  }

  #whenConnected(run: () => void): void {
    if (!this.pending) run();
    else this.once('connect', run);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#handshake?.detach();
    this.#handshake?.wire.destroy();
    const ssl = this[kSsl];
    if (ssl instanceof Summary) ssl.dispose();
    else ssl?.destroy();
    this.#ticketSealer?.dispose();
    super._destroy(error, callback);
  }

  /** Not for TLSSockets: the handshake arms them. */
  override setCrypt(_options: CryptOptions): this {
    throw new SoCryptError('ERR_SO_CRYPT_ALREADY_ARMED', 'A TLSSocket is armed by its handshake', {
      hint: "Arm a Socket of 'so-crypt' with keys of your own",
    });
  }

  #ask<K extends keyof Summary>(method: K): Summary[K] | undefined {
    const ssl = this[kSsl] as Summary | null;
    const member = ssl?.[method];
    return typeof member === 'function' ? (member.bind(ssl) as Summary[K]) : undefined;
  }

  getCertificate(): tls.PeerCertificate | object | null {
    return this.#ask('getCertificate')?.() ?? null;
  }

  getPeerCertificate(detailed?: boolean): tls.PeerCertificate | object | null {
    return this.#ask('getPeerCertificate')?.(detailed) ?? null;
  }

  getX509Certificate() {
    return this.#ask('getX509Certificate')?.();
  }

  getPeerX509Certificate() {
    return this.#ask('getPeerX509Certificate')?.();
  }

  getCipher(): tls.CipherNameAndProtocol | null {
    return this.#ask('getCipher')?.() ?? null;
  }

  getProtocol(): string | null {
    return this.#ask('getProtocol')?.() ?? null;
  }

  /** Client: the session to resume; with TLS 1.3 wait for the event 'session'. Server: undefined after the handshake. */
  getSession(): Buffer | undefined {
    return this.#ask('getSession')?.();
  }

  getTLSTicket(): Buffer | undefined {
    return this.#ask('getTLSTicket')?.();
  }

  isSessionReused(): boolean {
    return this.#ask('isSessionReused')?.() ?? false;
  }

  getSharedSigalgs(): string[] {
    return this.#ask('getSharedSigalgs')?.() ?? [];
  }

  getEphemeralKeyInfo(): object | null {
    return this.#ask('getEphemeralKeyInfo')?.() ?? null;
  }

  getFinished(): Buffer | undefined {
    return this.#ask('getFinished')?.();
  }

  getPeerFinished(): Buffer | undefined {
    return this.#ask('getPeerFinished')?.();
  }

  exportKeyingMaterial(length: number, label: string, context?: Buffer): Buffer {
    const ask = this.#ask('exportKeyingMaterial');
    if (this.secureConnecting || ask === undefined)
      throw new SoCryptError(
        'ERR_SO_CRYPT_HANDOVER',
        'There is no keying material before the handshake is done',
      );
    return ask(length, label, context as Buffer);
  }

  /** Has no effect after the handshake: the option maxFragment of setCrypt is the engine's. */
  setMaxSendFragment(size: number): boolean {
    return this.#ask('setMaxSendFragment')?.(size) ?? false;
  }

  setServername(name: string): void {
    this.#nodes('setServername').setServername(name);
  }

  setSession(session: Buffer | string): void {
    this.#nodes('setSession').setSession(session);
  }

  enableTrace(): void {
    this.#nodes('enableTrace').enableTrace();
  }

  /** TLS 1.2's renegotiation is never offered: it needs the SSL object. */
  disableRenegotiation(): void {}

  /** Always fails, with ERR_SO_CRYPT_AFTER_HANDOVER: renegotiation needs the SSL object. */
  renegotiate(_options: object, callback?: (error: Error) => void): boolean {
    const error = new SoCryptError('ERR_SO_CRYPT_AFTER_HANDOVER', 'A connection can not renegotiate', {
      hint: 'Ask for client certificates in the handshake, or use keyUpdate() for new keys',
    });
    if (callback) process.nextTick(callback, error);
    return false;
  }

  #nodes(method: string): NodesTLSSocket {
    const ssl = this[kSsl];
    if (ssl === null || ssl instanceof Summary || !this.secureConnecting)
      throw new SoCryptError('ERR_SO_CRYPT_AFTER_HANDOVER', `${method}() has no meaning after the handshake`);
    return ssl as NodesTLSSocket;
  }
}

Object.defineProperty(TLSSocket.prototype, 'encrypted', {
  value: true,
  writable: true,
  configurable: true,
  enumerable: true,
});

function ticketSealer(ssl: tls.TLSSocket, secret: Uint8Array): Sealer {
  const { cipher } = suiteOf(ssl.getProtocol() ?? '', ssl.getCipher().standardName);
  return new native.Sealer({
    ...specOf(cipher, secret),
    maxFragment: TLS_MAX_FRAGMENT,
    padTo: 0,
    splitFirst: false,
  });
}

/** Whether the stream is a connection of the kernel whose handle can be taken over now: nothing is queued above it. */
export function canTakeOver(stream: unknown): stream is net.Socket {
  if (!(stream instanceof net.Socket) || stream.destroyed || stream.pending || stream.readableEnded)
    return false;
  if ((stream as Partial<Socket>).crypt || 'encrypted' in stream) return false;
  const handle = (
    stream as unknown as { _handle: { isStreamBase?: boolean; getAsyncId?: unknown; fd?: number } }
  )._handle;
  const queued = (stream as unknown as { writableBuffer: unknown[] }).writableBuffer;
  return handle.isStreamBase === true && typeof handle.fd === 'number' && queued.length === 0;
}
