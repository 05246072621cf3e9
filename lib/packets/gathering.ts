import { setImmediate, setTimeout } from 'node:timers';
import { native } from '../native.js';

/** Reads of so many bytes are those of a bulk transfer. */
const BULK = 16_384;
/** The kernel wakes us when so much has come, … */
const ENOUGH = 131_072;
/** … or at last when nothing could be read for so many milliseconds. */
const PATIENCE = 2;
/** Bulk reads in a row after which that begins; each time that it has not gone on for so many milliseconds, twice as many the next time. */
const RUN = 8;
const LONGEST_RUN = 512;
const WORTH = 16;

/**
 * Lets the packets of a bulk transfer gather in the kernel, as the driver of a network card does with frames: a wake-up for each packet of
 * 32 KB costs nearly as much as the cipher. The end of a burst waits for it; a peer that sends less at a time, and then waits for an answer,
 * is left alone soon.
 */
export class Gathering {
  readonly #descriptor: () => number;
  readonly #setLowat = native.kernel?.setReceiveLowat;
  #run = 0;
  #needed = RUN;
  #isOn = false;
  #since = 0;
  #reads = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param descriptor of the connection, negative when it is gone */
  constructor(descriptor: () => number) {
    this.#descriptor = descriptor;
  }

  /** So many bytes have been read. */
  onRead(length: number): void {
    if (this.#isOn) {
      this.#reads++;
      this.#timer!.refresh();
    } else if (length < BULK) {
      this.#run = 0;
    } else if (++this.#run >= this.#needed) {
      this.#begin();
    }
  }

  stop(): void {
    if (this.#isOn) this.#end();
  }

  #begin(): void {
    const result = this.#setLowat?.(this.#descriptor(), ENOUGH) ?? -1;
    if (result < 0) {
      this.#needed = Number.POSITIVE_INFINITY;
      return;
    }
    this.#isOn = true;
    this.#since = performance.now();
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#onSilence(), PATIENCE);
    else this.#timer.refresh();
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
    const fd = this.#descriptor();
    if (fd >= 0) this.#setLowat!(fd, 1);
  }
}
