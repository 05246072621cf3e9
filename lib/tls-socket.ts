import net from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { armWithMade, attachEarly } from './arm-socket.js';
import type { CryptOptions } from './crypt-options.js';
import { resolveEngine } from './engines.js';
import { SoCryptError } from './errors.js';
import { ContentType, TLS_MAX_FRAGMENT } from './frame-layouts.js';
import { type Agreed, agreedBy } from './handshake/agreed.js';
import { type HandOver, Handshake } from './handshake/handshake.js';
import { Summary, summaryFactsOf } from './handshake/summary.js';
import { ticketSealer } from './handshake/tickets.js';
import type { Sealer } from './native/records.js';
import { Socket, type SocketOptions } from './socket.js';
import {
  kArm,
  kEnsureState,
  kHideHandle,
  kHold,
  kOpenGate,
  kRawWrite,
  kReadOn,
  kState,
  type State,
} from './socket-internals.js';
import { armingOf, MadeDirections } from './tls-arming.js';
import { handshakeByHand } from './tls-by-hand.js';
import { Carrier, optionsOn } from './tls-carrier.js';
import type { EngineOptions, TLSSocketOptions } from './tls-options.js';
import { beInstancesOfNodes } from './tls-prototype.js';

export type { EngineOptions, TLSSocketOptions } from './tls-options.js';

/** What @types/node does not know. */
type NodesTLSSocket = tls.TLSSocket & {
  _start(): void;
  setServername(name: string): void;
  setSession(session: Buffer | string): void;
  setKeyCert(context: object): void;
};

/** Of a TLSSocket whose handshake connect() or a tls.Server runs: an option, with the engine's options, which have been checked. */
export const kDriven = Symbol('so-crypt.driven');
export const kSsl = Symbol('so-crypt.ssl');
export const kStart = Symbol('so-crypt.start');
export const kTakeUnread = Symbol('so-crypt.takeUnread');
export const kComplete = Symbol('so-crypt.complete');
export const kEstablish = Symbol('so-crypt.establish');

/**
 * tls.TLSSocket whose handshake is Node's own and whose records are an engine's.
 */
export class TLSSocket extends Socket {
  declare readonly encrypted: true;
  authorized = false;
  authorizationError: Error | null = null;
  alpnProtocol: string | false | null = null;
  servername: string | false | null = null;
  secureConnecting = true;
  /** False: nobody has to listen to 'error'. */
  _controlReleased = true;
  /** Node's TLSSocket, or what is left of it. */
  [kSsl]: tls.TLSSocket | Summary | null = null;
  #handshake: Handshake | undefined;
  #maxSendFragment: number | undefined;
  /** Seals tickets that reached the engine for OpenSSL, which waits for them under the first read key. */
  #ticketSealer: Sealer | undefined;
  readonly #engineOptions: EngineOptions;

  readonly #carrier: Carrier | undefined;
  #isStarted = true;

  /** @param stream a connection or any other Duplex; without one, call connect() */
  constructor(
    stream?: Duplex | null,
    options: TLSSocketOptions & { [kDriven]?: EngineOptions } = {},
    given?: EngineOptions,
  ) {
    const driven = given ?? options[kDriven];
    if (driven === undefined) resolveEngine(options.engine, options.driver);
    const carrier = stream ? new Carrier(stream) : undefined;
    super(optionsOn(options, stream, carrier) as SocketOptions);
    this.#engineOptions = driven ?? engineOptionsOf(options);
    this.#carrier = carrier;
    this[kEnsureState]().gate = [];
    if (stream && carrier) this.#standOn(stream, carrier);
    if (driven !== undefined) return;
    this.#isStarted = options.isServer === true;
    this.#byHand(options, this[kTakeUnread]());
  }

  /** What the stream below had read before: the beginning of the handshake. */
  [kTakeUnread](): Buffer {
    return this.#carrier?.unread ?? Buffer.alloc(0);
  }

  #standOn(stream: Duplex, carrier: Carrier): void {
    carrier.watch(
      () => this.destroy(),
      (error) => this._emitTLSError(error),
    );
    if (!(stream instanceof net.Socket)) return;
    // Timers of the one below run on with ours.
    (this as unknown as { _parent: net.Socket })._parent = stream;
    if (!stream.pending) return;
    (this as { connecting: boolean }).connecting = true;
    stream.once('connect', () => {
      (this as { connecting: boolean }).connecting = false;
      this.emit('connect');
    });
  }

  #byHand(options: TLSSocketOptions, unread: Buffer): void {
    const handshake = this[kStart](options.isServer === true);
    if (options.server) (this as { server?: unknown }).server = options.server;
    try {
      handshakeByHand(this, handshake, options);
    } catch (error) {
      handshake.detach();
      throw error;
    }
    // Until somebody takes control by _releaseControl(), errors need no listener.
    this._controlReleased = false;
    this.on('error', this._tlsError);
    process.nextTick(() => {
      if (unread.length > 0 && !this.destroyed) handshake.receive(unread);
    });
  }

  /** A client made by hand begins its handshake; so does its first write. */
  _start(): void {
    const ssl = this[kSsl] as NodesTLSSocket | null;
    if (this.#isStarted || this.destroyed || ssl === null) return;
    this.#isStarted = true;
    this.#whenConnected(() => ssl._start());
  }

  override [kHold](state: State, run: () => void, fail: (error?: Error | null) => void): void {
    super[kHold](state, run, fail);
    this._start();
  }

  /** Begins to run a handshake over this socket; all bytes go to it from here on. */
  [kStart](isServer: boolean): Handshake {
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
    handshake.wire.owner = this;
    this.#handshake = handshake;
    this[kState]!.tap = handshake;
    this[kHideHandle]();
    this.#whenConnected(() => this.#attachEarly());
    // Also of a socket that the application has paused: that is about data.
    if (this.pending) this.once('connect', () => this[kReadOn]());
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

  /**
   * Node's side says that the handshake is done. `established` is called when the socket is armed, `failed` when it can't be, before it is
   * destroyed.
   */
  [kComplete](
    ssl: tls.TLSSocket,
    isServer: boolean,
    established: () => void,
    failed?: (error: Error) => void,
  ): void {
    this.#handshake!.complete(ssl, (error, handOver) => {
      if (this.destroyed) return;
      const onMessage = isServer ? undefined : (message: Buffer) => this.#onHandshakeMessage(message);
      const refused = error ?? this.#armBy(handOver!, onMessage);
      if (refused === undefined) return this.#takeOver(ssl, isServer, handOver!, established);
      failed?.(refused);
      this.destroy(refused);
    });
  }

  #takeOver(ssl: tls.TLSSocket, isServer: boolean, handOver: HandOver, established: () => void): void {
    const agreed = agreedBy(ssl);
    if (isServer) {
      this[kSsl] = new Summary(summaryFactsOf(ssl), handOver.exporter);
      ssl.destroy();
    } else if (handOver.options.protocol === 'tls1.3') {
      // Tickets may come at any time, and OpenSSL makes sessions of them.
      this.#ticketSealer = ticketSealer(ssl, handOver.options.read!.secret!);
    }
    this.#handshake = isServer ? undefined : this.#handshake;
    this.#begin(handOver, agreed, established);
  }

  /** The connection of a server whose handshake another thread has done. */
  [kEstablish](
    handOver: HandOver | MadeDirections,
    agreed: Agreed,
    summary: Summary,
    established: () => void,
    failed: (error: Error) => void,
  ): void {
    if (handOver instanceof MadeDirections) {
      this[kSsl] = summary;
      this[kState]!.tap = null;
      armWithMade(this, handOver);
      this.#startCounting(handOver.rest.length);
      return this.#begin(NOTHING_LEFT, agreed, established);
    }
    const refused = this.#armBy(handOver);
    this[kSsl] = summary;
    if (refused !== undefined) {
      failed(refused);
      return void this.destroy(refused);
    }
    this.#begin(handOver, agreed, established);
  }

  // What it returns is why the engine can't.
  #armBy(handOver: HandOver, onHandshakeMessage?: (message: Buffer) => void): SoCryptError | undefined {
    const { engine, driver, truncation } = this.#engineOptions;
    this[kState]!.tap = null;
    try {
      const engines = resolveEngine(engine);
      const maxFragment = this.#largestFragment(handOver);
      // (All of them always, so that V8 sees one kind of object.)
      const settings = { engine, driver, truncation, maxFragment, onHandshakeMessage };
      const arming = armingOf({ ...handOver.options, ...settings } as CryptOptions, engines);
      this[kArm](arming, engines, handOver.rest);
    } catch (thrown) {
      if (!(thrown instanceof SoCryptError)) throw thrown;
      handOver.wipe();
      return thrown;
    }
    this.#startCounting(handOver.rest.length);
    return undefined;
  }

  #begin(handOver: Pick<HandOver, 'wipe' | 'ended'>, agreed: Agreed, established: () => void): void {
    this.authorized = agreed.authorized;
    this.authorizationError = agreed.authorizationError;
    this.alpnProtocol = agreed.alpnProtocol;
    this.servername = agreed.servername;
    this.secureConnecting = false;
    handOver.wipe();
    this[kOpenGate]();
    established();
    if (this.destroyed) return;
    if (handOver.ended) process.nextTick(() => this.push(null));
    else this.read(0);
  }

  // The one that was agreed on is a limit, too.
  #largestFragment({ options }: HandOver): number | undefined {
    const asked = this.#maxSendFragment;
    return asked === undefined ? options.maxFragment : Math.min(asked, options.maxFragment ?? asked);
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
    // From inside net.Socket's constructor: a signal that has been aborted already.
    if (!(#carrier in this)) return super._destroy(error, callback);
    this.#handshake?.detach();
    const ssl = this[kSsl];
    if (ssl instanceof Summary) ssl.dispose();
    else ssl?.destroy();
    // After OpenSSL's side, which lets go of its SSL object when its wire closes: later, because OpenSSL may be on the stack.
    this.#handshake?.wire.destroy();
    this.#ticketSealer?.dispose();
    const destroy = (): void => super._destroy(error, callback);
    if (this.#carrier && this._handle) this.#carrier.closeBy(destroy);
    else destroy();
  }

  /** Node's own name for a handle of OpenSSL's; while there is one. */
  get ssl(): object | null {
    const ssl = this[kSsl];
    return ssl instanceof Summary ? null : ((ssl as unknown as { _handle: object } | null)?._handle ?? null);
  }

  _destroySSL(): void {}

  get _secureEstablished(): boolean {
    return !this.secureConnecting;
  }

  _releaseControl(): boolean {
    if (this._controlReleased) return false;
    this._controlReleased = true;
    this.removeListener('error', this._tlsError);
    return true;
  }

  _tlsError(error: Error): Error | null {
    this.emit('_tlsError', error);
    return this._controlReleased ? error : null;
  }

  _emitTLSError(error: Error): void {
    const shown = this._tlsError(error);
    if (shown) this.emit('error', shown);
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
    const ssl = this[kSsl];
    // Node's own check of the arguments.
    return nodes.exportKeyingMaterial.call(
      { _secureEstablished: !this.secureConnecting, _handle: ssl as Summary } as never,
      length,
      label,
      context as Buffer,
    );
  }

  /** The largest plaintext of a record, 512 to 16384 bytes. False: the engine can't change it, or it is out of these bounds. */
  setMaxSendFragment(size: number): boolean {
    return nodes.setMaxSendFragment.call(
      {
        _handle: { setMaxSendFragment: (checked: number) => Number(this.#setMaxSendFragment(checked)) },
      } as never,
      size,
    );
  }

  #setMaxSendFragment(size: number): boolean {
    const ssl = this[kSsl];
    if (size < 512 || size > TLS_MAX_FRAGMENT || ssl === null) return false;
    const state = this[kState];
    const writer = state?.records?.writer;
    if (writer && !writer.setMaxFragment) return false; // the kernel has its own
    this.#maxSendFragment = size;
    writer?.setMaxFragment?.(size);
    if (writer && state) state.upgradeTerms = undefined;
    return true;
  }

  setServername(name: string): void {
    this.#asNodes('setServername', name);
  }

  setSession(session: Buffer | string): void {
    this.#asNodes('setSession', session);
  }

  /** Before a server has chosen its certificate. */
  setKeyCert(context: object): void {
    this.#asNodes('setKeyCert', context);
  }

  /** Of the handshake only: OpenSSL sees no records after it. */
  enableTrace(): void {
    this.#asNodes('enableTrace');
  }

  /** TLS 1.2's renegotiation is never offered: it needs the SSL object. */
  disableRenegotiation(): void {}

  /** Always fails, with ERR_SO_CRYPT_AFTER_HANDOVER: renegotiation needs the SSL object. */
  renegotiate(options: object, callback?: (error: Error | null) => void): boolean | undefined {
    const refuse = (): never => {
      throw new SoCryptError('ERR_SO_CRYPT_AFTER_HANDOVER', 'A connection can not renegotiate', {
        hint: 'Ask for client certificates in the handshake, or use keyUpdate() for new keys',
      });
    };
    const { destroyed } = this;
    const facade = {
      destroyed,
      _tlsOptions: {},
      write() {},
      _handle: { setVerifyMode() {}, renegotiate: refuse },
    };
    return nodes.renegotiate.call(facade as never, options, callback as () => void);
  }

  // By Node's TLSSocket, as long as there is one; later by its code, for what that says of wrong arguments.
  #asNodes(method: 'setServername' | 'setSession' | 'setKeyCert' | 'enableTrace', ...args: unknown[]): void {
    const ssl = this[kSsl];
    const none = { _tlsOptions: { isServer: true }, _handle: { [method]() {} } };
    const target = ssl === null || ssl instanceof Summary ? none : ssl;
    Reflect.apply(nodes[method] as (...args: unknown[]) => void, target, args);
  }
}

const NOTHING_LEFT = { ended: false, wipe() {} };
/** The engine's options of one connection, or of all of a server. */
export function engineOptionsOf({ engine, driver, truncation }: EngineOptions): EngineOptions {
  return { ...(engine && { engine }), ...(driver && { driver }), truncation: truncation ?? 'end' };
}

beInstancesOfNodes(TLSSocket.prototype);

/** The socket that the application knows for the one that Node's handshake shows it. */
export function ownerOf(ssl: object): TLSSocket {
  return (ssl as { _parent?: { owner?: TLSSocket } })._parent?.owner ?? (ssl as TLSSocket);
}

/** Node's methods, which check their arguments and leave the rest to `this._handle`. */
const nodes = tls.TLSSocket.prototype as NodesTLSSocket;
