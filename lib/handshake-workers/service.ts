import { AsyncResource } from 'node:async_hooks';
import type net from 'node:net';
import type tls from 'node:tls';
import { type AcceptedHandle, hasSubscribers, publish } from '../accept.js';
import type { SoCryptError } from '../errors.js';
import { canTakeOver } from '../tls-carrier.js';
import type { EngineOptions } from '../tls-options.js';
import { kEstablish, type TLSSocket } from '../tls-socket.js';
import { Acceptor } from './acceptor.js';
import { followServer } from './follow-server.js';
import { Loan } from './loan.js';
import {
  type ChosenContext,
  type FromThread,
  listened,
  MOST_REMEMBERED,
  type NamedContext,
  type Setup,
  type ThreadEvent,
} from './messages.js';
import type { NativeEvent } from './native-events.js';
import { type Credentials, canBeNative, credentialsOf, makingOf, NativeThreads } from './native-threads.js';
import { bufferOf, disposeOf, type Outcome, unpackOutcome } from './outcome.js';
import { Unpacker } from './packing.js';
import { errorOf, plainError } from './plain-error.js';
import { type Member, Pool } from './pool.js';
import { Remembered } from './remembered.js';
import {
  type AnyServer,
  contextOptionsOf,
  defaults,
  plainOptions,
  secretsOf,
  setupOf,
  type Threads,
} from './setup.js';

type SniCallback = (
  this: unknown,
  name: string,
  callback: (error: Error | null, context?: tls.SecureContext) => void,
) => void;

type Emitter = { emit(event: string, ...args: unknown[]): boolean; listenerCount(event: string): number };

/** What the service needs of whoever has it. */
export interface Accepting {
  /** The socket of a connection, for the application. */
  socketFor(connection: net.Socket, isFresh: boolean): TLSSocket;
  /** The same for a connection of the server's that is a handle and nothing else. */
  socketOf(handle: AcceptedHandle): TLSSocket;
  /** Does a connection's handshake by Node's TLSSocket in this thread, from the bytes on that have been read. */
  handshakeByNode(connection: net.Socket, isFresh: boolean, received: Buffer): void;
}

const LISTENED = Object.entries(listened);

/** Node's default. */
const HANDSHAKE_TIMEOUT = 120_000;

/**
 * The handshakes of a server that are not done by Node's TLSSocket in this thread: what the server is to its connections as long as they
 * are there. Without threads these are the ones that need no JavaScript.
 */
export class HandshakeService {
  readonly #server: AnyServer & Emitter;
  readonly #options: tls.TlsOptions & EngineOptions;
  readonly #accepting: Accepting;
  /** Undefined: without threads. */
  readonly #pool: Pool | undefined;
  readonly #loans = new Map<number, Loan>();
  readonly #contexts: NamedContext[] = [];
  #hasContexts = false;
  #secureContext: object | undefined;
  readonly #remembered = new Map<Member, Remembered>();
  readonly #contextNumbers = new WeakMap<object, number>();
  readonly #threads: Threads;
  readonly #native: NativeThreads | undefined;
  readonly #acceptor: Acceptor | undefined;
  /** Native threads, or what they need, were not to be had. */
  #isNativeRefused = false;
  /** Of native handshakes; undefined: to be made. */
  #credentials: Credentials | undefined;
  /** {@link NativeThreads.start} has been called for them. */
  #isStarted = false;
  #lastContext = 0;
  #lastId = 0;
  #isClosed = false;

  constructor(
    server: tls.Server,
    options: tls.TlsOptions & EngineOptions,
    threads: Threads,
    accepting: Accepting,
  ) {
    this.#server = server as AnyServer & Emitter;
    this.#options = { ...options };
    this.#accepting = accepting;
    this.#threads = threads;
    setupOf(this.#server, options, threads); // what can't work is refused now
    if (canBeNative(options, threads)) {
      const { handshakeTimeout: timeout = HANDSHAKE_TIMEOUT } = options;
      const settings = { ...threads, timeout, making: makingOf(options) };
      this.#native = new NativeThreads(settings, {
        onEvent: (event, handle) => this.#onNative(event, handle),
        openAll: (given) => this.#acceptor?.openAll(given) ?? [],
      });
      this.#prepare();
      if (threads.threads > 0)
        this.#acceptor = new Acceptor(server, this.#native, () =>
          this.#isNative() ? this.#credentials : undefined,
        );
    }
    if (threads.threads > 0)
      this.#pool = new Pool(threads, {
        setup: () => this.#setup(),
        onMessage: (member, message) => this.#onMessage(member, message),
        onLost: (ids, error) => this.#onLost(ids, error),
        onGivenUp: (error) => void this.#server.emit('error', error),
      });
    server.on('listening', () => {
      this.#isClosed = false;
      if (this.#pool !== undefined && !this.#isNative()) this.#pool.start();
    });
    server.on('close', () => {
      this.#isClosed = true;
      this.#stopWhenIdle();
    });
    // What is changed on the server later reaches the threads, too.
    followServer(this.#server, this.#pool !== undefined, {
      contextAdded: (context) => this.#onContext(context),
      secureContextSet: (given, all) => this.#onSecureContext(given, all),
      ticketKeysSet: () => this.#onTicketKeys(),
    });
  }

  /** Takes the handshake of a connection. False: it is none of the kernel's, or Node's TLSSocket has to do it in this thread. */
  offer(connection: unknown, isFresh: boolean): boolean {
    if (!canTakeOver(connection) || (connection as unknown as { _handle: { fd: number } })._handle.fd < 0)
      return false;
    if (this.#pool === undefined && !this.#isForThis(connection)) return false;
    // 32 bits: it comes back in so many.
    const id = (this.#lastId + 1) >>> 0;
    this.#lastId = id;
    const loan = new Loan(id, connection, isFresh, () => this.#abort(loan));
    this.#loans.set(id, loan);
    // Listeners of 'connection' come behind ours: whom they turn away must get no answer.
    if (isFresh) this.#begin(loan);
    else process.nextTick(() => this.#begin(loan));
    return true;
  }

  /** The same for what {@link acceptHandles} shows. */
  offerHandle(handle: AcceptedHandle): boolean {
    if (!(handle.fd >= 0) || handle.isStreamBase !== true || !this.#isNative()) return false;
    this.#native!.submit(this.#loanOf(handle).id, handle.fd, this.#credentials!);
    return true;
  }

  #loanOf(handle: AcceptedHandle): Loan {
    const id = (this.#lastId + 1) >>> 0;
    this.#lastId = id;
    const loan = new Loan(id, { handle, server: this.#server }, true, () => this.#abort(loan));
    this.#loans.set(id, loan);
    return loan;
  }

  // Without threads: one that the application has handed to the server may be in any state.
  #isForThis(connection: net.Socket): boolean {
    const { server } = connection as { server?: unknown };
    return server === this.#server && connection.readableLength === 0 && this.#isNative();
  }

  #begin(loan: Loan): void {
    if (!this.#loans.has(loan.id)) return;
    if (loan.unread.length === 0 && this.#isNative())
      this.#native!.submit(loan.id, loan.fd, this.#credentials!);
    else this.#submit(loan, loan.unread);
  }

  #submit(loan: Loan, unread: Buffer): void {
    const { id, fd } = loan;
    if (this.#pool === undefined) return this.#giveBack(loan, unread);
    this.#pool.submit({ id, fd, listeners: this.#listeners(), ...(unread.length > 0 && { unread }) });
  }

  #giveBack(loan: Loan, unread: Buffer): void {
    const { id, connection, isFresh } = loan;
    this.#take(id);
    loan.free();
    this.#accepting.handshakeByNode(connection, isFresh, unread);
  }

  // Whether the next handshake can go to a native thread. Nobody must be asked, or told on the way.
  #isNative(): boolean {
    if (this.#native === undefined || this.#isNativeRefused) return false;
    if (this.#hasContexts || this.#listeners() !== 0) return false;
    if (this.#isStarted) return true;
    try {
      this.#credentials ??= this.#makeCredentials();
      this.#native.start();
      this.#isStarted = true;
      return true;
    } catch {
      // What is wrong with the options the server itself has said. No thread more is to be had, or this is no Node that is known.
      this.#isNativeRefused = true;
      return false;
    }
  }

  // When the server makes its own: the process's defaults, and what lies behind the options, may be others later.
  #prepare(): void {
    this.#isNativeRefused = false;
    this.#isStarted = false;
    this.#credentials = undefined;
    try {
      this.#credentials = this.#makeCredentials();
    } catch {
      this.#isNativeRefused = true;
    }
    this.#acceptor?.update();
  }

  #makeCredentials(): Credentials {
    const { options, secrets } = this.#setup();
    const { ticketKeys, sessionIdContext } = secrets;
    return credentialsOf(
      { ...options, ticketKeys: bufferOf(ticketKeys), sessionIdContext } as tls.TlsOptions,
      this.#native!.isMaking,
      this.#server.ALPNProtocols,
    );
  }

  /** @param handle of a connection that a thread has accepted; null: it could not be had */
  #onNative(event: NativeEvent, handle: AcceptedHandle | null | undefined): void {
    if (handle === null) return event.kind === 'done' ? disposeOf(event.outcome) : undefined;
    if (handle && event.kind === 'done' && !hasSubscribers()) return this.#onAccepted(handle, event.outcome);
    const loan = handle ? this.#loanOf(handle) : this.#loans.get(event.id)!;
    loan.run(() => {
      if (handle && hasSubscribers()) publish(loan.connection);
      this.#onNativeEvent(event, loan);
    });
  }

  // Nearly every connection comes here with its handshake done, and has nothing before.
  #onAccepted(handle: AcceptedHandle, outcome: Outcome): void {
    new AsyncResource('so-crypt.handshake').runInAsyncScope(() => {
      const socket = this.#accepting.socketOf(handle);
      // As with node:tls, a connection that breaks must not end a server whose application does not listen.
      socket.on('error', ignore);
      this.#establish(socket, outcome);
    });
  }

  #onNativeEvent(event: NativeEvent, loan: Loan): void {
    switch (event.kind) {
      case 'done':
        return this.#onDone(loan.id, event.outcome);
      case 'declined':
        if (loan.isAbandoned) return this.#end(loan);
        return this.#submit(loan, event.received);
      case 'failed':
        if (!loan.isAbandoned)
          this.#onFailed(loan, event.error, { servername: event.servername, authorizationError: undefined });
        return this.#end(loan);
      case 'released':
        return this.#end(loan);
    }
  }

  #setup(): Setup {
    const setup = setupOf(this.#server, this.#options, this.#threads);
    const contexts = [...this.#contexts];
    if (this.#secureContext === undefined) return { ...setup, contexts };
    return { ...setup, contexts, options: { ...setup.options, ...plainOptions(this.#secureContext) } };
  }

  #onContext(context: NamedContext | undefined): void {
    this.#hasContexts = true;
    this.#acceptor?.update();
    if (context === undefined) return;
    this.#contexts.push(context);
    this.#pool?.broadcast({ kind: 'addContext', context, defaults: defaults() });
  }

  #onSecureContext(given: object, all: object): void {
    this.#secureContext = all;
    if (this.#native !== undefined) this.#prepare();
    this.#pool?.broadcast({
      kind: 'secureContext',
      options: plainOptions(given),
      secrets: secretsOf(this.#server),
      defaults: defaults(),
    });
  }

  #onTicketKeys(): void {
    if (this.#native !== undefined) this.#prepare();
    this.#pool?.broadcast({ kind: 'ticketKeys', ticketKeys: this.#server.getTicketKeys() });
  }

  #listeners(): number {
    let bits = 0;
    for (const [event, bit] of LISTENED) if (this.#server.listenerCount(event) > 0) bits |= bit;
    return bits;
  }

  #abort(loan: Loan): void {
    if (this.#native?.abort(loan.id)) return;
    if (!this.#pool?.abort(loan.id)) this.#end(loan);
  }

  #onMessage(member: Member, { events = [], done, extras = [], profiles = [] }: FromThread): void {
    const known = this.#rememberedOf(member);
    known.learn(profiles);
    let at = 0;
    const from = done && new Unpacker(done);
    const more = new Map(extras);
    const next = (): boolean => {
      if (at < events.length) this.#inScope(member, events[at++]!);
      else if (from !== undefined && !from.isAtEnd) {
        const id = from.u32();
        const profile = known.profiles.get(from.u32())!;
        const outcome = unpackOutcome(from, profile, more.get(id));
        this.#loans.get(id)?.run(() => this.#onDone(id, outcome));
      } else return false;
      return true;
    };
    this.#runAll(next, () => from?.wipe());
  }

  // A listener of the application may throw: should the process survive that, the others must hear of theirs all the same.
  #runAll(next: () => boolean, end: () => void): void {
    let isDone = false;
    try {
      while (next());
      isDone = true;
      end();
    } finally {
      if (!isDone) setImmediate(() => this.#runAll(next, end));
    }
  }

  #rememberedOf(member: Member): Remembered {
    let known = this.#remembered.get(member);
    if (known === undefined) {
      known = new Remembered();
      this.#remembered.set(member, known);
      member.worker.once('exit', () => this.#remembered.delete(member));
    }
    return known;
  }

  #onDone(id: number, outcome: Outcome): void {
    const loan = this.#take(id);
    if (loan === undefined) return;
    loan.free();
    if (loan.isAbandoned) return disposeOf(outcome);
    const socket = loan.socket ?? this.#socketOf(loan);
    // As with node:tls, a connection that breaks must not end a server whose application does not listen.
    if (loan.socket === undefined) socket.on('error', ignore);
    this.#establish(socket, outcome);
  }

  #establish(socket: TLSSocket, { handOver, agreed, summary }: Outcome): void {
    const server = this.#server;
    const established = (): void => {
      if ((server as { pauseOnConnect?: boolean }).pauseOnConnect) socket.pause();
      server.emit('secureConnection', socket);
    };
    socket[kEstablish](handOver, agreed, summary, established, (error) => {
      server.emit('tlsClientError', error, socket);
    });
  }

  #inScope(member: Member, event: ThreadEvent): void {
    const loan = this.#loans.get(event.id);
    loan?.run(() => this.#onEvent(member, event, loan));
  }

  #onEvent(member: Member, event: ThreadEvent, loan: Loan): void {
    switch (event.kind) {
      case 'failed':
        return this.#onFailed(loan, errorOf(event.error), event);
      case 'released':
        return this.#end(loan);
      case 'keylog':
        return void this.#server.emit('keylog', bufferOf(event.line), this.#shown(loan));
      case 'question':
        return this.#onQuestion(member, event, loan);
    }
  }

  #onFailed(
    loan: Loan,
    error: Error,
    facts?: { servername: string | false | null; authorizationError: unknown },
  ): void {
    if (this.#server.listenerCount('tlsClientError') === 0) return;
    const socket = this.#shown(loan);
    if (facts) {
      socket.servername = facts.servername;
      socket.authorizationError = (facts.authorizationError as Error) ?? null;
    }
    this.#server.emit('tlsClientError', error, socket);
  }

  #socketOf(loan: Loan): TLSSocket {
    if (loan.isHandle) return this.#accepting.socketOf(loan.handle);
    return this.#accepting.socketFor(loan.connection, loan.isFresh);
  }

  /** The socket of a handshake that goes on, or has failed, for the application to see. */
  #shown(loan: Loan): TLSSocket {
    if (loan.socket === undefined) {
      loan.guard(loan.connection);
      const socket = this.#accepting.socketFor(loan.connection, loan.isFresh);
      socket.on('error', ignore);
      loan.guard(socket);
      loan.socket = socket;
    }
    return loan.socket;
  }

  #onQuestion(member: Member, asked: ThreadEvent & { kind: 'question' }, loan: Loan): void {
    const { question, event } = asked;
    const args = asked.args.map((arg) => (arg instanceof Uint8Array ? bufferOf(arg) : arg));
    const answer = (error?: Error | null, value?: unknown): void => {
      if (error) return member.post({ kind: 'answer', question, error: plainError(error) });
      if (event !== 'SNICallback') return member.post({ kind: 'answer', question, value });
      member.post({ kind: 'answer', question, context: this.#choice(member, value) });
    };
    if (event !== 'SNICallback') return void this.#server.emit(event, ...args, answer);
    const callback = this.#options.SNICallback as SniCallback;
    callback.call(this.#shown(loan), args[0] as string, (error, context) => {
      try {
        answer(error, context);
      } catch (thrown) {
        answer(thrown as Error);
      }
    });
  }

  // Its options, when the thread does not have them.
  #choice(member: Member, context: unknown): ChosenContext | undefined {
    if (typeof context !== 'object' || context === null) return undefined;
    const number = this.#contextNumbers.get(context) ?? ++this.#lastContext;
    this.#contextNumbers.set(context, number);
    if (member.sentContexts.has(number)) return { number };
    const options = contextOptionsOf(context);
    if (member.sentContexts.size >= MOST_REMEMBERED) member.sentContexts.clear();
    member.sentContexts.add(number);
    return { number, options };
  }

  #onLost(ids: Iterable<number>, error: SoCryptError): void {
    for (const id of ids) {
      const loan = this.#loans.get(id);
      if (loan === undefined) continue;
      setImmediate(() => {
        if (!loan.isAbandoned) this.#onFailed(loan, error);
        this.#end(loan);
      });
    }
  }

  #end(loan: Loan): void {
    this.#take(loan.id);
    loan.free();
    (loan.socket ?? loan.connection).destroy();
  }

  #take(id: number): Loan | undefined {
    const loan = this.#loans.get(id);
    this.#loans.delete(id);
    this.#pool?.settled(id);
    this.#stopWhenIdle();
    return loan;
  }

  #stopWhenIdle(): void {
    if (
      !this.#isClosed ||
      this.#loans.size > 0 ||
      this.#pool?.isIdle === false ||
      this.#native?.isIdle === false
    )
      return;
    this.#pool?.stop();
    this.#native?.stop();
    this.#isStarted = false;
  }
}

function ignore(): void {}
