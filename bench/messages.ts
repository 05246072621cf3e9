import type { EventWait } from './event-wait.js';

/** User and system CPU time of a process over a phase, in seconds. */
export interface CpuTime {
  readonly user: number;
  readonly system: number;
}

/** What the bench and its worker processes say to each other: the kind of a message and what it carries. */
export interface Messages {
  /** worker: its server listens */
  listening: { port: number };
  /** main: connect to this port */
  connect: { port: number };
  /** worker: the warm-up is through */
  warm: Record<string, never>;
  /** main: the measured phase begins */
  start: Record<string, never>;
  /** worker: the clock of the measured phase runs */
  started: Record<string, never>;
  /** main: the measured phase is over; report */
  stop: Record<string, never>;
  /** bulk sender: the receiver has acknowledged the last byte */
  sent: { seconds: number; cpu: CpuTime };
  /** bulk receiver: the last byte is here */
  received: { cpu: CpuTime };
  /** bulk worker: what it sent or received, hashed after the clock has stopped */
  digest: { bytes: number; sha256: string };
  /** handshake worker: what happened between start and stop */
  handshakes: {
    count: number;
    resumed: number;
    seconds: number;
    cpu: CpuTime;
    /** server: CPU seconds of the main thread alone */
    mainCpu?: number;
  };
  /** main to handshake server: find out how long events wait, until stop */
  watch: Record<string, never>;
  /** handshake server: how long they waited; 99 of 100 turns of the event loop came no later than loopDelayP99, ms */
  waits: { eventWait: EventWait; loopDelayP99: number };
  /** main to memory client: open so many more connections; 0: end all of them */
  open: { count: number };
  /** memory client: they are open */
  opened: Record<string, never>;
  /** client of many connections: what was exchanged by all of them, and by how many it was not */
  exchanged: { errors: number; seconds: number; megabytes: number };
  /** main to memory server: measure, once there are exactly so many connections */
  measure: { connections: number };
  /** memory server: bytes in use */
  memory: { own: number; heap: number };
  /** bulk receiver: the connection has ended, with no byte too many */
  ended: Record<string, never>;
  /** worker without a peer: its whole result */
  result: { json: string };
}

export type MessageType = keyof Messages;

/** A message on the wire of the IPC channel. */
export interface Envelope<K extends MessageType = MessageType> {
  readonly type: K;
  readonly body: Messages[K];
}
