import net from 'node:net';
import type { SoCryptError } from './errors.js';
import type { ReaderHost } from './kernel/reader.js';
import type { PlainOutlet } from './kernel/writer.js';
import type { Callback } from './records/direction.js';
import type { Host } from './records/record-stream.js';
import type { Socket } from './socket.js';
import { kDeliver, kOnread, kRawWrite, kRawWritev, kReadOn, kState } from './socket-internals.js';

/** A socket as its record stream and its engines see it. */
export class SocketHost implements Host, PlainOutlet, ReaderHost {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  get isFlushed(): boolean {
    const { _handle: handle, writableLength } = this.#socket;
    // Behind the gate nothing of the application's has come to libuv yet.
    const isBehindGate = this.#socket[kState]!.gate !== null;
    return (isBehindGate || writableLength === 0) && (handle?.writeQueueSize ?? 0) === 0;
  }

  // Asked anew each time: a number that is no longer this connection's may be another one's.
  get idleDescriptor(): number {
    const { _handle: handle } = this.#socket;
    if (this.#socket[kState]!.relay !== null) return -1; // what it has comes first
    return handle?.writeQueueSize === 0 ? (handle.fd ?? -1) : -1;
  }

  rawWrite(bytes: Buffer, callback: Callback): void {
    this.#socket[kRawWrite](bytes, callback);
  }

  rawWritev(chunks: readonly Uint8Array[], callback: Callback): void {
    this.#socket[kRawWritev](chunks, callback);
  }

  deliver(data: Buffer): boolean {
    return this.#socket[kDeliver](data);
  }

  get isDrained(): boolean {
    return this.#socket.readableLength === 0;
  }

  readOn(): void {
    this.#socket[kReadOn]();
  }

  deliverEnd(): void {
    this.#afterData(() => {
      net.Socket.prototype.push.call(this.#socket, null);
      this.#socket.read(0);
    });
  }

  deliverTruncation(error: SoCryptError): void {
    this.#afterData(() => {
      if (this.#socket.readableLength === 0) this.#socket.destroy(error);
      else this.#socket[kState]!.truncation = error;
    });
  }

  destroy(error: Error): void {
    this.#socket.destroy(error);
  }

  onBytes(bytes: Buffer, length: number): boolean {
    const { records } = this.#socket[kState]!;
    records!.overheadRead -= length; // libuv has not counted them
    return records!.open(bytes, length);
  }

  onRecord(type: number, content: Buffer): boolean {
    return this.#socket[kState]!.records!.accept(type, content);
  }

  // As net.Socket does it when libuv tells of FIN.
  onFin(): void {
    this.#socket.push(null);
    this.#socket.read(0);
  }

  onError(error: Error): void {
    this.#socket[kState]!.records!.fail(error);
  }

  countWritten(bytes: number): void {
    this.#socket[kState]!.records!.overheadWritten -= bytes;
  }

  stopReading(): void {
    const { _handle: handle } = this.#socket;
    if (!handle) return;
    handle.reading = false;
    handle.readStop!();
  }

  touch(): void {
    (this.#socket as unknown as { _unrefTimer(): void })._unrefTimer();
  }

  // With onread, data may wait for the application where the stream does not know of it.
  #afterData(run: () => void): void {
    const onread = this.#socket[kOnread];
    const { relay } = this.#socket[kState]!;
    if (relay !== null) relay.whenRead(run);
    else if (onread === null) run();
    else onread.whenEmpty(run);
  }
}
