import { Worker } from 'node:worker_threads';
import { SoCryptError } from '../errors.js';
import type { FromThread, Setup, Start, ToThread } from './messages.js';
import type { Threads } from './setup.js';

/** Who started the threads. */
export interface PoolOwner {
  /** The state of the server that a new thread begins with. */
  setup(): Setup;
  onMessage(member: Member, message: FromThread): void;
  /** The thread that had these handshakes is gone. */
  onLost(ids: Iterable<number>, error: SoCryptError): void;
  /** Threads end again and again: there will be no more. */
  onGivenUp(error: SoCryptError): void;
}

interface Job {
  readonly start: Start;
  /** When its thread got it. */
  since: number;
  /** It counts against mostInFlight. */
  isCounted: boolean;
}

/** A thread that has ended so often within this time will not do better. */
const MOST_CRASHES = 5;
const CRASH_MS = 60_000;

/** A client that is silent for so long leaves its place to others. */
const STALE_MS = 1000;
const STALE_CHECK_MS = 100;

/** One thread. */
export class Member {
  readonly worker: Worker;
  readonly inFlight = new Map<number, Job>();
  /** Those that count. */
  busy = 0;
  /** Not sent yet. */
  starts: Start[] = [];
  isEnded = false;
  cause: unknown;
  /** What its thread remembers, too: see MOST_REMEMBERED. */
  readonly sentContexts = new Set<number>();

  constructor(setup: Setup) {
    this.worker = new Worker(new URL('./thread.js', import.meta.url), { workerData: setup, execArgv: [] });
    this.worker.on('error', (error) => {
      this.cause = error;
    });
  }

  post(message: ToThread): void {
    this.worker.postMessage(message);
  }
}

/** Handshakes over threads: the least busy gets the next, and when all are full the next ones wait. */
export class Pool {
  readonly #owner: PoolOwner;
  readonly #threads: Threads;
  #members: Member[] = [];
  readonly #homes = new Map<number, Member>();
  #waiting: Start[] = [];
  #isScheduled = false;
  #staleTimer: NodeJS.Timeout | undefined;
  #crashes: number[] = [];
  #givenUp: SoCryptError | undefined;

  constructor(threads: Threads, owner: PoolOwner) {
    this.#threads = threads;
    this.#owner = owner;
  }

  get isIdle(): boolean {
    return this.#homes.size === 0 && this.#waiting.length === 0;
  }

  start(): void {
    if (this.#givenUp !== undefined) return;
    while (this.#members.length < this.#threads.threads) this.#members.push(this.#newMember());
  }

  /** Ends the threads; none may have handshakes. */
  stop(): void {
    for (const member of this.#members) void this.#end(member);
    this.#members = [];
  }

  submit(start: Start): void {
    if (this.#givenUp !== undefined) {
      const error = this.#givenUp;
      return void setImmediate(() => this.#owner.onLost([start.id], error));
    }
    this.start();
    if (this.#waiting.length > 0 || !this.#assign(start)) this.#wait(start);
  }

  /** To the thread that has this handshake. */
  post(id: number, message: ToThread): void {
    this.#homes.get(id)?.post(message);
  }

  broadcast(message: ToThread): void {
    for (const member of this.#members) member.post(message);
  }

  /** False: it is not with a thread yet, and will not be. */
  abort(id: number): boolean {
    const member = this.#homes.get(id);
    if (member === undefined) {
      this.#waiting = this.#waiting.filter((start) => start.id !== id);
      return false;
    }
    if (member.starts.length > 0) this.#flush();
    member.post({ kind: 'abort', id });
    return true;
  }

  /** A thread has done with it. */
  settled(id: number): void {
    const member = this.#homes.get(id);
    const job = member?.inFlight.get(id);
    if (member === undefined || job === undefined) return;
    this.#homes.delete(id);
    member.inFlight.delete(id);
    if (job.isCounted) member.busy--;
    if (member.inFlight.size === 0) member.worker.unref();
    if (this.#waiting.length > 0) this.#assignWaiting();
  }

  #assign(start: Start): boolean {
    let member = this.#members[0]!;
    for (const other of this.#members) if (other.busy < member.busy) member = other;
    if (member.busy >= this.#threads.mostInFlight) return false;
    member.busy++;
    if (member.inFlight.size === 0) member.worker.ref();
    member.inFlight.set(start.id, { start, since: performance.now(), isCounted: true });
    this.#homes.set(start.id, member);
    member.starts.push(start);
    // In one message for all that this turn of the event loop has accepted.
    if (!this.#isScheduled) setImmediate(() => this.#flush());
    this.#isScheduled = true;
    return true;
  }

  #flush(): void {
    this.#isScheduled = false;
    for (const member of this.#members) {
      if (member.starts.length === 0) continue;
      member.post({ kind: 'start', all: member.starts });
      member.starts = [];
    }
  }

  #wait(start: Start): void {
    this.#waiting.push(start);
    this.#staleTimer ??= setInterval(() => this.#passOverStale(), STALE_CHECK_MS).unref();
  }

  #assignWaiting(): void {
    let assigned = 0;
    while (assigned < this.#waiting.length && this.#assign(this.#waiting[assigned]!)) assigned++;
    this.#waiting.splice(0, assigned);
    if (this.#waiting.length > 0) return;
    clearInterval(this.#staleTimer);
    this.#staleTimer = undefined;
  }

  // Clients that connect and say nothing must not keep all others out.
  #passOverStale(): void {
    const before = performance.now() - STALE_MS;
    for (const member of this.#members) {
      for (const job of member.inFlight.values()) {
        if (job.since > before) break;
        if (!job.isCounted) continue;
        job.isCounted = false;
        member.busy--;
      }
    }
    this.#assignWaiting();
  }

  #newMember(): Member {
    const member = new Member(this.#owner.setup());
    member.worker.on('message', (message: FromThread) => this.#owner.onMessage(member, message));
    member.worker.once('exit', (code) => this.#onExit(member, code));
    // Only handshakes keep the process alive. (A listener for messages would.)
    member.worker.unref();
    return member;
  }

  #onExit(member: Member, code: number): void {
    if (member.isEnded) return;
    const error = new SoCryptError(
      'ERR_SO_CRYPT_HANDSHAKE_WORKER',
      `A handshake worker has ended (exit code ${code})`,
      { hint: 'Its handshakes have failed; another one takes its place', cause: member.cause },
    );
    const lost = [...member.inFlight.keys()];
    for (const id of lost) this.#homes.delete(id);
    const now = performance.now();
    this.#crashes = [...this.#crashes.filter((time) => time > now - CRASH_MS), now];
    if (this.#crashes.length >= MOST_CRASHES) return this.#giveUp(member, lost, error);
    this.#members = this.#members.map((one) => (one === member ? this.#newMember() : one));
    this.#owner.onLost(lost, error);
    if (this.#waiting.length > 0) this.#assignWaiting();
  }

  #giveUp(dead: Member, lost: number[], cause: SoCryptError): void {
    this.#givenUp = new SoCryptError(
      'ERR_SO_CRYPT_HANDSHAKE_WORKER',
      `Handshake workers have ended ${this.#crashes.length} times within ${CRASH_MS / 1000} s`,
      { hint: 'No more are started, and no connection is accepted: restart the server', cause },
    );
    const others = this.#members.filter((member) => member !== dead);
    for (const { inFlight } of others) lost.push(...inFlight.keys());
    lost.push(...this.#waiting.map(({ id }) => id));
    this.#members = [];
    this.#homes.clear();
    this.#waiting = [];
    clearInterval(this.#staleTimer);
    // As long as a thread runs it may look for a descriptor by its number.
    const error = this.#givenUp;
    void Promise.all(others.map((member) => this.#end(member))).then(() => {
      this.#owner.onLost(lost, error);
      this.#owner.onGivenUp(error);
    });
  }

  #end(member: Member): Promise<unknown> {
    member.isEnded = true;
    return member.worker.terminate();
  }
}
