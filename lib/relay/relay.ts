import { AsyncResource } from 'node:async_hooks';
import net from 'node:net';
import { constants } from 'node:os';
import { replaceLibuvsReader } from '../arm-socket.js';
import { ContentType } from '../frame-layouts.js';
import { systemError } from '../kernel/port.js';
import type { Callback } from '../records/direction.js';
import type { RecordStream } from '../records/record-stream.js';
import type { Socket } from '../socket.js';
import { kOnread, kState, type State } from '../socket-internals.js';
import { NO_BYTES } from '../unread.js';
import { RecordReader } from '../userland/reader.js';
import { UserlandWriter } from '../userland/sending.js';
import { failureOf } from '../userland/writer.js';
import { isQueueEmpty } from '../write-through.js';
import { type Listener, News, relays } from './relays.js';

interface Directions {
  readonly records: RecordStream;
  readonly writer: UserlandWriter;
  readonly reader: RecordReader;
}

/** -errno of writing to a peer that has closed the connection. */
const GONE: readonly number[] = [-constants.errno.EPIPE, -constants.errno.ECONNRESET];

const counters = new Float64Array(3);

/** libuv's handle of a local socket. */
interface Pipe {
  readonly constructor: new (type: number) => Pipe;
  open(fd: number): number;
  close(): void;
  readStart(): void;
}

/** Node's class of them, which only an object of it tells. */
let PipeClass: Pipe['constructor'] | undefined;
/** PipeConstants.SOCKET of Node's pipe_wrap. */
const SOCKET = 0;

/**
 * An armed socket whose plaintext somebody reads and writes in C++, by a handle of libuv's: one end of a pair of local sockets. At the
 * other end the addon seals and opens (native/relay). The keys stay the socket's, as does everything that is no application data.
 */
export class Relay implements Listener {
  readonly #socket: Socket;
  readonly #directions: Directions;
  readonly #id: number;
  /** The plain end of the pair. */
  readonly #plain: net.Socket;
  readonly #handle: Pick<Pipe, 'readStart'>;
  // Events come in the context in which the relay was made (AsyncLocalStorage).
  readonly #context = new AsyncResource('so-crypt.Relay');
  #isClosed = false;
  #isReferenced = true;
  #hasPlainEnded = false;
  #bytesRead = 0;
  #bytesWritten = 0;
  #whenRead: (() => void) | undefined;
  #whenWritten: (() => void) | undefined;
  #writes: Callback[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** Undefined: the socket goes on as it is, because another engine carries it, or something is on its way. */
  static attach(socket: Socket): Relay | undefined {
    const state = socket[kState];
    const directions = state && directionsOf(socket, state);
    if (!directions || relays() === null) return undefined;
    const relay = new Relay(socket, directions);
    if (relay.#isClosed) return undefined;
    state.relay = relay;
    // The pair has no place for a file.
    state.upgradeTerms = undefined;
    return relay;
  }

  private constructor(socket: Socket, directions: Directions) {
    this.#socket = socket;
    this.#directions = directions;
    const { native } = relays()!;
    this.#id = relays()!.enroll(this);
    const { writer, reader } = directions;
    const { sealer, keyDue } = writer.records;
    const { opener } = reader;
    const pipe = PipeClass && new PipeClass(SOCKET);
    const fd = sealer && opener ? native.add(this.#id, socket._handle!.fd!, sealer, opener, keyDue) : -1;
    // At once: should this thread be terminated, the descriptor is closed with its handle.
    const isOpen = fd >= 0 && pipe?.open(fd) === 0;
    if (!isOpen) pipe?.close();
    if (fd < 0) {
      this.#isClosed = true;
      this.#plain = new net.Socket();
      this.#handle = { readStart() {} };
      relays()!.forget(this.#id);
      return;
    }
    replaceLibuvsReader(socket, { resume() {}, pause() {} });
    // (Before its first turn, what was read before the hand-over comes this way.)
    reader.divert = (bytes) => native.feed(this.#id, bytes);
    const options = { allowHalfOpen: true, readable: true, writable: true };
    this.#plain = new net.Socket({ ...(isOpen ? { handle: pipe } : { fd }), ...options });
    const { _handle: handle } = this.#plain as unknown as { _handle: Pipe };
    this.#handle = handle;
    PipeClass = handle.constructor;
    // What has gone wrong the relay tells itself.
    this.#plain.on('error', () => {});
    // Whoever takes the handle over expects one that is reading; behind him, what comes is for nobody.
    this.#plain.read(0);
    this.#plain.resume();
    // The relay keeps the process alive as the connection itself would.
    this.#plain.unref();
    relays()!.count(1);
    if (socket._handle!.hasRef?.() === false) this.setRef(false);
  }

  /** The handle of plain bytes. */
  get handle(): object {
    return this.#handle;
  }

  get bytesRead(): number {
    this.#count();
    return this.#bytesRead;
  }

  get bytesWritten(): number {
    this.#count();
    return this.#bytesWritten;
  }

  #count(): void {
    if (this.#isClosed) return;
    relays()!.native.counters(this.#id, counters);
    this.#bytesRead = counters[0]!;
    this.#bytesWritten = counters[1]!;
  }

  setRef(on: boolean): void {
    if (on === this.#isReferenced || this.#isClosed) return;
    this.#isReferenced = on;
    relays()!.count(on ? 1 : -1);
  }

  /** Records, behind all that is sealed. */
  write(records: Buffer, callback: Callback): void {
    if (this.#isClosed) return callback(canceled());
    if (relays()!.native.send(this.#id, records)) return callback();
    this.#writes.push(callback);
  }

  /** Calls back when all that was written to the handle is sent. */
  finish(callback: () => void): void {
    if (this.#isClosed || this.#hasPlainEnded) return callback();
    this.#whenWritten = callback;
    this.#plain.end();
  }

  /** Ends the handle's plain bytes behind those that have come, and calls back when they are read. */
  whenRead(callback: () => void): void {
    if (this.#isClosed) return callback();
    this.#whenRead = callback;
    relays()!.native.endReading(this.#id);
  }

  /** The socket's timer of so many milliseconds has run out. False: bytes have passed since, and `again` will be called. */
  isIdle(milliseconds: number, again: () => void): boolean {
    this.stopTimer();
    if (this.#isClosed) return true;
    relays()!.native.counters(this.#id, counters);
    const left = milliseconds - counters[2]!;
    if (left <= 0) return true;
    this.#timer = setTimeout(again, left).unref();
    return false;
  }

  stopTimer(): void {
    clearTimeout(this.#timer);
  }

  /** Sends what goes without waiting. */
  close(): void {
    if (this.#isClosed) return;
    this.#count();
    this.#isClosed = true;
    this.stopTimer();
    relays()!.native.remove(this.#id);
    relays()!.forget(this.#id);
    if (this.#isReferenced) relays()!.count(-1);
    this.#plain.destroy();
    const writes = this.#writes;
    this.#writes = [];
    process.nextTick(() => {
      for (const callback of writes) callback(canceled());
    });
  }

  onNews(news: number, number: number, content: Buffer | undefined, hasData: boolean): void {
    if (hasData) this.#directions.reader.idle = 0;
    this.#context.runInAsyncScope(() => this.#onNews(news, number, content));
  }

  #onNews(news: number, number: number, content: Buffer | undefined): void {
    const { records, reader } = this.#directions;
    switch (news) {
      case News.control:
        return this.#onControl(number, content!);
      case News.misplaced:
        // Refused, whatever is in it.
        records.accept(ContentType.applicationData, NO_BYTES);
        return;
      case News.unopened:
        return records.fail(reader.failureOf(number));
      case News.fin:
        if (records.onFin()) records.deliverEnd();
        return;
      case News.readError:
        return records.fail(systemError(number, 'read'));
      case News.keyDue:
        try {
          records.sendKeyUpdate(false);
        } catch (error) {
          records.fail(error as Error);
        }
        return;
      case News.unsealed:
        return records.fail(failureOf(number));
      case News.writeError:
        // A peer that is gone is no error of the streams, as little as with Node's own handle.
        if (GONE.includes(number)) return void this.#socket.destroy();
        return records.fail(systemError(number, 'write'));
      case News.plainEnd:
        this.#hasPlainEnded = true;
        this.#whenWritten?.();
        return;
      case News.plainLeft:
        // http2 stops when its session has ended as far as it is concerned, and would never see the end of the stream.
        this.#handle.readStart();
        return;
      case News.plainRead:
        this.#whenRead?.();
        return;
      case News.flushed: {
        const writes = this.#writes;
        this.#writes = [];
        for (const callback of writes) callback();
      }
    }
  }

  #onControl(type: number, content: Buffer): void {
    const { records, reader } = this.#directions;
    let more = true;
    try {
      more = records.accept(type, content);
    } finally {
      // Also when a listener of the application throws, which is no fault of the connection's.
      if (more) relays()!.native.readOn(this.#id, reader.handshake !== undefined);
    }
  }
}

function directionsOf(socket: Socket, state: State): Directions | undefined {
  const { records } = state;
  const { writer, reader } = records ?? {};
  if (!records || !(writer instanceof UserlandWriter) || !(reader instanceof RecordReader)) return undefined;
  if (writer.engine !== 'evp' || reader.engine !== 'evp') return undefined;
  const isReading = !reader.closed && !reader.truncated && reader.handshake === undefined;
  if (!isReading || socket.readableLength > 0 || socket.readableEnded || socket[kOnread] !== null)
    return undefined;
  if (!isQueueEmpty(socket, state) || state.tap !== null || state.relay) return undefined;
  return records.idleDescriptor >= 0 ? { records, writer, reader } : undefined;
}

function canceled(): Error {
  return systemError(-constants.errno.ECANCELED, 'write');
}
