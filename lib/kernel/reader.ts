import { constants } from 'node:os';
import { Alert } from '../alerts.js';
import type { Arming } from '../arm.js';
import type { ReadState } from '../crypt-options.js';
import { SoCryptError } from '../errors.js';
import { ContentType } from '../frame-layouts.js';
import type { KernelKeys } from '../native/kernel.js';
import { Reader, type RecordSink } from '../records/direction.js';
import { allocateOutput } from '../userland/output.js';
import { RecordReader } from '../userland/reader.js';
import { type KernelEngine, termsOf } from './engine.js';
import { EAGAIN, type KernelPort, kernel, systemError } from './port.js';
import { readPlain } from './read-plain.js';

/** What a KernelReader needs of its socket. */
export interface ReaderHost {
  readonly destroyed: boolean;
  /** Bytes of records, before the kernel has the key. False: read no more for now. */
  onBytes(bytes: Buffer, length: number): boolean;
  /** What the kernel has opened. False: read no more for now. */
  onRecord(type: number, content: Buffer): boolean;
  onFin(): void;
  /** The connection is broken, or a record is. */
  onError(error: Error): void;
  /** No more is wanted: what net.Socket does when its stream is full. */
  stopReading(): void;
  /** Something has come: for socket.setTimeout(). */
  touch(): void;
}

/** Bytes that one read can take: five full records. */
const INBOX = 86_016;

// So many reads in a row, then other connections have their turn.
const MOST_READS = 8;

const NO_RECORD = 0;
// so_crypt: FIN in the middle of a frame. (kTLS answers as for any FIN.)
const CUT_BY_FIN = -constants.errno.ECONNABORTED;
// All connections of the thread read into it; when a read has filled much of it, it is given away.
let inbox: Buffer | undefined;
const type = new Uint8Array(1);

/**
 * The read direction under a kernel engine, with a reader of its own: libuv's knows no control records, and would lose what is behind one.
 *
 * Bytes that were read before the kernel has the key are opened here; then exactly as many are read as the record lacks whose beginning
 * is among them, and the kernel goes on behind it.
 */
export class KernelReader extends Reader {
  readonly engine: KernelEngine['name'];
  readonly #kernelEngine: KernelEngine;
  readonly #keys: KernelKeys;
  readonly #port: KernelPort;
  readonly #host: ReaderHost;
  readonly #arming: Arming & { read: object };
  /** Opens what came before the kernel had the key. */
  #first: RecordReader | undefined;
  #firstSequence: bigint;
  #again = false;
  #reading = false;
  #ended = false;
  readonly #readable = (): void => this.#read();

  constructor(
    kernelEngine: KernelEngine,
    arming: Arming & { read: object },
    port: KernelPort,
    host: ReaderHost,
  ) {
    super(arming);
    this.#kernelEngine = kernelEngine;
    this.engine = kernelEngine.name;
    this.#arming = arming;
    this.#keys = kernelEngine.keys(termsOf(arming), arming.read, false);
    this.#port = port;
    this.#host = host;
    this.#firstSequence = arming.read.sequence;
  }

  /**
   * Begins.
   *
   * @param unread bytes of records have been read already: `open` will get them
   * @param again the direction has had another key in the kernel
   * @throws SoCryptError ERR_SO_CRYPT_PROVIDER; nothing has changed
   */
  begin(unread: boolean, again = false): void {
    this.#again = again;
    if (unread) {
      this.#first = new RecordReader(this.#arming, this.engine);
      return;
    }
    const result = this.#arm();
    if (result < 0) throw this.#kernelEngine.armingError(result, 'read');
  }

  get usedKeys(): Uint8Array {
    return this.#keys.usedKeys;
  }

  get stashed(): number {
    return this.#first?.stashed ?? 0;
  }

  /** The kernel has the key, and all that came before is opened. */
  get isInKernel(): boolean {
    return this.#first === undefined && this.handshake === undefined;
  }

  get updateHint(): string {
    return this.#kernelEngine.updateHint;
  }

  state(): ReadState {
    const { engine, closed, truncated, keyUpdates } = this;
    const known = this.#first?.state().sequence ?? this.#keys.sequence(this.#port.fd);
    const sequence = known ?? this.#firstSequence;
    return { engine, sequence, records: sequence - this.#firstSequence, keyUpdates, closed, truncated };
  }

  open(input: Uint8Array, length: number, sink: RecordSink): void {
    this.#first!.open(input, length, sink);
  }

  keyUpdate(): boolean {
    if (this.#first !== undefined) {
      if (!this.#first.keyUpdate()) return false;
      this.#keys.next();
    } else {
      if (!this.#kernelEngine.canRekey(this.protocol, this.#arming.cipher) || !this.#keys.next())
        return false;
      if (this.#keys.arm(this.#port.fd) < 0) return false;
    }
    this.keyUpdates++;
    this.#firstSequence = 0n;
    return true;
  }

  /** Reads on. */
  resume(): void {
    if (this.#reading || this.#ended || this.closed) return;
    this.#reading = true;
    this.#port.watchReadable(this.#readable);
  }

  pause(): void {
    this.#reading = false;
    this.#port.watchReadable(undefined);
  }

  dispose(): void {
    this.#keys.dispose();
    this.#first?.dispose();
  }

  #read(): void {
    if (this.#first !== undefined && !this.#goOnInKernel()) return;
    for (let i = 0; i < MOST_READS && this.#reading && !this.#host.destroyed; i++) {
      inbox ??= allocateOutput(INBOX);
      const result = kernel().receive(this.#port.fd, inbox, type);
      if (result === EAGAIN) return;
      if (result === CUT_BY_FIN) return this.#end();
      if (result < 0) return this.#host.onError(this.#error(result));
      this.#host.touch();
      const recordType = type[0]!;
      if (recordType === NO_RECORD) return this.#end();
      if (result === 0 && recordType === ContentType.applicationData) continue; // RFC 8446 5.1 allows it
      if (!this.#host.onRecord(recordType, takeInbox(result))) this.#host.stopReading();
    }
    if (this.#reading && !this.#host.destroyed) this.#port.readAgain();
  }

  /** Before the kernel has the key: true when it has. */
  #goOnInKernel(): boolean {
    const first = this.#first!;
    while (this.#reading && !this.#host.destroyed) {
      const { missing } = first;
      if (missing === 0) {
        this.#keys.setIv?.(first.iv);
        const result = this.#arm(first.state().sequence);
        if (result < 0) {
          this.#host.onError(this.#kernelEngine.armingError(result, 'read'));
          return false;
        }
        first.dispose();
        this.#first = undefined;
        return true;
      }
      if (!readPlain(this.#port, this.#host, missing, () => this.#end())) return false;
    }
    return false;
  }

  #arm(sequence?: bigint): number {
    const result = this.#keys.arm(this.#port.fd, sequence, this.#again);
    // A kernel without the option is slower, nothing else.
    if (result === 0 && this.engine === 'ktls' && this.#arming.expectNoPadding)
      kernel().expectNoPadding!(this.#port.fd);
    return result;
  }

  #end(): void {
    this.#ended = true;
    this.pause();
    this.#host.onFin();
  }

  #error(result: number): Error {
    const cause = systemError(result, 'read');
    const make = (
      code:
        | 'ERR_SO_CRYPT_KEY_LIMIT'
        | 'ERR_SO_CRYPT_BAD_RECORD'
        | 'ERR_SO_CRYPT_BAD_RECORD_MAC'
        | 'ERR_SO_CRYPT_RECORD_OVERFLOW',
      message: string,
      alert: number,
    ) => new SoCryptError(code, `${message} (${this.protocol}, found by the kernel)`, { alert, cause });
    // What net/tls/tls_sw.c and so_crypt answer for a record that it does not take.
    switch (cause.code) {
      case 'EBADMSG':
        return make('ERR_SO_CRYPT_BAD_RECORD_MAC', 'A record is not authentic', Alert.badRecordMac);
      case 'EMSGSIZE':
        return make('ERR_SO_CRYPT_RECORD_OVERFLOW', 'A record is longer than allowed', Alert.recordOverflow);
      case 'EINVAL':
        return make(
          'ERR_SO_CRYPT_BAD_RECORD',
          "A record's header is not that of the protocol",
          Alert.protocolVersion,
        );
      case 'EKEYEXPIRED':
        return make('ERR_SO_CRYPT_KEY_LIMIT', 'The key may open no more records', Alert.internalError);
      default:
        return cause;
    }
  }
}

/** The inbox's first bytes, as a Buffer that is the application's. */
function takeInbox(length: number): Buffer {
  const filled = inbox!.subarray(0, length);
  if (length < INBOX / 4) return Buffer.from(filled);
  inbox = undefined;
  return filled;
}
