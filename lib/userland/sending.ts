import type { Arming } from '../arm.js';
import type { DirectionState } from '../crypt-options.js';
import { systemError } from '../kernel/port.js';
import type { Callback, Engine, Writer } from '../records/direction.js';
import { sendInPieces } from '../records/pieces.js';
import type { Entry } from '../socket-internals.js';
import { RecordWriter, type Sealed, type Sent, SMALL } from './writer.js';

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

  /** @param made and overhead as RecordWriter takes them */
  constructor(
    arming: Arming & { write: object },
    outlet: Outlet,
    engine: Engine,
    made?: number,
    overhead?: number,
  ) {
    this.engine = engine;
    this.protocol = arming.protocol;
    this.#records = new RecordWriter(arming, made, overhead);
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

  sendEntries(entries: readonly Entry[], callback: Callback): boolean {
    const fd = this.#outlet.idleDescriptor;
    if (fd < 0) return false;
    let head: Entry | undefined;
    let body: Uint8Array | undefined;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]!;
      if (entry.chunk.length === 0) continue;
      if (head === undefined) head = entry;
      else if (body === undefined && typeof entry.chunk !== 'string') body = entry.chunk;
      else return false;
    }
    if (head === undefined) return false;
    const { chunk, encoding } = head;
    const isText = typeof chunk === 'string';
    const isUtf8 = encoding === 'utf8' || encoding === 'utf-8';
    if (isText && !isUtf8 && encoding !== 'latin1') return false;
    // UTF-16 to UTF-8 makes three bytes of one unit at most.
    const most = (isText && isUtf8 ? 3 * chunk.length : chunk.length) + (body?.length ?? 0);
    if (most > SMALL) return false;
    let sent: Sent | undefined;
    try {
      sent = this.#records.sendSmall(fd, chunk, isUtf8, body, most);
    } catch (error) {
      callback(error as Error);
      return true;
    }
    if (sent === undefined) return false;
    this.#end(sent, callback);
    return true;
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
      if (fd >= 0) sent = this.#sealTo(fd, chunks, length);
      if (sent === undefined) sealed = this.#records.seal(chunks, length);
    } catch (error) {
      return callback(error as Error);
    }
    if (sent !== undefined) this.#end(sent, callback);
    else this.#write(sealed!, length, callback);
  }

  #sealTo(fd: number, chunks: Uint8Array | readonly Uint8Array[], length: number): Sent | undefined {
    const isSmall = length <= SMALL && chunks instanceof Uint8Array;
    const sent = isSmall ? this.#records.sendSmall(fd, chunks, false, undefined, length) : undefined;
    return sent ?? this.#records.sealTo(fd, chunks, length);
  }

  // Most writes end here: the kernel has everything, and libuv knows nothing of it.
  #end({ length, rest, error }: Sent, callback: Callback): void {
    this.#outlet.touch();
    if (rest !== undefined) return this.#write(rest, length, callback);
    this.#outlet.overheadWritten -= length;
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
