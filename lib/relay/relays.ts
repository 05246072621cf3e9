import type { Relays as NativeRelays } from '../native/relays.js';
import { native } from '../native.js';

/** enum News of native/relay/relay.h. */
export const News = {
  control: 1,
  misplaced: 2,
  unopened: 3,
  fin: 4,
  readError: 5,
  keyDue: 6,
  unsealed: 7,
  writeError: 8,
  plainEnd: 9,
  flushed: 10,
  plainLeft: 11,
  plainRead: 12,
} as const;

/** Hears what a relay has to tell. */
export interface Listener {
  onNews(news: number, number: number, content: Buffer | undefined, hasData: boolean): void;
}

/** The relays of this thread. */
class Relays {
  readonly native: NativeRelays;
  readonly #listeners = new Map<number, Listener>();
  #next = 1;
  #referenced = 0;

  constructor(
    make: new (callback: (id: number, ...news: Parameters<Listener['onNews']>) => void) => NativeRelays,
  ) {
    this.native = new make((id, ...news) => this.#listeners.get(id)?.onNews(...news));
  }

  /** A number for a relay, which is its own until it is forgotten. */
  enroll(listener: Listener): number {
    while (this.#listeners.has(this.#next)) this.#next = (this.#next + 1) >>> 0;
    const id = this.#next;
    this.#next = (id + 1) >>> 0;
    this.#listeners.set(id, listener);
    return id;
  }

  forget(id: number): void {
    this.#listeners.delete(id);
  }

  /** One more relay, or one less, that the process shall not end before. */
  count(change: 1 | -1): void {
    this.#referenced += change;
    this.native.setRef(this.#referenced > 0);
  }
}

let known: Relays | null | undefined;

/** Null: there can be none in this thread. */
export function relays(): Relays | null {
  if (known !== undefined) return known;
  known = native.Relays === undefined ? null : new Relays(native.Relays);
  if (known !== null && known.native.start() !== 0) known = null;
  // What http2 has written, the kernel would have by now without a relay in between.
  if (known !== null) process.on('exit', () => known?.native.drain());
  return known;
}
