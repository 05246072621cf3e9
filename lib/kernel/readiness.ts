import type { Readiness } from '../native/kernel.js';
import { native } from '../native.js';

/** What is watched. */
export interface Watched {
  onReady(readable: boolean, writable: boolean): void;
}

// struct Ready of native/kernel/readiness.h
const READABLE = 1;
const WRITABLE = 2;

/** All descriptors of this thread that wait for the kernel. */
class Watcher {
  readonly #readiness: Readiness;
  readonly #watched = new Map<number, Watched>();
  /** Those that keep the event loop running. */
  readonly #waiting = new Set<number>();
  #lastId = 0;

  constructor() {
    const { Readiness } = native.kernel!;
    this.#readiness = new Readiness((ids, events, count) => this.#onEvents(ids, events, count));
  }

  /** @param id undefined: not watched yet @returns the id, or -errno */
  watch(fd: number, writable: boolean, watched: Watched, id: number | undefined): number {
    if (this.#readiness.error < 0) return this.#readiness.error;
    const chosen = id ?? this.#nextId();
    const result = this.#readiness.watch(fd, chosen, writable, id !== undefined);
    if (result < 0) return result;
    this.#watched.set(chosen, watched);
    return chosen;
  }

  forget(fd: number, id: number): void {
    this.#readiness.forget(fd);
    this.#watched.delete(id);
    this.setWaiting(id, false);
  }

  setWaiting(id: number, waits: boolean): void {
    const before = this.#waiting.size;
    if (waits) this.#waiting.add(id);
    else this.#waiting.delete(id);
    if (before === 0 && this.#waiting.size === 1) this.#readiness.setRef(true);
    if (before === 1 && this.#waiting.size === 0) this.#readiness.setRef(false);
  }

  // The arrays are used again for the next events.
  #onEvents(ids: Uint32Array, events: Uint32Array, count: number): void {
    for (let i = 0; i < count; i++) {
      const mask = events[i]!;
      let isDone = false;
      try {
        // One that is gone by now has no entry.
        this.#watched.get(ids[i]!)?.onReady((mask & READABLE) !== 0, (mask & WRITABLE) !== 0);
        isDone = true;
      } finally {
        // A listener threw: should the process survive that, the other sockets' events must not be lost. They come only once.
        if (!isDone && i + 1 < count) {
          const [restIds, restEvents] = [ids.slice(i + 1, count), events.slice(i + 1, count)];
          setImmediate(() => this.#onEvents(restIds, restEvents, restIds.length));
        }
      }
    }
  }

  #nextId(): number {
    do this.#lastId = (this.#lastId + 1) >>> 0;
    while (this.#watched.has(this.#lastId));
    return this.#lastId;
  }
}

let instance: Watcher | undefined;

/** The watcher of this thread. */
export function watcher(): Watcher {
  instance ??= new Watcher();
  return instance;
}
