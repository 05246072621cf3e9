import { clearTimeout, setImmediate, setTimeout } from 'node:timers';
import { native } from '../native.js';

/** Reads of so many bytes are those of a bulk transfer, … */
const BULK = 16_384;
/** … and the kernel wakes us when so much has come, which is one read, … */
const ENOUGH = 262_144;
/** … or at last when nothing could be read for so many milliseconds: a gigabit a second brings 256 KB in 2.2. */
const PATIENCE = 3;
/** Of one that we send, short answers tell how it goes on: when they come behind so many bytes each, we are woken for two or three. */
const ANSWERED = { least: 32_768, most: 524_288 } as const;
const SHORT = 256;
const ANSWERS = 100;
const PATIENCE_FOR_ANSWERS = 2;
/** Such reads in a row after which waiting begins; each time that it has not gone on for so many milliseconds, twice as many the next time. */
const RUN = 8;
const LONGEST_RUN = 512;
const WORTH = 24;

/** The connection, as far as it matters here. */
export interface Gathered {
  /** Negative when it is gone. */
  readonly descriptor: number;
  /** Bytes that have been sealed. */
  readonly sealed: number;
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
  #run = 0;
  #needed = RUN;
  #sealed = 0;
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
        this.#run = 0;
      }
    }
    if (this.#isOn) {
      this.#reads++;
      this.#timer!.refresh();
    } else if (kind !== 0 && ++this.#run >= this.#needed) {
      if (kind === 1) this.#begin(ENOUGH, PATIENCE);
      else this.#begin(ANSWERS, PATIENCE_FOR_ANSWERS);
    }
  }

  stop(): void {
    if (this.#isOn) this.#end();
  }

  #kindOf(length: number): 0 | 1 | 2 {
    const { sealed } = this.#connection;
    const behind = sealed - this.#sealed;
    this.#sealed = sealed;
    if (length >= BULK) return 1;
    return length <= SHORT && behind >= ANSWERED.least && behind <= ANSWERED.most ? 2 : 0;
  }

  #begin(bytes: number, patience: number): void {
    const result = this.#setLowat?.(this.#connection.descriptor, bytes) ?? -1;
    if (result < 0) {
      this.#needed = Number.POSITIVE_INFINITY;
      return;
    }
    this.#isOn = true;
    this.#since = performance.now();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#onSilence(), patience);
  }

  // If it was us who was late, the next poll brings what has come meanwhile.
  #onSilence(): void {
    const reads = this.#reads;
    setImmediate(() => {
      if (!this.#isOn || this.#reads !== reads) return;
      const wasWorthIt = performance.now() - this.#since >= WORTH;
      this.#needed = wasWorthIt ? RUN : Math.min(2 * this.#needed, LONGEST_RUN);
      this.#end();
    });
  }

  #end(): void {
    this.#isOn = false;
    this.#run = 0;
    const fd = this.#connection.descriptor;
    if (fd >= 0) this.#setLowat!(fd, 1);
  }
}
