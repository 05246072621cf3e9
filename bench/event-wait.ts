import { createHistogram } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';

const EVERY_MS = 3;
// It says when; what comes of it is the other thread's affair.
const SOURCE = `const { parentPort } = require('node:worker_threads');
setInterval(() => parentPort.postMessage(process.hrtime.bigint()), ${EVERY_MS});`;

/** Milliseconds. */
export interface EventWait {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/**
 * How long this thread's event loop lets an event wait: another thread sends one every 3 ms. (perf_hooks.monitorEventLoopDelay has its own
 * interval in all it shows, and timers of whole milliseconds.)
 */
export class EventWatch {
  readonly #waits = createHistogram();
  readonly #source = new Worker(SOURCE, { eval: true });
  /** The first event has come. */
  readonly started: Promise<void>;

  constructor() {
    this.started = new Promise((resolve) => {
      this.#source.on('message', (sent: bigint) => {
        const wait = process.hrtime.bigint() - sent;
        this.#waits.record(wait > 0n ? wait : 1n);
        resolve();
      });
    });
  }

  /** What was before does not count. */
  reset(): void {
    this.#waits.reset();
  }

  end(): EventWait {
    void this.#source.terminate();
    const ms = (percentile: number): number => this.#waits.percentile(percentile) / 1e6;
    return { p50: ms(50), p90: ms(90), p99: ms(99) };
  }
}
