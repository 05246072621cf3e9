import tls from 'node:tls';
import type { AcceptedHandle } from '../accept.js';
import { RESERVED_RECORDS } from '../arm.js';
import { ciphers } from '../ciphers.js';
import type { CipherName } from '../crypt-options.js';
import { resolveEngine } from '../engines.js';
import { tlsLayout } from '../frame-layouts.js';
import { systemError } from '../kernel/port.js';
import type { HandshakeContext, HandshakeThreads } from '../native/handshakes.js';
import { native } from '../native.js';
import { isNodesCreateSecureContext } from '../secure-context.js';
import type { EngineOptions } from '../tls-options.js';
import { type Making, type NativeEvent, NativeEvents } from './native-events.js';
import { Unpacker } from './packing.js';
import { kernelEngineOf, type Threads } from './setup.js';

/** TLS 1.3's (RFC 8446 B.4). */
const suites: readonly [id: number, cipher: CipherName][] = [
  [0x1301, 'aes-128-gcm'],
  [0x1302, 'aes-256-gcm'],
  [0x1303, 'chacha20-poly1305'],
  [0x1304, 'aes-128-ccm'],
  [0x1305, 'aes-128-ccm8'],
];

/** Options that take JavaScript, or that only Node's TLSSocket knows. */
const beyond = [
  ...['requestCert', 'SNICallback', 'enableTrace', 'clientCertEngine', 'privateKeyEngine', 'ALPNCallback'],
  'pskCallback',
];

/** The event loop has other things to do, too. */
const TURN_MS = 1;
/** setTimeout() knows no longer one. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** A secure context that only handshakes without JavaScript use. */
export interface Credentials {
  readonly context: HandshakeContext;
  /** What it points into. */
  readonly owner: object;
}

/** Whether a server's handshakes can be done without JavaScript, as far as its options tell. */
export function canBeNative(options: tls.TlsOptions & EngineOptions, threads: Threads): boolean {
  const given = options as Record<string, unknown>;
  const { maxVersion = tls.DEFAULT_MAX_VERSION, secureProtocol } = options;
  if (!threads.native || maxVersion !== 'TLSv1.3' || secureProtocol) return false;
  // A kernel engine is attached by the thread.
  if (kernelEngineOf(options) !== undefined || !isNodesCreateSecureContext()) return false;
  return native.HandshakeThreads !== undefined && beyond.every((name) => !given[name]);
}

/** What directions are made with that come with the handshake; undefined: the engine takes secrets. */
export function makingOf({ engine, driver, truncation = 'end' }: EngineOptions): Making | undefined {
  const { write, read, isAuto } = resolveEngine(engine, driver);
  return write === 'evp' && read === 'evp' ? { isAuto, truncation } : undefined;
}

/** @param options those of the server */
export function credentialsOf(
  options: tls.TlsOptions,
  isMaking: boolean,
  protocols: Uint8Array = new Uint8Array(0),
): Credentials {
  const limitOf = (cipher: CipherName): number =>
    isMaking ? ciphers[cipher].recordLimit + RESERVED_RECORDS : 0;
  const known = suites.map(
    ([id, cipher]) => [id, cipher, tlsLayout('tls1.3', cipher).packed, limitOf(cipher)] as const,
  );
  if (!isNodesCreateSecureContext()) throw new TypeError('A context may be shared with a TLSSocket of Node');
  let owner: object | undefined;
  // Not by createSecureContext(): a server has defaults of its own.
  const make = (): void => {
    owner = new tls.Server(options);
  };
  return { context: new native.HandshakeContext!(make, protocols, known), owner: owner! };
}

type Settings = Threads & { timeout: number; making: Making | undefined };

interface Hearing {
  /** May throw what a listener of the application has thrown. `handle`: of a connection that was accepted; null: it could not be had */
  onEvent(event: NativeEvent, handle: AcceptedHandle | null | undefined): void;
  /** Handles for connections that were accepted, as {@link HandshakeThreads.take} has them: what gets a handle is the caller's. */
  openAll(given: Uint32Array): (AcceptedHandle | null)[];
}

/** Threads without JavaScript, or this one: they do TLS 1.3 handshakes where nothing must be asked, and decline all else. */
export class NativeThreads {
  readonly #settings: Settings;
  readonly #hearing: Hearing;
  #threads: HandshakeThreads | undefined;
  #events: NativeEvents;
  /** Some of what they have told is not done with. */
  #isTaking = false;
  #hasNews = false;
  /** By handshake, its thread; and what must not be garbage meanwhile. */
  readonly #jobs = new Map<number, { thread: number; credentials: Credentials }>();
  /** Connections that earlier threads have accepted. */
  #acceptedBefore = 0;
  #acceptedAndDone = 0;
  /** Of connections that are accepted, or were and are not done. */
  readonly #holds = new Set<{ credentials: Credentials }>();
  #listensWith: { credentials: Credentials } | undefined;
  #isRef = false;

  constructor(settings: Settings, hearing: Hearing) {
    this.#settings = settings;
    this.#events = new NativeEvents(settings.making);
    this.#hearing = hearing;
  }

  get isMaking(): boolean {
    return this.#settings.making !== undefined;
  }

  get isIdle(): boolean {
    return this.#jobs.size === 0 && !this.#listensWith && this.#acceptedAndDone === this.accepted;
  }

  /** Connections that were accepted by {@link listen}, ever. */
  get accepted(): number {
    return this.#acceptedBefore + (this.#threads?.accepted ?? 0);
  }

  /** To be called for new credentials, too. */
  start(): void {
    const { threads, mostInFlight, priority, timeout } = this.#settings;
    if (this.#threads === undefined) {
      this.#events = new NativeEvents(this.#settings.making);
      const onNews = (): void => this.#take();
      this.#threads =
        threads === 0
          ? new native.HandshakesHere!(timeout, onNews)
          : new native.HandshakeThreads!(threads, mostInFlight, priority, timeout, onNews);
    }
    const result = this.#threads.start();
    if (result < 0) throw systemError(result, 'pthread_create');
  }

  /** None may have handshakes. */
  stop(): void {
    this.#acceptedBefore = this.accepted;
    this.#threads?.stop();
    this.#threads = undefined;
    this.#isRef = false;
  }

  submit(id: number, fd: number, credentials: Credentials): void {
    const thread = this.#threads!.submit(id, fd, credentials.context);
    this.#jobs.set(id, { thread, credentials });
    this.#updateRef();
  }

  /** The threads accept the connections of a listening socket; 0 or -errno as {@link HandshakeThreads.listen} has it. */
  listen(fd: number, credentials: Credentials): number {
    const result = this.#threads!.listen!(fd, credentials.context);
    if (result !== 0) return result;
    this.#listensWith = { credentials };
    this.#holds.add(this.#listensWith);
    return 0;
  }

  /** @param fd on which libuv is to accept again; -1: the socket is about to be closed */
  unlisten(fd: number): void {
    this.#threads?.unlisten?.(fd);
    const hold = this.#listensWith;
    this.#listensWith = undefined;
    // By then none of its handshakes goes on.
    const end = Math.min(this.#settings.timeout + 1000, LONGEST_TIMER);
    if (hold) setTimeout(() => this.#holds.delete(hold), end).unref();
    this.#updateRef();
  }

  // As long as it listens, the listening socket's handle keeps the process alive.
  #updateRef(): void {
    const isRef = this.#jobs.size > 0 || (!this.#listensWith && !this.isIdle);
    if (isRef === this.#isRef) return;
    this.#isRef = isRef;
    this.#threads?.setRef(isRef);
  }

  /** False: it is none of these threads'. */
  abort(id: number): boolean {
    const job = this.#jobs.get(id);
    if (job === undefined) return false;
    this.#threads!.abort(job.thread, id);
    return true;
  }

  #take(): void {
    if (this.#threads === undefined) return;
    // In the order in which it was told: what is left of the last time comes first.
    this.#hasNews = this.#isTaking;
    if (this.#isTaking) return;
    this.#isTaking = true;
    const from = new Unpacker(this.#threads.take());
    const count = from.u32();
    const handles = count > 0 ? this.#hearing.openAll(from.numbers(count)).reverse() : [];
    if (handles.includes(null)) this.#threads.closeGiven!();
    this.#run(from, handles);
  }

  // A listener of the application may throw: should the process survive that, the others must hear of theirs all the same.
  #run(from: Unpacker, handles: (AcceptedHandle | null)[]): void {
    const end = performance.now() + TURN_MS;
    let isAtEnd = false;
    try {
      for (let event = this.#events.next(from); event !== undefined; event = this.#events.next(from)) {
        if (event.isAccepted) this.#acceptedAndDone++;
        else this.#jobs.delete(event.id);
        this.#updateRef();
        this.#hearing.onEvent(event, event.isAccepted ? handles.pop() : undefined);
        if (performance.now() >= end) return;
      }
      isAtEnd = true;
    } finally {
      if (isAtEnd) {
        from.wipe();
        this.#isTaking = false;
        if (this.#hasNews) setImmediate(() => this.#take());
      } else {
        setImmediate(() => this.#run(from, handles));
      }
    }
  }
}
