import { clearTimeout, setImmediate, setTimeout } from 'node:timers';
import { native } from '../native.js';

/** Reads of so many bytes are those of a bulk transfer. */
const BULK = 16_384;
/** Of one that we send, short answers tell how it goes on, each behind so many bytes. */
const ANSWERED = { least: 32_768, most: 524_288 } as const;
const SHORT = 256;
/** Reads in a row after which waiting begins; each time that it has not gone on for so many milliseconds, twice as many the next time. */
const RUN = 8;
const LONGEST_RUN = 512;
const WORTH = 24;

/** The kernel wakes us when as much has come as a millisecond brings, within these bounds, … */
const ENOUGH = { least: 262_144, most: 524_288 } as const;
/** … reckoned anew after so many reads, … */
const RECKONED = 32;
/** … or at last when nothing could be read for so many milliseconds: a gigabit a second brings 256 KB in 2.2. */
const PATIENCE = 3;
/**
 * Or when answers to so many bytes have come, at first the least: OpenSSH's window has as many left behind the most. Of a peer with less the
 * most is the least, and a step more each time that it is reckoned anew.
 */
const ENOUGH_ANSWERED = { least: 524_288, most: 1_048_576, step: 65_536 } as const;
const PATIENCE_FOR_ANSWERS = 2;

/** The connection, as far as it matters here. */
export interface Gathered {
  /** Negative when it is gone. */
  readonly descriptor: number;
  /** Bytes that have been sealed; modulo 2^32, as an int32. */
  readonly sealed: number;
}

/** Reads in a row of one kind. */
interface Run {
  readonly since: number;
  readonly sealed: number;
  /** More answers are waited for than in the one before. */
  readonly isRaised: boolean;
  reads: number;
  bytes: number;
}

/**
 * Lets the packets of a bulk transfer gather in the kernel, as the driver of a network card does with frames: a wake-up for each packet of
 * 32 KB costs nearly as much as the cipher. The end of a burst waits for it; a peer that sends less at a time, and then waits for an answer,
 * is left alone soon.
 */
export class Gathering {
  readonly #connection: Gathered;
  readonly #setLowat = native.kernel?.setReceiveLowat;
  /** What the next read has to be of; 0: of nothing special. */
  #kind: 0 | 1 | 2 = 0;
  #run: Run = { since: 0, sealed: 0, isRaised: false, reads: 0, bytes: 0 };
  #needed = RUN;
  #sealed = 0;
  /** Most bytes to whose answers this peer lets us wait. */
  #mostAnswered: number = ENOUGH_ANSWERED.most;
  #isOn = false;
  #since = 0;
  #reads = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(connection: Gathered) {
    this.#connection = connection;
  }

  /** So many bytes have been read. */
  onRead(length: number): void {
    const kind = this.#kindOf(length);
    if (kind !== this.#kind) {
      if (this.#isOn && kind === 1) this.#end(); // answers are waited for, and much comes
      if (!this.#isOn) {
        this.#kind = kind;
        if (kind !== 0) this.#beginRun();
        return;
      }
    }
    const run = this.#run;
    run.reads++;
    run.bytes += length;
    if (this.#isOn) {
      this.#reads++;
      this.#timer!.refresh();
      if (run.reads >= RECKONED) this.#adapt();
    } else if (kind !== 0 && run.reads >= this.#needed) {
      this.#begin();
    }
  }

  stop(): void {
    if (this.#isOn) this.#end();
  }

  #kindOf(length: number): 0 | 1 | 2 {
    const { sealed } = this.#connection;
    const behind = (sealed - this.#sealed) | 0;
    this.#sealed = sealed;
    if (length >= BULK) return 1;
    return length <= SHORT && behind >= ANSWERED.least && behind <= ANSWERED.most ? 2 : 0;
  }

  #beginRun(isRaised = false): void {
    this.#run = { since: performance.now(), sealed: this.#sealed, isRaised, reads: 0, bytes: 0 };
  }

  /** For how many bytes to wait. */
  #reckon(mostAnswered: number): number {
    const { since, sealed, bytes } = this.#run;
    const ms = Math.max(performance.now() - since, 0.001);
    if (this.#kind === 1) return Math.floor(within(ENOUGH.least, bytes / ms, ENOUGH.most));
    const sent = (this.#sealed - sealed) | 0;
    return Math.floor((within(ENOUGH_ANSWERED.least, sent / ms, mostAnswered) * bytes) / sent);
  }

  /** Than a read has brought so far. */
  #isMore(bytes: number): boolean {
    return bytes > this.#run.bytes / this.#run.reads;
  }

  #begin(): void {
    const bytes = this.#reckon(ENOUGH_ANSWERED.least);
    const isMore = this.#isMore(bytes);
    this.#beginRun();
    if (this.#kind === 2 && !isMore) return;
    const result = this.#setLowat?.(this.#connection.descriptor, bytes) ?? -1;
    if (result < 0) {
      this.#needed = Number.POSITIVE_INFINITY;
      return;
    }
    this.#isOn = true;
    this.#since = performance.now();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#onSilence(), this.#kind === 1 ? PATIENCE : PATIENCE_FOR_ANSWERS);
  }

  #adapt(): void {
    const bytes = this.#reckon(this.#mostAnswered);
    this.#setLowat!(this.#connection.descriptor, bytes);
    this.#mostAnswered = Math.min(this.#mostAnswered + ENOUGH_ANSWERED.step, ENOUGH_ANSWERED.most);
    this.#beginRun(this.#kind === 2 && this.#isMore(bytes));
  }

  // If it was us who was late, the next poll brings what has come meanwhile.
  #onSilence(): void {
    const reads = this.#reads;
    setImmediate(() => {
      if (!this.#isOn || this.#reads !== reads) return;
      // Its window is smaller, and it waits for us.
      if (this.#run.isRaised && this.#run.reads === 0) this.#mostAnswered = ENOUGH_ANSWERED.least;
      const wasWorthIt = performance.now() - this.#since >= WORTH;
      this.#needed = wasWorthIt ? RUN : Math.min(2 * this.#needed, LONGEST_RUN);
      this.#end();
    });
  }

  #end(): void {
    this.#isOn = false;
    this.#beginRun();
    const fd = this.#connection.descriptor;
    if (fd >= 0) this.#setLowat!(fd, 1);
  }
}

function within(least: number, wanted: number, most: number): number {
  return Math.min(most, Math.max(least, wanted));
}
