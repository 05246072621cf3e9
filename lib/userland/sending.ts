import type { Arming } from '../arm.js';
import type { DirectionState } from '../crypt-options.js';
import type { Callback, Engine, Writer } from '../records/direction.js';
import { RecordWriter, type Sealed } from './writer.js';

/** Where sealed records go. */
export interface Outlet {
  readonly destroyed: boolean;
  /** Bytes to the kernel, behind all that was given before. */
  rawWrite(bytes: Buffer, callback: Callback): void;
  /** Bytes given to the kernel beyond those of the application. */
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

  state(): DirectionState {
    return { engine: this.engine, ...this.#records.state() };
  }

  send(chunks: readonly Uint8Array[], length: number, callback: Callback): void {
    if (length <= this.#records.segment)
      return this.#sendSegment(chunks.length === 1 ? chunks[0]! : chunks, length, callback);
    this.#sendLong(chunks, callback);
  }

  sendControl(type: number, content: Uint8Array, callback: Callback): void {
    let sealed: Sealed;
    try {
      sealed = this.#records.sealControl(type, content);
    } catch (error) {
      return callback(error as Error);
    }
    this.#write(sealed, 0, callback);
  }

  sendKeyUpdate(request: boolean, callback: Callback): void {
    this.#write(this.#records.keyUpdate(request), 0, callback);
  }

  dispose(): void {
    this.#records.dispose();
  }

  #sendSegment(chunks: Uint8Array | readonly Uint8Array[], length: number, callback: Callback): void {
    let sealed: Sealed;
    try {
      sealed = this.#records.seal(chunks, length);
    } catch (error) {
      return callback(error as Error);
    }
    this.#write(sealed, length, callback);
  }

  // In pieces, each sealed when the one before has gone: a long write needs no second copy of itself.
  #sendLong(chunks: readonly Uint8Array[], callback: Callback): void {
    const most = this.#records.segment;
    let index = 0;
    let offset = 0;
    const next = (): { segment: Uint8Array[]; length: number } => {
      const segment: Uint8Array[] = [];
      let length = 0;
      while (length < most && index < chunks.length) {
        const chunk = chunks[index]!;
        const end = Math.min(chunk.length, offset + most - length);
        segment.push(offset === 0 && end === chunk.length ? chunk : chunk.subarray(offset, end));
        length += end - offset;
        offset = end;
        if (offset === chunk.length) {
          index++;
          offset = 0;
        }
      }
      return { segment, length };
    };
    // A loop while the kernel takes all at once, so that the stack does not grow with the write's length.
    const run = (): void => {
      for (let synchronous = true, again = true; again; ) {
        again = false;
        const { segment, length } = next();
        if (length === 0) return callback();
        synchronous = true;
        this.#sendSegment(segment, length, (error) => {
          if (error) return callback(error);
          if (this.#outlet.destroyed) return callback();
          if (synchronous) again = true;
          else run();
        });
        synchronous = false;
      }
    };
    run();
  }

  #write(sealed: Sealed, plain: number, callback: Callback): void {
    this.#outlet.overheadWritten += sealed.bytes.length - plain;
    this.#outlet.rawWrite(sealed.bytes, (error) => {
      sealed.release();
      callback(error);
    });
  }
}
