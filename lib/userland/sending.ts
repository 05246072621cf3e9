import type { Arming } from '../arm.js';
import type { DirectionState } from '../crypt-options.js';
import { systemError } from '../kernel/port.js';
import type { Callback, Engine, Writer } from '../records/direction.js';
import { sendInPieces } from '../records/pieces.js';
import { RecordWriter, type Sealed, type Sent } from './writer.js';

/** Where sealed records go. */
export interface Outlet {
  readonly destroyed: boolean;
  /** Bytes to the kernel, behind all that was given before. */
  rawWrite(bytes: Buffer, callback: Callback): void;
  /** Of a connection that has taken all bytes before; -1: it has not, or is none of the kernel's. */
  readonly idleDescriptor: number;
  /** Bytes have been given to the kernel past {@link rawWrite}. */
  touch(): void;
  /** Bytes given to the kernel by {@link rawWrite} beyond those of the application. */
  overheadWritten: number;
}

/** The write direction on a userland engine: seals, and hands the records to the kernel. */
export class UserlandWriter implements Writer {
  readonly engine: Engine;
  readonly protocol: Arming['protocol'];
  readonly #records: RecordWriter;
  readonly #outlet: Outlet;

  constructor(arming: Arming & { write: object }, outlet: Outlet, engine: Engine) {
    this.engine = engine;
    this.protocol = arming.protocol;
    this.#records = new RecordWriter(arming);
    this.#outlet = outlet;
  }

  get atOnce(): number {
    return this.#records.segment;
  }

  get canUpdate(): boolean {
    return this.#records.canUpdate;
  }

  get updateHint(): string {
    return 'Arm TLS 1.3 with the traffic secret in write.secret';
  }

  get usedKeys(): Uint8Array {
    return this.#records.usedKeys;
  }

  /** What seals: for another engine that goes on behind it. */
  get records(): RecordWriter {
    return this.#records;
  }

  setMaxFragment(size: number): void {
    this.#records.setMaxFragment(size);
  }

  state(): DirectionState {
    return { engine: this.engine, ...this.#records.state() };
  }

  send(chunks: readonly Uint8Array[], length: number, callback: Callback): void {
    if (length <= this.#records.segment)
      return this.#sendSegment(chunks.length === 1 ? chunks[0]! : chunks, length, callback);
    // A long write needs no second copy of itself.
    sendInPieces(
      chunks,
      this.#records.segment,
      (piece, pieceLength, done) => this.#sendSegment(piece, pieceLength, done),
      () => this.#outlet.destroyed,
      callback,
    );
  }

  sendControl(type: number, content: Uint8Array, callback: Callback, isLast = false): void {
    const fd = isLast ? this.#outlet.idleDescriptor : -1;
    let sent: Sent | undefined;
    let sealed: Sealed | undefined;
    try {
      if (fd >= 0) sent = this.#records.sealTo(fd, content, content.length, type, isLast);
      if (sent === undefined) sealed = this.#records.sealControl(type, content);
    } catch (error) {
      return callback(error as Error);
    }
    if (sent === undefined) return this.#write(sealed!, 0, callback);
    // A peer that is gone needs no close_notify.
    if (sent.rest === undefined) callback();
    else this.#write(sent.rest, 0, callback);
  }

  sendKeyUpdate(request: boolean, callback: Callback): void {
    this.#write(this.#records.keyUpdate(request), 0, callback);
  }

  dispose(): void {
    this.#records.dispose();
  }

  #sendSegment(chunks: Uint8Array | readonly Uint8Array[], length: number, callback: Callback): void {
    const fd = this.#outlet.idleDescriptor;
    let sent: Sent | undefined;
    let sealed: Sealed | undefined;
    try {
      if (fd >= 0) sent = this.#records.sealTo(fd, chunks, length);
      if (sent === undefined) sealed = this.#records.seal(chunks, length);
    } catch (error) {
      return callback(error as Error);
    }
    if (sent !== undefined) this.#end(sent, length, callback);
    else this.#write(sealed!, length, callback);
  }

  // Most writes end here: the kernel has everything, and libuv knows nothing of it.
  #end({ rest, error }: Sent, plain: number, callback: Callback): void {
    this.#outlet.touch();
    if (rest !== undefined) return this.#write(rest, plain, callback);
    this.#outlet.overheadWritten -= plain;
    callback(error === 0 ? null : systemError(error, 'write'));
  }

  #write(sealed: Sealed, plain: number, callback: Callback): void {
    this.#outlet.overheadWritten += sealed.bytes.length - plain;
    this.#outlet.rawWrite(sealed.bytes, (error) => {
      sealed.release();
      callback(error);
    });
  }
}
