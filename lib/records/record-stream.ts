import { Alert, AlertLevel } from '../alerts.js';
import { SoCryptError } from '../errors.js';
import { ContentType } from '../frame-layouts.js';
import { disconnectMessage } from '../packets/disconnect.js';
import { onControlRecord } from './control.js';
import type { Callback, Reader, RecordSink, Writer } from './direction.js';

/** What a RecordStream needs of its socket. */
export interface Host {
  readonly destroyed: boolean;
  /** The kernel has all that was written. */
  readonly isFlushed: boolean;
  /** Bytes to the kernel, behind all that was given before. */
  rawWrite(bytes: Buffer, callback: Callback): void;
  /** Of a connection that has taken all bytes before; -1: it has not, or is none of the kernel's. */
  readonly idleDescriptor: number;
  /** Bytes have been given to the kernel past {@link rawWrite}. */
  touch(): void;
  /** Plaintext to the application. False: it has enough for now. */
  deliver(data: Buffer): boolean;
  /** The genuine end of the plaintext. */
  deliverEnd(): void;
  /** The end of the stream without close_notify; called after all data has been delivered. */
  deliverTruncation(error: SoCryptError): void;
  destroy(error: Error): void;
  /** SSH: the application has consumed all that was delivered. */
  readonly isDrained: boolean;
  /** SSH: reads on. */
  readOn(): void;
  /** SSH: the connection's FIN, which was kept back. */
  onFin(): void;
}

const CLOSE_NOTIFY = Uint8Array.of(AlertLevel.warning, Alert.closeNotify);

type Retired = Pick<Writer | Reader, 'usedKeys' | 'dispose'>;

/** An armed socket: plain bytes on one side, records on the other. */
export class RecordStream implements RecordSink {
  writer: Writer | null = null;
  reader: Reader | null = null;
  // (-0 is a double from the beginning. Past 2^31, V8 would make anew what it has compiled for integers here: all that touches a stream.)
  /** Bytes that libuv wrote beyond those of the application. */
  overheadWritten = -0;
  /** Bytes that libuv read and that were none of the application's, or are not yet. */
  overheadRead = -0;
  /** Earlier keys of a direction that was armed again: they must not come back. */
  readonly retired: { writers: Retired[]; readers: Retired[] } = { writers: [], readers: [] };
  readonly #host: Host;
  #parts: Buffer[] = [];
  /** A reply to the peer's KeyUpdate is on its way: one answers many (RFC 8446 4.6.3). */
  #replying = false;
  #isOpeningHeld = false;
  #finIsHeld = false;

  constructor(host: Host) {
    this.#host = host;
  }

  get destroyed(): boolean {
    return this.#host.destroyed;
  }

  get isFlushed(): boolean {
    return this.#host.isFlushed;
  }

  rawWrite(bytes: Buffer, callback: Callback): void {
    this.#host.rawWrite(bytes, callback);
  }

  get idleDescriptor(): number {
    return this.#host.idleDescriptor;
  }

  touch(): void {
    this.#host.touch();
  }

  // Writing

  /** Sends application data; the callback comes when the kernel has all of it. */
  send(chunks: readonly Uint8Array[], callback: Callback): void {
    let length = 0;
    for (const chunk of chunks) length += chunk.length;
    if (length === 0 && this.writer!.maxPayload === undefined) return callback();
    this.writer!.send(chunks, length, callback);
  }

  /** Sends an alert or a handshake message. */
  sendControl(type: number, content: Uint8Array, callback: Callback = ignore): void {
    this.writer!.sendControl(type, content, callback);
  }

  /** Sends close_notify where the protocol has one. */
  sendClose(callback: Callback): void {
    if (!isTls(this.writer)) return callback();
    this.writer!.sendControl(ContentType.alert, CLOSE_NOTIFY, callback, true);
  }

  /** Sends a KeyUpdate and goes over to the next write key. */
  sendKeyUpdate(request: boolean): void {
    this.writer!.sendKeyUpdate(request, ignore);
  }

  /** Answers a KeyUpdate that asked for one. */
  replyKeyUpdate(): void {
    if (this.#replying || this.writer === null) return;
    this.#replying = true;
    this.writer.sendKeyUpdate(false, () => {
      this.#replying = false;
    });
  }

  // Reading

  /** Opens what has arrived and delivers it. False: read no more for now. */
  open(bytes: Uint8Array, length: number): boolean {
    const reader = this.reader!;
    if (reader.closed) return false; // RFC 8446 6.1: what comes after close_notify is ignored
    let failure: SoCryptError | undefined;
    let last: Buffer | undefined;
    this.overheadRead += length;
    try {
      last = reader.openLast(bytes, length, this);
      if (last !== undefined) this.#checkData();
    } catch (error) {
      last = undefined;
      failure = error as SoCryptError;
    }
    if (last !== undefined && this.#parts.length > 0) {
      this.#parts.push(last);
      last = undefined;
    }
    // Nearly every read comes here with one piece of data.
    if (last !== undefined) return this.#end(reader, this.#deliver(last));
    let more = this.#afterRecords(reader, failure);
    // SSH, one packet at a time.
    while (failure === undefined && reader.isHolding && !reader.isWaiting && this.#mayOpenHeld())
      more = this.#openHeld();
    return more && !reader.isHolding;
  }

  #mayOpenHeld(): boolean {
    return this.#host.isDrained && !this.#host.destroyed && !this.#isOpeningHeld;
  }

  #openHeld(): boolean {
    const held = this.reader!.takeHeld();
    this.overheadRead -= held.length;
    this.#isOpeningHeld = true;
    try {
      return this.open(held, held.length);
    } finally {
      this.#isOpeningHeld = false;
    }
  }

  /** SSH: opens what came behind SSH_MSG_NEWKEYS, now that there is a key for it, or behind what was delivered one by one; reads on. */
  goOn(): void {
    const reader = this.reader!;
    if (this.#host.destroyed || reader.isWaiting) return;
    let more = true;
    while (reader.isHolding) {
      if (reader.isOneByOne && !this.#host.isDrained) return; // Socket.read() calls again
      more = this.#openHeld();
      if (this.#host.destroyed || reader.isWaiting) return;
    }
    if (this.#finIsHeld) this.#host.onFin();
    else if (more) this.#host.readOn();
  }

  /** Delivers or acts on what the kernel has opened. False: read no more for now. */
  accept(type: number, content: Buffer): boolean {
    const reader = this.reader!;
    if (reader.closed) return false;
    let failure: SoCryptError | undefined;
    try {
      // (libuv has never counted these bytes; that they are taken off overheadRead when they are delivered counts them.)
      if (type === ContentType.applicationData) this.onData(content);
      else this.onControl(type, content);
    } catch (error) {
      failure = error as SoCryptError;
    }
    return this.#afterRecords(reader, failure);
  }

  #afterRecords(reader: Reader, failure: SoCryptError | undefined): boolean {
    return this.#end(reader, this.#deliverParts(), failure);
  }

  #end(reader: Reader, more: boolean, failure?: SoCryptError): boolean {
    if (this.#host.destroyed) return false;
    if (failure !== undefined) this.fail(failure);
    else if (reader.closed) this.#host.deliverEnd();
    return more && failure === undefined && !reader.closed;
  }

  onData(data: Buffer): void {
    this.#checkData();
    this.#parts.push(data);
  }

  #checkData(): void {
    if (this.reader!.handshake !== undefined)
      throw unexpected('Application data came in the middle of a handshake message');
    this.reader!.idle = 0;
  }

  #deliver(data: Buffer): boolean {
    this.overheadRead -= data.length;
    return this.#host.deliver(data);
  }

  onControl(type: number, content: Buffer): boolean {
    onControlRecord(this, type, content);
    return !this.reader!.closed;
  }

  /** The connection's FIN. True: it is the genuine end of the plaintext, and the stream may end with it. */
  onFin(): boolean {
    const reader = this.reader!;
    if (reader.closed || reader.truncated) return false; // the end has been delivered
    if (reader.isHolding) {
      this.#finIsHeld = true;
      return false;
    }
    if ((reader.protocol === 'custom' || reader.protocol === 'ssh') && reader.stashed === 0) return true;
    reader.truncated = true;
    if (reader.truncation === 'end') return true;
    this.#host.deliverTruncation(
      new SoCryptError(
        'ERR_SO_CRYPT_TRUNCATED',
        reader.protocol === 'ssh'
          ? 'The peer closed the connection in the middle of a packet'
          : 'The peer closed the connection without close_notify',
        { hint: 'Data may be missing at the end' },
      ),
    );
    return false;
  }

  /** The end of the plaintext, which has come otherwise than by {@link open}. */
  deliverEnd(): void {
    this.#host.deliverEnd();
  }

  /** Tells the peer by an alert, where that can be done, and destroys the socket. */
  fail(error: Error): void {
    // The peer's own alert is not answered by one.
    const tell =
      error instanceof SoCryptError && error.alert !== undefined && error.code !== 'ERR_SO_CRYPT_ALERT';
    if (tell && isTls(this.writer))
      this.sendControl(ContentType.alert, Uint8Array.of(AlertLevel.fatal, error.alert!));
    if (
      error instanceof SoCryptError &&
      error.disconnectReason !== undefined &&
      this.writer?.protocol === 'ssh'
    )
      this.sendControl(0, disconnectMessage(error.disconnectReason, error.message));
    this.#host.destroy(error);
  }

  /** Wipes the keys. */
  dispose(): void {
    for (const direction of [this.writer, this.reader, ...this.retired.writers, ...this.retired.readers])
      direction?.dispose();
  }

  #deliverParts(): boolean {
    const parts = this.#parts;
    if (parts.length === 0) return true;
    this.#parts = [];
    let more = true;
    for (let i = 0; i < parts.length && !this.#host.destroyed; i++) {
      const part = parts[i]!;
      let delivered = false;
      try {
        more = this.#deliver(part);
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

/** It has alerts. */
function isTls(writer: Writer | null): boolean {
  return writer !== null && writer.protocol !== 'custom' && writer.protocol !== 'ssh';
}

function ignore(): void {}
