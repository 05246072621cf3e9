import net from 'node:net';
import { Duplex } from 'node:stream';
import { type Arming, copyKeys, validate, wipeKeys } from './arm.js';
import { callableBase } from './callable.js';
import type { CipherName, CryptOptions, CryptState, MacName } from './crypt-options.js';
import { resolveEngine } from './engines.js';
import { SoCryptError } from './errors.js';
import { OnreadDelivery, type UserOnread } from './onread.js';
import { takeUnread } from './unread.js';
import { RecordReader } from './userland/reader.js';
import { type Callback, type Host, RecordStream } from './userland/record-stream.js';
import { RecordWriter } from './userland/writer.js';

/** Options of `new Socket()`: those of net.Socket, and `crypt`. */
export interface SocketOptions extends net.SocketConstructorOpts {
  /** Arms the socket as soon as it is connected; what is written before waits for that. */
  crypt?: CryptOptions;
}

/** libuv's handle, as far as it is used here. */
interface Handle {
  isStreamBase?: boolean;
}

/** Takes the bytes of a connection in place of the stream, while a handshake runs. */
export interface Tap {
  /** False: read no more until {@link kReadOn} is called. */
  receive(bytes: Buffer): boolean;
  /** FIN. */
  end(): void;
}

/** A chunk of the writable side's queue. */
interface Entry {
  chunk: Buffer | string;
  encoding: BufferEncoding | 'buffer';
}

/** All a Socket knows beyond net.Socket. A plain socket has none. */
export class State {
  records: RecordStream | null = null;
  engine: CryptState['engine'] = 'evp';
  cipher: CipherName | undefined;
  mac: MacName | undefined;
  /** Application writes wait here until the socket is armed. null: they need not. */
  gate: { run: () => void; fail: Callback }[] | null = null;
  tap: Tap | null = null;
  /** Entries of the writable queue that were written before the write direction was armed. */
  plainEntries = 0;
  /** Waits until the data before it is consumed. */
  truncation: SoCryptError | undefined;
  /** Writes in this turn of the event loop. */
  writes = 0;
  /** The stream is corked by us. */
  corked = false;
  /** The last turn brought several writes. */
  streaming = false;
}

export const kState = Symbol('so-crypt.state');
export const kEnsureState = Symbol('so-crypt.ensureState');
export const kArm = Symbol('so-crypt.arm');
export const kOpenGate = Symbol('so-crypt.openGate');
export const kHideHandle = Symbol('so-crypt.hideHandle');
export const kReadOn = Symbol('so-crypt.readOn');
export const kRawWrite = Symbol('so-crypt.rawWrite');
const kOnread = Symbol('so-crypt.onread');
const kReceive = Symbol('so-crypt.receive');
const kDeliver = Symbol('so-crypt.deliver');
export const kHold = Symbol('so-crypt.hold');
const kFlushCork = Symbol('so-crypt.flushCork');

// Every read of this thread lands here. Its bytes are opened or copied before anything else can run. (Twice the size saves system calls,
// and costs as much again in cache misses.)
const inbox = Buffer.allocUnsafeSlow(65_536);

// net.Socket calls it as a method of the socket.
function onRead(this: net.Socket, length: number): boolean {
  return (this as Socket)[kReceive](inbox, length);
}

const OURS = { buffer: inbox, callback: onRead };

// A handle that somebody has made of a plain object pushes what it reads.
function readsIntoOurs(options: SocketOptions): boolean {
  const { handle } = options as { handle?: object };
  return !handle || 'useUserBuffer' in handle || !('readStart' in handle);
}

// Armed, the queue holds as much as is sealed in one piece. (Node's default of 16 or 64 KB is one record, or four.)
const ARMED_HIGH_WATER_MARK = 131_072;

/**
 * net.Socket with {@link Socket.setCrypt}. Until it is armed it is net.Socket in every respect; a direction that is armed carries
 * records, and the application goes on reading and writing plain bytes.
 */
export class Socket extends callableBase(net.Socket) {
  // On the prototype, because net.Socket's constructor already calls methods that look at them.
  declare [kState]: State | null;
  declare [kOnread]: OnreadDelivery | null;
  declare _handle: Handle | null;

  constructor(options?: SocketOptions | number) {
    const given: SocketOptions & { onread?: UserOnread } =
      typeof options === 'number' ? { fd: options } : { ...options };
    const { crypt, onread } = given;
    super((readsIntoOurs(given) ? { ...given, onread: OURS } : given) as net.SocketConstructorOpts);
    if (OnreadDelivery.isWanted(onread)) this[kOnread] = new OnreadDelivery(onread, this);
    if (crypt === undefined) return;
    const engine = resolveEngine(crypt.engine);
    validate(crypt);
    // The application may do with its Buffers what it likes from here on.
    const own = copyKeys(crypt);
    if (crypt.wipe === true) wipeKeys(crypt);
    const arm = (): void => {
      this[kArm](validate(own), engine);
      wipeKeys(own);
    };
    if (this.pending) {
      this[kEnsureState]().gate = [];
      this.once('connect', () => {
        arm();
        this[kOpenGate]();
      });
    } else {
      arm();
    }
  }

  /**
   * Arms one direction or both: from the next byte that is written, or the first byte that is not consumed yet, the stream consists
   * of records. All or nothing: when it throws, nothing has changed.
   *
   * @throws SoCryptError at once; the codes are in errors.ts
   * @returns this
   */
  setCrypt(options: CryptOptions): this {
    const engine = resolveEngine(options?.engine);
    const arming = validate(options);
    const ended = (arming.write && this.writableEnded) || (arming.read && this.readableEnded);
    if (this.destroyed || ended)
      throw new SoCryptError('ERR_SO_CRYPT_CLOSED', 'The socket is closed', {
        hint: 'Arm it before end() and destroy()',
      });
    if (this.pending)
      throw new SoCryptError('ERR_SO_CRYPT_NOT_CONNECTED', 'The socket is not connected', {
        hint: "Call setCrypt in the 'connect' event, or give the option crypt to connect()",
      });
    this[kArm](arming, engine);
    if (options.wipe === true) wipeKeys(options);
    return this;
  }

  /** What carries the socket's records; null while no direction is armed. */
  get crypt(): CryptState | null {
    const state = this[kState];
    if (!state?.records || state.cipher === undefined) return null;
    const { writer, reader } = state.records;
    return {
      engine: state.engine,
      protocol: (writer ?? reader)!.protocol,
      cipher: state.cipher,
      mac: state.mac,
      write: writer?.state() ?? null,
      read: reader?.state() ?? null,
      offload: 'none',
    };
  }

  /**
   * TLS 1.3: changes the write key (RFC 8446 4.6.3).
   *
   * @param request ask the peer to change its key, too
   * @throws SoCryptError ERR_SO_CRYPT_KEY_UPDATE: the write direction is not armed with a traffic secret
   */
  keyUpdate(request = false): this {
    const records = this[kState]?.records;
    if (!records?.writer?.canUpdate || this.destroyed || this.writableFinished)
      throw new SoCryptError('ERR_SO_CRYPT_KEY_UPDATE', 'The write key of this socket can not be updated', {
        hint: 'Arm it for TLS 1.3 with the traffic secret in write.secret',
      });
    records.sendKeyUpdate(request);
    return this;
  }

  // Small writes are coalesced into full records. The first one of a turn of the event loop goes out at once and the others when the
  // turn ends; but when the last turn brought several, so will this one probably, and all of it waits.
  override write(chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
    const state = this[kState];
    if (state !== null && state.records !== null && state.records.writer !== null) {
      if (state.writes++ === 0) process.nextTick(endTurn, this, state);
      if (!state.corked && (state.writes > 1 || state.streaming)) {
        state.corked = true;
        this.cork();
      }
    }
    return super.write(chunk as string, encoding as BufferEncoding, callback as Callback);
  }

  // net.Socket's connect() makes its own write() a property of the socket, for sockets that are used again after FIN.
  override connect(...args: unknown[]): this {
    super.connect(...(args as [net.SocketConnectOpts]));
    Reflect.deleteProperty(this, 'write');
    if (this[kState]?.gate) this[kHideHandle]();
    return this;
  }

  // What was written before destroy() reaches the kernel with net.Socket; a write that is corked here must, too.
  override destroy(error?: Error): this {
    if (!this.destroyed) this[kFlushCork]();
    return super.destroy(error);
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, callback: Callback): void {
    const state = this[kState];
    if (state === null) return super._write(chunk, encoding, callback);
    if (state.gate !== null)
      return this[kHold](state, () => this._write(chunk, encoding, callback), callback);
    if (state.plainEntries === 0 && state.records?.writer)
      return state.records.send([bytesOf({ chunk, encoding })], callback);
    if (state.plainEntries > 0) state.plainEntries--;
    super._write(chunk, encoding, callback);
  }

  override _writev(entries: Entry[], callback: Callback): void {
    const state = this[kState];
    if (state === null) return super._writev!(entries as never, callback);
    if (state.gate !== null) return this[kHold](state, () => this._writev(entries, callback), callback);
    const { records } = state;
    if (!records?.writer) return super._writev!(entries as never, callback);
    if (state.plainEntries === 0) return records.send(entries.map(bytesOf), callback);
    const plain = entries.slice(0, state.plainEntries);
    const rest = entries.slice(plain.length);
    state.plainEntries -= plain.length;
    this[kRawWrite](Buffer.concat(plain.map(bytesOf)), (error) => {
      if (error || rest.length === 0) callback(error);
      else records.send(rest.map(bytesOf), callback);
    });
  }

  override _final(callback: Callback): void {
    const state = this[kState];
    if (state === null) return super._final(callback);
    if (state.gate !== null) return this[kHold](state, () => this._final(callback), callback);
    if (!state.records || !this._handle) return super._final(callback);
    // A peer that is gone can't be told; shutdown() below treats that as net does, and lost data shows elsewhere.
    state.records.sendClose(() => super._final(callback));
  }

  override _read(size: number): void {
    const state = this[kState];
    if (state !== null && (state.truncation !== undefined || state.records?.reader?.closed)) return;
    super._read(size);
  }

  // net.Socket's own versions of these three start and stop the handle for an application with `onread`. The one it sees is ours.
  override read(size?: number): unknown {
    if (this[kOnread] !== null) return super.read(size);
    const chunk = Duplex.prototype.read.call(this, size);
    const truncation = this[kState]?.truncation;
    if (truncation !== undefined && this.readableLength === 0)
      process.nextTick(() => this.destroy(truncation));
    return chunk;
  }

  override pause(): this {
    const onread = this[kOnread];
    if (onread === null) return Duplex.prototype.pause.call(this) as this;
    onread.pause();
    return super.pause();
  }

  override resume(): this {
    const onread = this[kOnread];
    if (onread === null) return Duplex.prototype.resume.call(this) as this;
    return onread.deliverRest() ? super.resume() : this;
  }

  // net.Socket pushes null when FIN has come.
  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    const state = this[kState];
    if (chunk === null && state !== null) {
      if (state.tap !== null) {
        state.tap.end();
        return false;
      }
      if (state.records?.reader && !state.records.onFin()) return false;
    } else if (state !== null && (state.tap !== null || state.records?.reader)) {
      return this[kReceive](chunk as Buffer, (chunk as Buffer).length);
    }
    return super.push(chunk, encoding);
  }

  override _destroy(error: Error | null, callback: Callback): void {
    const state = this[kState];
    super._destroy(error, callback);
    if (state === null) return;
    const held = state.gate;
    state.tap = null;
    state.gate = null;
    state.records?.dispose();
    for (const { fail } of held ?? [])
      fail(error ?? new SoCryptError('ERR_SO_CRYPT_CLOSED', 'The socket was closed before it was armed'));
  }

  /** Bytes to the kernel as they are, behind all that was handed to it before. */
  [kRawWrite](bytes: Buffer, callback: Callback): void {
    super._write(bytes, 'buffer' as BufferEncoding, callback);
  }

  [kEnsureState](): State {
    if (this[kState] === null) this[kState] = new State();
    return this[kState];
  }

  /** Arms with validated options. `unread`: bytes that came before and belong to records. */
  [kArm](arming: Arming, engine: CryptState['engine'], unread?: Buffer): void {
    const state = this[kEnsureState]();
    const records = state.records ?? new RecordStream(new SocketHost(this));
    if (arming.read !== undefined && this.readableEncoding !== null && this.readableLength > 0)
      throw new SoCryptError(
        'ERR_SO_CRYPT_INVALID_OPTION',
        'Bytes to be opened have been decoded to strings',
        {
          hint: 'Call setEncoding after setCrypt',
        },
      );
    const writer = arming.write && new RecordWriter({ ...arming, write: arming.write });
    const reader = arming.read && new RecordReader({ ...arming, read: arming.read });

    refuseUsedKeys(records, writer, reader);

    // From here on nothing fails.
    Object.assign(state, { records, engine, cipher: arming.cipher, mac: arming.mac });
    this[kHideHandle]();
    if (writer !== undefined) {
      this[kFlushCork]();
      if (records.writer !== null) records.retiredWriters.push(records.writer);
      else if (state.gate === null) state.plainEntries = writableQueueOf(this).length;
      records.writer = writer;
      raiseHighWaterMark(this);
    }
    if (reader !== undefined) {
      if (records.reader !== null) records.retiredReaders.push(records.reader);
      records.reader = reader;
      const { bytes, ended } = unread ? { bytes: unread, ended: false } : takeUnread(this);
      if (bytes.length === 0) {
        if (ended) records.onFin(); // 'end' is on its way; this is what tells whether it is genuine
        return;
      }
      // As with any read, the caller sees setCrypt return before 'data' comes.
      process.nextTick(() => {
        if (!this.destroyed) records.open(bytes, bytes.length);
        if (!this.destroyed && ended) this.push(null);
      });
    }
  }

  /** Lets the writes go that waited for the socket to be armed. */
  [kOpenGate](): void {
    const state = this[kState]!;
    const held = state.gate;
    state.gate = null;
    for (const { run } of held ?? []) run();
  }

  // http and http2 use the handle itself, below the records, when it looks like a stream base.
  [kHideHandle](): void {
    if (this._handle)
      Object.defineProperty(this._handle, 'isStreamBase', { value: false, configurable: true });
  }

  [kHold](state: State, run: () => void, fail: Callback): void {
    state.gate!.push({ run, fail });
  }

  [kFlushCork](): void {
    const state = this[kState];
    if (state?.corked !== true) return;
    state.corked = false;
    this.uncork();
  }

  /** Reads on after a tap said that it has enough. */
  [kReadOn](): void {
    if (!this.pending) super._read(0);
  }

  // The bytes of one read; the memory is not ours to keep. False: read no more for now.
  [kReceive](bytes: Buffer, length: number): boolean {
    const state = this[kState];
    if (state !== null && state.tap !== null)
      return state.tap.receive(Buffer.from(bytes.subarray(0, length)));
    if (state?.records?.reader) return state.records.open(bytes, length);
    return this[kDeliver](Buffer.from(bytes.subarray(0, length)));
  }

  [kDeliver](data: Buffer): boolean {
    return this[kOnread] === null ? super.push(data) : this[kOnread].deliver(data);
  }
}

Socket.prototype[kState] = null;
Socket.prototype[kOnread] = null;

// bytesRead and bytesWritten count the application's bytes. (@types/node has them as fields, which can't be overridden in the class.)
for (const [name, overhead] of [
  ['bytesRead', 'overheadRead'],
  ['bytesWritten', 'overheadWritten'],
] as const)
  Object.defineProperty(Socket.prototype, name, {
    configurable: true,
    enumerable: true,
    get(this: Socket): number | undefined {
      const bytes = Reflect.get(net.Socket.prototype, name, this) as number | undefined;
      return bytes === undefined ? bytes : bytes - (this[kState]?.records?.[overhead] ?? 0);
    },
  });

/** The socket as its RecordStream sees it. */
class SocketHost implements Host {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  rawWrite(bytes: Buffer, callback: Callback): void {
    this.#socket[kRawWrite](bytes, callback);
  }

  deliver(data: Buffer): boolean {
    return this.#socket[kDeliver](data);
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

  // With onread, data may wait for the application where the stream does not know of it.
  #afterData(run: () => void): void {
    const onread = this.#socket[kOnread];
    if (onread === null) run();
    else onread.whenEmpty(run);
  }

  destroy(error: Error): void {
    this.#socket.destroy(error);
  }
}

function endTurn(socket: Socket, state: State): void {
  state.streaming = state.writes > 1;
  state.writes = 0;
  socket[kFlushCork]();
}

function bytesOf({ chunk, encoding }: Entry): Buffer {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding as BufferEncoding) : chunk;
}

function writableQueueOf(socket: Socket): readonly unknown[] {
  return (socket as unknown as { writableBuffer?: unknown[] }).writableBuffer ?? [];
}

function raiseHighWaterMark(socket: Socket): void {
  const { _writableState: state } = socket as unknown as { _writableState: { highWaterMark: number } };
  if (state.highWaterMark < ARMED_HIGH_WATER_MARK) state.highWaterMark = ARMED_HIGH_WATER_MARK;
}

function refuseUsedKeys(
  records: RecordStream,
  writer: RecordWriter | undefined,
  reader: RecordReader | undefined,
): void {
  const used =
    (writer && [records.writer, ...records.retiredWriters].some((other) => other?.hasUsedKeyOf(writer))) ||
    (reader && [records.reader, ...records.retiredReaders].some((other) => other?.hasUsedKeyOf(reader)));
  if (!used) return;
  writer?.dispose();
  reader?.dispose();
  throw new SoCryptError('ERR_SO_CRYPT_ALREADY_ARMED', 'The direction is armed with these keys already', {
    hint: 'Arming it again takes a new key: nonces must not repeat',
  });
}
