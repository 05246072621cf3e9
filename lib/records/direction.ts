import type { Arming } from '../arm.js';
import type { ArmedProtocol, DirectionState, EngineName, ReadState } from '../crypt-options.js';
import type { Entry } from '../socket-internals.js';

export type Callback = (error?: Error | null) => void;

/** An engine, as one that carries a direction. */
export type Engine = Exclude<EngineName, 'auto'>;

/** The write direction of an armed socket, whichever engine carries it. */
export interface Writer {
  readonly engine: Engine;
  readonly protocol: ArmedProtocol;
  /** SSH: each chunk is a payload, of this many bytes at most. */
  readonly maxPayload?: number;
  /** The key can be changed: the traffic secret is known, and the engine is able to. */
  readonly canUpdate: boolean;
  /** What it would take for the key to be changed. */
  readonly updateHint: string;
  /** Fingerprints of 16 bytes of all keys that it has had. */
  readonly usedKeys: Uint8Array;
  /** Up to so many bytes {@link send} has done with the chunks when it returns; kernel engines never. */
  readonly atOnce?: number;
  state(): DirectionState;
  /** Bytes of application data in a record from here on; kernel engines have it fixed. */
  setMaxFragment?(size: number): void;
  /** Sends application data; the callback comes when the kernel has all of it. */
  send(chunks: readonly Uint8Array[], length: number, callback: Callback): void;
  /** {@link send} for a head and a body that are short, as http writes them. False: nothing was done, because it has to go by `send`. */
  sendEntries?(entries: readonly Entry[], callback: Callback): boolean;
  /**
   * SSH: seals a payload in two parts, both of which may be used again when this returns; it is sent when the turn or the iteration of the
   * event loop ends, or {@link sendSealed} is called. For when nothing waits in the stream's queue. False: it has to be written. Throws when it can't be sealed.
   */
  sealNow?(head: Uint8Array, body: Uint8Array, isAlone?: boolean): boolean;
  /** SSH: sends what is sealed. */
  sendSealed?(): void;
  /** Sends an alert or a handshake message as one record. isLast: the FIN follows when the callback has come. */
  sendControl(type: number, content: Uint8Array, callback: Callback, isLast?: boolean): void;
  /** Sends a KeyUpdate under the old key and goes over to the next one (RFC 8446 4.6.3). Throws when it can't. */
  sendKeyUpdate(request: boolean, callback: Callback): void;
  /** Wipes the keys. */
  dispose(): void;
}

/** The read direction of an armed socket: what control records and the end of the stream need to know, whichever engine opens them. */
export abstract class Reader {
  abstract readonly engine: Engine;
  readonly protocol: ArmedProtocol;
  readonly truncation: Arming['truncation'];
  readonly onHandshakeMessage: Arming['onHandshakeMessage'];
  /** close_notify has arrived. */
  closed = false;
  /** FIN has come without it. */
  truncated = false;
  /** The beginning of a handshake message that continues in the next record. */
  handshake: Buffer | undefined;
  /** Records in a row that change nothing (TLS 1.2 warnings and renegotiation attempts). */
  idle = 0;
  protected keyUpdates = 0;

  constructor(arming: Pick<Arming, 'truncation' | 'onHandshakeMessage'> & { protocol: ArmedProtocol }) {
    this.protocol = arming.protocol;
    this.truncation = arming.truncation;
    this.onHandshakeMessage = arming.onHandshakeMessage;
  }

  abstract readonly usedKeys: Uint8Array;
  /** What it would take for the key to be changed. */
  abstract readonly updateHint: string;
  /** Bytes of an unfinished record, as far as they are known. */
  abstract readonly stashed: number;
  /** SSH: nothing is opened before new keys come. */
  get isWaiting(): boolean {
    return false;
  }
  /** SSH: bytes have come that are not to be looked at yet. */
  get isHolding(): boolean {
    return false;
  }
  /** SSH: each packet is opened when the one before it has been consumed. */
  get isOneByOne(): boolean {
    return false;
  }
  /** Those bytes; they are to be given to `open` again. */
  takeHeld(): Buffer {
    return Buffer.alloc(0);
  }
  abstract state(): ReadState;
  /**
   * Opens the records of input[0, length); what is left of one is kept for the next call.
   *
   * @throws SoCryptError for the first record that can't be opened; what came before it has been handed out
   */
  abstract open(input: Uint8Array, length: number, sink: RecordSink): void;
  /** The same, but may return the application data that comes last instead of giving it to the sink. */
  openLast(input: Uint8Array, length: number, sink: RecordSink): Buffer | undefined {
    this.open(input, length, sink);
    return undefined;
  }
  /** Goes over to the next key (RFC 8446 7.2). False: no traffic secret was given, or the engine can't. */
  abstract keyUpdate(): boolean;
  /** Wipes the keys. */
  abstract dispose(): void;
}

/** Takes what a {@link Reader} opens, in the order of the stream. */
export interface RecordSink {
  /** Verified application data; a Buffer of its own. */
  onData(data: Buffer): void;
  /** A verified record of another type; its content is copied. False: read nothing more. */
  onControl(type: number, content: Buffer): boolean;
}

const FINGERPRINT = 16;

/** Whether one has ever had a key of the other: a nonce could repeat under it. */
export function shareKeys(one: Uint8Array, other: Uint8Array): boolean {
  for (let i = 0; i < one.length; i += FINGERPRINT)
    for (let j = 0; j < other.length; j += FINGERPRINT)
      if (Buffer.compare(one.subarray(i, i + FINGERPRINT), other.subarray(j, j + FINGERPRINT)) === 0)
        return true;
  return false;
}
