import type { Opener, Sealer } from './records.js';

/** Connections whose plaintext goes by local sockets (native/relay); what they tell is in lib/relay/relays.ts. Linux only. */
export interface Relays {
  /** 0 or -errno. */
  start(): number;
  /**
   * The descriptor of the plain side, which is the caller's, or -errno.
   *
   * @param keyDue frames behind which there must be a new write key; 0: the key can't be changed
   */
  add(id: number, fd: number, sealer: Sealer, opener: Opener, keyDue: number): number;
  /** Bytes of the connection that were read before. */
  feed(id: number, bytes: Uint8Array): void;
  /** Reads on behind a control record. @param noData another one must follow */
  readOn(id: number, noData: boolean): void;
  /** The plain side has its end behind all that was opened. */
  endReading(id: number): void;
  /** Records, behind all that was sealed. False: that all of it is sent will be told. */
  send(id: number, records: Uint8Array): boolean;
  /** Plain bytes read and written, and milliseconds since any have passed. */
  counters(id: number, out: Float64Array): void;
  /** Sends what goes without waiting, and lets go of the connection. */
  remove(id: number): void;
  /** Sends of all what goes without waiting. */
  drain(): void;
  /** Whether they keep the process alive. */
  setRef(on: boolean): void;
}
