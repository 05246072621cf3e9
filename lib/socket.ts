import type { FileHandle } from 'node:fs/promises';
import net from 'node:net';
import { Duplex } from 'node:stream';
import { type Arming, copyKeys, validate, wipeKeys } from './arm.js';
import { armSocket } from './arm-socket.js';
import { callableBase } from './callable.js';
import type { CryptOptions, CryptState } from './crypt-options.js';
import { deliverNow } from './deliver-now.js';
import { type Engines, resolveEngine } from './engines.js';
import { SoCryptError } from './errors.js';
import { KernelPort, offloadOf } from './kernel/port.js';
import { writeMixed } from './mixed-writes.js';
import { OnreadDelivery, type UserOnread } from './onread.js';
import { type SshArming, validateSsh } from './packets/arm.js';
import { armForSsh } from './packets/arm-socket.js';
import type { SshCryptOptions } from './packets/options.js';
import { refuseLongPayload, sizeOfPayload } from './packets/payloads.js';
import { UserlandPacketReader } from './packets/reader.js';
import { deferTimer, settleTimer, settling } from './read-timer.js';
import type { Callback } from './records/direction.js';
import { FileTransfer, type SendFileOptions } from './send-file.js';
import { sendAway } from './sent-away.js';
import { countPlainBytes } from './socket-counters.js';
import { SocketFileOutlet } from './socket-file.js';
import { intoInbox, readingIntoInbox } from './socket-inbox.js';
import {
  type Entry,
  type Handle,
  kArm,
  kDeliver,
  kEnsureState,
  kFlushCork,
  kHideHandle,
  kHold,
  kOneByOne,
  kOnread,
  kOpenGate,
  kPlace,
  kPort,
  kRawWrite,
  kRawWritev,
  kReadOn,
  kReceive,
  kRunFile,
  kSealNow,
  kState,
  State,
} from './socket-internals.js';
import { bytesOf, gather } from './userland/gather.js';
import { isQueueEmpty } from './write-through.js';

/** Options of `new Socket()`: those of net.Socket, and `crypt`. */
export interface SocketOptions extends net.SocketConstructorOpts {
  /** Arms the socket as soon as it is connected; what is written before waits for that. */
  crypt?: CryptOptions | SshCryptOptions;
}

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
    const given: SocketOptions & { handle?: object; onread?: UserOnread } =
      typeof options === 'number' ? { fd: options } : (options ?? {});
    const { crypt, onread } = given;
    super(readingIntoInbox(given) as net.SocketConstructorOpts);
    const isOurs = (onread as object | undefined) === intoInbox;
    if (!isOurs && OnreadDelivery.isWanted(onread)) this[kOnread] = new OnreadDelivery(onread, this);
    if (crypt === undefined) return;
    const engine = resolveEngine(crypt.engine, crypt.driver);
    check(crypt);
    // The application may do with its Buffers what it likes from here on.
    const own = copyKeys(crypt);
    if (crypt.wipe === true) wipeKeys(crypt);
    const arm = (): void => {
      this[kArm](check(own), engine);
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
  setCrypt(options: CryptOptions | SshCryptOptions): this {
    const engine = resolveEngine(options?.engine, options?.driver);
    const arming = check(options);
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
    const { engine, protocol } = (writer ?? reader)!;
    return {
      engine,
      protocol,
      driver: state.driver,
      cipher: state.cipher,
      mac: state.mac,
      write: writer?.state() ?? null,
      read: reader?.state() ?? null,
      offload: offloadOf(engine, state.port, writer !== null),
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
        hint: records?.writer?.updateHint ?? 'Arm it for TLS 1.3 with the traffic secret in write.secret',
      });
    records.sendKeyUpdate(request);
    return this;
  }

  /**
   * Sends a file, or a range of it, behind all that was written before and ahead of all that is written afterwards. Where the kernel
   * carries the write direction (or can take it over from here on), or the socket is not armed, the bytes never come into this process
   * (sendfile(2)); else they are read in pieces.
   *
   * A file that is changed meanwhile changes what the peer gets; records stay whole in any case.
   *
   * @param source a path, or an open file, which stays open
   * @returns the number of bytes sent, when the kernel has them all
   * @throws (rejects with) SoCryptError ERR_SO_CRYPT_FILE_TRUNCATED: the file is or has become shorter than the range; what fs says of
   *   the file; the signal's reason; the socket's error. The socket stays as it is but for its own errors.
   */
  async sendFile(source: string | URL | FileHandle, options: SendFileOptions = {}): Promise<number> {
    if (this[kState]?.records?.writer?.protocol === 'ssh')
      throw new SoCryptError('ERR_SO_CRYPT_UNSUPPORTED', 'SSH sends payloads of its own kind, no files', {
        hint: 'Write SSH_MSG_CHANNEL_DATA',
      });
    const transfer = new FileTransfer(source, options);
    const place = this[kPlace](transfer);
    try {
      await new Promise<void>((resolve, reject) => {
        this.write(place, undefined, (error?: Error | null) => (error ? reject(error) : resolve()));
      });
    } finally {
      this[kState]!.files!.delete(place);
      await transfer.close();
    }
    if (transfer.error) throw transfer.error;
    if (this.destroyed && !transfer.isComplete)
      throw new SoCryptError('ERR_SO_CRYPT_CLOSED', 'The socket was closed before the file was sent');
    return transfer.bytesSent;
  }

  // Small writes are coalesced into full records. The first one of a turn of the event loop goes out at once and the others when the
  // turn ends; but when the last turn brought several, so will this one probably, and all of it waits.
  override write(chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
    const state = this[kState];
    const writer = state?.records?.writer;
    if (writer) refuseLongPayload(writer.maxPayload, chunk, encoding);
    // Who corks itself, as http does, has its own idea of what belongs together.
    const isCorked = state?.corked === false && this.writableCorked > 0;
    if (state && writer && !isCorked) {
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
    const isPlain = state.plainEntries > 0 || !state.records?.writer;
    if (state.plainEntries > 0) state.plainEntries--;
    const file = chunk.length === 0 ? state.files?.get(chunk as Buffer) : undefined;
    if (file !== undefined) this[kRunFile](chunk as Buffer, file, isPlain, callback);
    else if (isPlain) super._write(chunk, encoding, callback);
    else state.records!.send([bytesOf({ chunk, encoding })], callback);
  }

  override _writev(entries: Entry[], callback: Callback): void {
    const state = this[kState];
    if (state === null) return super._writev!(entries as never, callback);
    if (state.gate !== null) return this[kHold](state, () => this._writev(entries, callback), callback);
    state.heldEntries = 0;
    if (!state.files?.size && (state.plainEntries === 0 || !state.records?.writer)) {
      const { records } = state;
      if (!records?.writer) return super._writev!(entries as never, callback);
      if (records.writer.sendEntries?.(entries, callback)) return;
      const gathered = gather(entries, records.writer.atOnce ?? 0);
      return records.send(gathered ? [gathered] : entries.map(bytesOf), callback);
    }
    const writePlain = (plain: Entry[], done: Callback): void => super._writev!(plain as never, done);
    writeMixed(this, state, entries, writePlain, callback);
  }

  override _final(callback: Callback): void {
    const state = this[kState];
    if (state === null) return super._final(callback);
    if (state.gate !== null) return this[kHold](state, () => this._final(callback), callback);
    if (!state.records || !this._handle) return super._final(callback);
    const { relay } = state;
    if (relay !== null) return relay.finish(() => this.#close(callback));
    this.#close(callback);
  }

  #close(callback: Callback): void {
    const records = this[kState]!.records!;
    records.writer?.sendSealed?.();
    // A peer that is gone can't be told; shutdown() below treats that as net does, and lost data shows elsewhere.
    records.sendClose(() => super._final(callback));
  }

  override _read(size: number): void {
    const state = this[kState];
    if (state !== null) {
      const reader = state.records?.reader;
      if (state.truncation !== undefined || reader?.closed || reader?.isHolding) return;
    }
    super._read(size);
  }

  // net.Socket's own versions of these three start and stop the handle for an application with `onread`. The one it sees is ours.
  override read(size?: number): unknown {
    if (this[kOnread] !== null) return super.read(size);
    const state = this[kState];
    const records = state?.records;
    const isSsh = records?.reader?.protocol === 'ssh';
    const chunk = Duplex.prototype.read.call(this, isSsh ? sizeOfPayload(this, size) : size);
    if (isSsh && records.reader!.isHolding && this.readableLength === 0)
      process.nextTick(() => records.goOn());
    const truncation = state?.truncation;
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

  // A descriptor of ours may be what keeps the event loop running.
  override ref(): this {
    this[kState]?.port?.setRef(true);
    this[kState]?.relay?.setRef(true);
    return super.ref();
  }

  override unref(): this {
    this[kState]?.port?.setRef(false);
    this[kState]?.relay?.setRef(false);
    return super.unref();
  }

  // net.Socket pushes null when FIN has come.
  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    const state = this[kState];
    if (chunk === null && state !== null) {
      settleTimer(this);
      if (state.tap !== null) {
        state.tap.end();
        return false;
      }
      // It sees FIN by itself, behind what it has still to open.
      if (state.relay !== null) return false;
      if (state.records?.reader && !state.records.onFin()) return false;
    } else if (state !== null && (state.tap !== null || state.records?.reader)) {
      return this[kReceive](chunk as Buffer, (chunk as Buffer).length);
    }
    return super.push(chunk, encoding);
  }

  // What send() of a child process, and process.send(), do when they have taken the handle away.
  override setTimeout(ms: number, callback?: () => void): this {
    const state = this[kState];
    if (ms === 0 && state !== null && state.sendable && this._handle === null && !this.destroyed)
      sendAway(this, state);
    state?.relay?.stopTimer();
    return super.setTimeout(ms, callback);
  }

  /** net.Socket's own: the timer of setTimeout() has run out. */
  _onTimeout(): void {
    const ms = this.timeout ?? 0;
    const { relay } = this[kState] ?? {};
    if (relay && !this.destroyed && ms > 0 && !relay.isIdle(ms, () => this._onTimeout())) return;
    (net.Socket.prototype as unknown as { _onTimeout(): void })._onTimeout.call(this);
  }

  override _destroy(error: Error | null, callback: Callback): void {
    const state = this[kState];
    state?.relay?.close();
    // First: as long as the duplicate is there, the kernel does not take the connection for closed.
    state?.port?.close();
    super._destroy(error, callback);
    if (state === null) return;
    const held = state.gate;
    state.tap = null;
    state.gate = null;
    state.records?.dispose();
    for (const file of state.files?.values() ?? []) file.cancel();
    for (const { fail } of held ?? [])
      fail(error ?? new SoCryptError('ERR_SO_CRYPT_CLOSED', 'The socket was closed before it was armed'));
  }

  /** Bytes to the kernel as they are, behind all that was handed to it before. */
  [kRawWrite](bytes: Buffer, callback: Callback): void {
    const { relay, records } = this[kState] ?? {};
    if (relay && records) {
      records.overheadWritten -= bytes.length; // libuv has never counted them
      return relay.write(bytes, callback);
    }
    super._write(bytes, 'buffer' as BufferEncoding, settling(this, callback));
  }

  [kRawWritev](chunks: readonly Uint8Array[], callback: Callback): void {
    const encoding = 'buffer' as BufferEncoding;
    const done = settling(this, callback);
    if (chunks.length === 1) super._write(chunks[0], encoding, done);
    else super._writev!(chunks.map((chunk) => ({ chunk, encoding })) as never, done);
  }

  /** A Buffer that holds a file's place in the writable queue; empty. */
  [kPlace](transfer: FileTransfer): Buffer {
    const state = this[kEnsureState]();
    const place = Buffer.alloc(0);
    state.files ??= new Map();
    state.files.set(place, transfer);
    return place;
  }

  [kRunFile](
    place: Buffer,
    file: FileTransfer,
    isPlain: boolean,
    callback: Callback,
    head: readonly Uint8Array[] = [],
  ): void {
    this[kState]!.files!.delete(place);
    file.run(new SocketFileOutlet(this, isPlain), callback, head);
  }

  /** The connection's descriptor. */
  [kPort](): KernelPort {
    const state = this[kEnsureState]();
    if (state.port === undefined) {
      state.port = new KernelPort(this._handle?.fd ?? -1, (error) => this.destroy(error));
      if (this._handle?.hasRef?.() === false) state.port.setRef(false);
    }
    return state.port;
  }

  [kEnsureState](): State {
    if (this[kState] === null) this[kState] = new State();
    return this[kState];
  }

  /** Arms with validated options. `unread`: bytes that came before and belong to records. */
  [kArm](arming: Arming | SshArming, engines: Engines, unread?: Buffer): void {
    if (arming.protocol === 'ssh') armForSsh(this, arming, engines);
    else armSocket(this, arming, engines, unread);
  }

  /** SSH: whether each packet is opened only when the one before it has been consumed, because its payload may change the key. */
  [kOneByOne](on: boolean): void {
    const reader = this[kState]?.records?.reader;
    if (!(reader instanceof UserlandPacketReader)) return;
    reader.setOneByOne(on);
    process.nextTick(() => this[kState]?.records?.goOn());
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
    const { _handle: handle } = this;
    if (!handle) return;
    Object.defineProperty(handle, 'isStreamBase', { value: false, configurable: true });
    this[kEnsureState]().sendable ??= { handle, onread: (handle as { onread?: unknown }).onread };
  }

  [kHold](state: State, run: () => void, fail: Callback): void {
    state.gate!.push({ run, fail });
  }

  [kFlushCork](): void {
    const state = this[kState];
    if (state === null) return;
    state.records?.writer?.sendSealed?.();
    if (!state.corked) return;
    state.corked = false;
    this.uncork();
  }

  /** SSH: seals a payload at once, in two parts that may be used again when this returns. False: write() it. `isAlone`: it is short, and no others are
   * to be expected in this turn. */
  [kSealNow](head: Uint8Array, body: Uint8Array, isAlone = false): boolean {
    const state = this[kState];
    const writer = state?.records?.writer;
    // Behind what waits to be sealed, it waits, too.
    if (!writer?.sealNow || !isQueueEmpty(this, state!)) return false;
    try {
      return writer.sealNow(head, body, isAlone);
    } catch (error) {
      this.destroy(error as Error);
      return true;
    }
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
    if (this[kOnread] !== null) return this[kOnread].deliver(data);
    // (SSH's packets wait for each other, and read() is where the next one is opened.)
    const isSsh = this[kState]?.records?.reader?.protocol === 'ssh';
    return (!isSsh && deliverNow(this, data)) || super.push(data);
  }
}

Socket.prototype[kState] = null;
Socket.prototype[kOnread] = null;
countPlainBytes(Socket.prototype);
deferTimer(Socket.prototype);

function check(options: CryptOptions | SshCryptOptions): Arming | SshArming {
  return options?.protocol === 'ssh' ? validateSsh(options) : validate(options);
}

function endTurn(socket: Socket, state: State): void {
  state.streaming = state.writes > 1;
  state.writes = 0;
  socket[kFlushCork]();
}
