import { Alert, AlertLevel } from '../alerts.js';
import { SoCryptError } from '../errors.js';
import { ContentType } from '../frame-layouts.js';
import { onControlRecord } from './control.js';
import type { RecordReader, RecordSink } from './reader.js';
import type { RecordWriter, Sealed } from './writer.js';

export type Callback = (error?: Error | null) => void;

/** What a RecordStream needs of its socket. */
export interface Host {
  readonly destroyed: boolean;
  /** Bytes to the kernel, behind all that was given before. */
  rawWrite(bytes: Buffer, callback: Callback): void;
  /** Plaintext to the application. False: it has enough for now. */
  deliver(data: Buffer): boolean;
  /** The genuine end of the plaintext. */
  deliverEnd(): void;
  /** The end of the stream without close_notify; called after all data has been delivered. */
  deliverTruncation(error: SoCryptError): void;
  destroy(error: Error): void;
}

/** An armed socket on a userland engine: plain bytes on one side, records on the other. */
export class RecordStream implements RecordSink {
  writer: RecordWriter | null = null;
  reader: RecordReader | null = null;
  /** Bytes given to the kernel beyond those of the application. */
  overheadWritten = 0;
  /** Bytes that came from the kernel and were none of the application's, or are not yet. */
  overheadRead = 0;
  /** Earlier keys of a direction that was armed again: they must not come back. */
  readonly retiredWriters: RecordWriter[] = [];
  readonly retiredReaders: RecordReader[] = [];
  readonly #host: Host;
  #parts: Buffer[] = [];
  /** A reply to the peer's KeyUpdate is on its way: one answers many (RFC 8446 4.6.3). */
  #replying = false;

  constructor(host: Host) {
    this.#host = host;
  }

  // Writing

  /** Seals and sends application data; the callback comes when the kernel has all of it. */
  send(chunks: Uint8Array[], callback: Callback): void {
    let length = 0;
    for (const chunk of chunks) length += chunk.length;
    if (length === 0) return callback();
    if (length <= this.writer!.segment)
      return this.#sendSegment(chunks.length === 1 ? chunks[0]! : chunks, length, callback);
    this.#sendLong(chunks, callback);
  }

  /** Seals and sends an alert or a handshake message. */
  sendControl(type: number, content: Uint8Array, callback: Callback = ignore): void {
    let sealed: Sealed;
    try {
      sealed = this.writer!.sealControl(type, content);
    } catch (error) {
      return callback(error as Error);
    }
    this.#write(sealed, 0, callback);
  }

  /** Sends close_notify where the protocol has one. */
  sendClose(callback: Callback): void {
    if (this.writer === null || this.writer.protocol === 'custom') return callback();
    this.sendControl(ContentType.alert, Uint8Array.of(AlertLevel.warning, Alert.closeNotify), callback);
  }

  /** Sends a KeyUpdate and goes over to the next write key. */
  sendKeyUpdate(request: boolean): void {
    this.#write(this.writer!.keyUpdate(request), 0, ignore);
  }

  /** Answers a KeyUpdate that asked for one. */
  replyKeyUpdate(): void {
    if (this.#replying || this.writer === null) return;
    this.#replying = true;
    this.#write(this.writer.keyUpdate(false), 0, () => {
      this.#replying = false;
    });
  }

  #sendSegment(chunks: Uint8Array | Uint8Array[], length: number, callback: Callback): void {
    let sealed: Sealed;
    try {
      sealed = this.writer!.seal(chunks, length);
    } catch (error) {
      return callback(error as Error);
    }
    this.#write(sealed, length, callback);
  }

  // In pieces, each sealed when the one before has gone: a long write needs no second copy of itself.
  #sendLong(chunks: Uint8Array[], callback: Callback): void {
    const most = this.writer!.segment;
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
          if (this.#host.destroyed) return callback();
          if (synchronous) again = true;
          else run();
        });
        synchronous = false;
      }
    };
    run();
  }

  #write(sealed: Sealed, plain: number, callback: Callback): void {
    this.overheadWritten += sealed.bytes.length - plain;
    this.#host.rawWrite(sealed.bytes, (error) => {
      sealed.release();
      callback(error);
    });
  }

  // Reading

  /** Opens what has arrived and delivers it. False: read no more for now. */
  open(bytes: Uint8Array, length: number): boolean {
    const reader = this.reader!;
    if (reader.closed) return false; // RFC 8446 6.1: what comes after close_notify is ignored
    let failure: SoCryptError | undefined;
    this.overheadRead += length;
    try {
      reader.open(bytes, length, this);
    } catch (error) {
      failure = error as SoCryptError;
    }
    const more = this.#deliverParts();
    if (this.#host.destroyed) return false;
    if (failure !== undefined) this.fail(failure);
    else if (reader.closed) this.#host.deliverEnd();
    return more && failure === undefined && !reader.closed;
  }

  onData(data: Buffer): void {
    if (this.reader!.handshake !== undefined)
      throw unexpected('Application data came in the middle of a handshake message');
    this.reader!.idle = 0;
    this.#parts.push(data);
  }

  onControl(type: number, content: Buffer): boolean {
    onControlRecord(this, type, content);
    return !this.reader!.closed;
  }

  /** The connection's FIN. True: it is the genuine end of the plaintext, and the stream may end with it. */
  onFin(): boolean {
    const reader = this.reader!;
    if (reader.closed || reader.truncated) return false; // the end has been delivered
    if (reader.protocol === 'custom' && reader.stashed === 0) return true;
    reader.truncated = true;
    if (reader.truncation === 'end') return true;
    this.#host.deliverTruncation(
      new SoCryptError('ERR_SO_CRYPT_TRUNCATED', 'The peer closed the connection without close_notify', {
        hint: 'Data may be missing at the end',
      }),
    );
    return false;
  }

  /** Tells the peer by an alert, where that can be done, and destroys the socket. */
  fail(error: SoCryptError): void {
    // The peer's own alert is not answered by one.
    const tell = error.alert !== undefined && error.code !== 'ERR_SO_CRYPT_ALERT';
    if (tell && this.writer !== null && this.writer.protocol !== 'custom')
      this.sendControl(ContentType.alert, Uint8Array.of(AlertLevel.fatal, error.alert!));
    this.#host.destroy(error);
  }

  /** Wipes the keys. */
  dispose(): void {
    this.writer?.dispose();
    this.reader?.dispose();
  }

  #deliverParts(): boolean {
    const parts = this.#parts;
    if (parts.length === 0) return true;
    this.#parts = [];
    let more = true;
    for (let i = 0; i < parts.length && !this.#host.destroyed; i++) {
      const part = parts[i]!;
      this.overheadRead -= part.length;
      let delivered = false;
      try {
        more = this.#host.deliver(part);
        delivered = true;
      } finally {
        // The application's listener threw: should the process survive that, the rest must not be lost.
        if (!delivered && i + 1 < parts.length) {
          this.#parts = parts.slice(i + 1);
          process.nextTick(() => this.#deliverParts());
        }
      }
    }
    return more;
  }
}

/** An error for a record that is authentic and must not come now. */
export function unexpected(message: string): SoCryptError {
  return new SoCryptError('ERR_SO_CRYPT_UNEXPECTED_RECORD', message, { alert: Alert.unexpectedMessage });
}

function ignore(): void {}
