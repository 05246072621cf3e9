import type { Arming } from './arm.js';
import type { Engines } from './engines.js';
import { SoCryptError } from './errors.js';
import { type KernelEngine, type Refusal, termsOf } from './kernel/engine.js';
import { ktls } from './kernel/ktls.js';
import { KernelReader } from './kernel/reader.js';
import { soCrypt } from './kernel/so-crypt.js';
import { KernelWriter } from './kernel/writer.js';
import { refuseMixture } from './packets/arm-socket.js';
import { type Engine, type Reader, shareKeys, type Writer } from './records/direction.js';
import { RecordStream } from './records/record-stream.js';
import type { Socket } from './socket.js';
import { SocketHost } from './socket-host.js';
import { kEnsureState, kFlushCork, kHideHandle, kPort, kState } from './socket-internals.js';
import type { MadeDirections } from './tls-arming.js';
import { takeUnread } from './unread.js';
import { RecordReader } from './userland/reader.js';
import { UserlandWriter } from './userland/sending.js';

const kernelEngines: Partial<Record<Engine, KernelEngine>> = { ktls, so_crypt: soCrypt };

// Armed, the queue holds as much as is sealed in one piece. (Node's default of 16 or 64 KB is one record, or four.)
const ARMED_HIGH_WATER_MARK = 131_072;

/**
 * Gives a socket's directions their keys. All or nothing: when it throws, nothing has changed.
 *
 * @param given bytes that came before and belong to records; undefined: those that the application has not consumed
 * @throws SoCryptError
 */
export function armSocket(socket: Socket, arming: Arming, wanted: Engines, given?: Buffer): void {
  const state = socket[kEnsureState]();
  const host = new SocketHost(socket);
  const records = state.records ?? new RecordStream(host);
  refuseMixture(records, false);
  const engines = stayInKernel(arming, wanted, records);
  if (arming.read !== undefined && socket.readableEncoding !== null && socket.readableLength > 0)
    throw new SoCryptError('ERR_SO_CRYPT_INVALID_OPTION', 'Bytes to be opened have been decoded to strings', {
      hint: 'Call setEncoding after setCrypt',
    });
  const { writer, reader } = make(socket, arming, engines, records, host);
  let isHalfArmed = false;
  try {
    refuseUsedKeys(records, writer, reader);
    const kernelEngine = kernelEngineOf(engines.write, writer) ?? kernelEngineOf(engines.read, reader);
    kernelEngine?.attach(socket[kPort]().fd);
    const unread = given ? given.length > 0 : socket.readableLength > 0;
    if (reader instanceof KernelReader) {
      reader.begin(unread, records.reader?.engine === reader.engine);
      isHalfArmed = !unread;
    }
    if (writer instanceof KernelWriter) writer.begin(records.writer?.engine === writer.engine);
  } catch (error) {
    writer?.dispose();
    reader?.dispose();
    // The kernel can't be made to forget a key.
    if (isHalfArmed) socket.destroy(error as Error);
    throw error;
  }

  // From here on nothing fails.
  installDirections(socket, records, arming, writer, reader, given);
  if (writer !== undefined)
    state.upgradeTerms = engines.isAuto && writer.engine === 'evp' ? termsOf(arming) : undefined;
}

/** The same for a socket that has had no keys before, and directions that a handshake has made. Nothing fails. */
export function armWithMade(socket: Socket, { common, sealer, opener, isAuto, rest }: MadeDirections): void {
  const { arming, overhead, terms } = common;
  const records = new RecordStream(new SocketHost(socket));
  const writer = new UserlandWriter(arming, records, 'evp', sealer, overhead);
  const reader = new RecordReader(arming, 'evp', opener);
  installDirections(socket, records, arming, writer, reader, rest);
  socket[kState]!.upgradeTerms = isAuto ? terms : undefined;
}

/** Lets a socket go on with directions that have their keys. @param given as in {@link armSocket} */
export function installDirections(
  socket: Socket,
  records: RecordStream,
  { cipher, driver, mac }: Pick<Arming, 'cipher' | 'driver' | 'mac'>,
  writer: Writer | undefined,
  reader: Reader | undefined,
  given?: Buffer,
): void {
  const state = socket[kEnsureState]();
  state.records = records;
  state.cipher = cipher;
  state.driver = driver;
  state.mac = mac;
  socket[kHideHandle]();
  if (writer !== undefined) {
    socket[kFlushCork]();
    if (records.writer !== null) records.retired.writers.push(records.writer);
    else if (state.gate === null) state.plainEntries = writableQueueOf(socket).length;
    records.writer = writer;
    raiseHighWaterMark(socket);
  }
  if (reader !== undefined) {
    if (records.reader !== null) records.retired.readers.push(records.reader);
    records.reader = reader;
    startReading(socket, records, reader, given);
  }
}

/** What the kernel carries once, no process can take back: new keys go to the kernel, too. */
function stayInKernel({ write, read }: Arming, wanted: Engines, { writer, reader }: RecordStream): Engines {
  const stay = (isArmed: boolean, name: Engine, isAuto: boolean, present: Engine | undefined): Engine => {
    if (!isArmed || present === undefined || present === name || !kernelEngines[present]) return name;
    if (isAuto) return present;
    throw new SoCryptError(
      'ERR_SO_CRYPT_UNSUPPORTED',
      `${present} carries this direction and can't give it to ${name}`,
      {
        hint: `Arm it again with engine: '${present}', or open a new connection`,
      },
    );
  };
  return {
    write: stay(write !== undefined, wanted.write, wanted.isAuto, writer?.engine),
    read: stay(read !== undefined, wanted.read, wanted.isAuto, reader?.engine),
    isAuto: wanted.isAuto,
  };
}

function make(
  socket: Socket,
  arming: Arming,
  engines: Engines,
  records: RecordStream,
  host: SocketHost,
): { writer: Writer | undefined; reader: Reader | undefined } {
  const { write, read } = arming;
  for (const direction of ['write', 'read'] as const) refuseUnlessCarried(arming, engines, direction, socket);
  const writer =
    write &&
    (kernelEngines[engines.write]
      ? new KernelWriter(kernelEngines[engines.write]!, termsOf(arming), write, socket[kPort](), host)
      : new UserlandWriter({ ...arming, write }, records, engines.write));
  const reader =
    read &&
    (kernelEngines[engines.read]
      ? new KernelReader(kernelEngines[engines.read]!, { ...arming, read }, socket[kPort](), host)
      : new RecordReader({ ...arming, read }, engines.read));
  return { writer, reader };
}

function refuseUnlessCarried(
  arming: Arming,
  engines: Engines,
  direction: 'write' | 'read',
  socket: Socket,
): void {
  const kernelEngine = kernelEngines[engines[direction]];
  if (arming[direction] === undefined || kernelEngine === undefined) return;
  const refusal =
    kernelEngine.refusal(termsOf(arming), direction) ??
    refuseOther(kernelEngine, arming, engines, direction, socket);
  if (refusal !== undefined)
    throw new SoCryptError(
      'ERR_SO_CRYPT_UNSUPPORTED',
      `${kernelEngine.name} can't carry this connection: ${refusal.reason}`,
      { hint: refusal.hint ?? "Use 'auto' or 'evp' for it" },
    );
}

// A socket has one upper layer protocol. kTLS wants the same version and cipher in both directions.
function refuseOther(
  { name }: KernelEngine,
  { protocol, cipher, write, read }: Arming,
  engines: Engines,
  direction: 'write' | 'read',
  socket: Socket,
): Refusal | undefined {
  const { records, cipher: present } = socket[kState]!;
  const other = direction === 'write' ? records?.reader : records?.writer;
  const otherEngine =
    direction === 'write' ? (read ? engines.read : other?.engine) : write ? engines.write : other?.engine;
  if (otherEngine !== undefined && otherEngine !== name && kernelEngines[otherEngine])
    return { reason: `its other direction is ${otherEngine}'s`, hint: 'Use the same kernel engine for both' };
  if (name !== 'ktls' || other?.engine !== 'ktls') return undefined;
  if (other.protocol === protocol && present === cipher) return undefined;
  const reason = `its other direction has ${other.protocol} with ${present}`;
  return { reason, hint: 'kTLS takes the same version and cipher for both' };
}

function kernelEngineOf(name: Engine, made: Writer | Reader | undefined): KernelEngine | undefined {
  return made === undefined ? undefined : kernelEngines[name];
}

function refuseUsedKeys(records: RecordStream, writer: Writer | undefined, reader: Reader | undefined): void {
  const { retired } = records;
  if (records.writer === null && records.reader === null) return; // it is armed for the first time
  const used = (
    made: Writer | Reader | undefined,
    earlier: readonly (Pick<Writer, 'usedKeys'> | null)[],
  ): boolean =>
    made !== undefined && earlier.some((other) => other !== null && shareKeys(other.usedKeys, made.usedKeys));
  if (
    used(writer, [records.writer, ...retired.writers]) ||
    used(reader, [records.reader, ...retired.readers])
  )
    throw new SoCryptError('ERR_SO_CRYPT_ALREADY_ARMED', 'The direction is armed with these keys already', {
      hint: 'Arming it again takes a new key: nonces must not repeat',
    });
}

function startReading(
  socket: Socket,
  records: RecordStream,
  reader: Reader,
  given: Buffer | undefined,
): void {
  const isKernel = reader instanceof KernelReader;
  if (isKernel) replaceLibuvsReader(socket, reader);
  const { bytes, ended } = given ? { bytes: given, ended: false } : takeUnread(socket);
  if (bytes.length === 0) {
    if (ended)
      records.onFin(); // 'end' is on its way; this is what tells whether it is genuine
    else if (isKernel && socket._handle?.reading) reader.resume();
    return;
  }
  // As with any read, the caller sees setCrypt return before 'data' comes.
  process.nextTick(() => {
    const more = !socket.destroyed && records.open(bytes, bytes.length);
    if (isKernel && more && socket._handle?.reading) reader.resume();
    if (!socket.destroyed && ended) socket.push(null);
  });
}

// net and http start and stop reading at the handle.
export function replaceLibuvsReader(
  { _handle: handle }: Socket,
  reader: { resume(): void; pause(): void },
): void {
  if (handle === null) return;
  handle.readStop!();
  const replace = (name: 'readStart' | 'readStop', run: () => void): void => {
    const value = (): number => {
      run();
      return 0;
    };
    Object.defineProperty(handle, name, { value, configurable: true, writable: true });
  };
  replace('readStart', () => reader.resume());
  replace('readStop', () => reader.pause());
}

/** Attaches a kernel engine that is wanted by name, before the peer's FIN can have come. @throws SoCryptError */
export function attachEarly(socket: Socket, { write, read }: Engines): void {
  const kernelEngine = kernelEngines[write] ?? kernelEngines[read];
  kernelEngine?.attach(socket[kPort]().fd);
}

/**
 * Lets the kernel go on with the write direction, if that is possible: the records so far are in the kernel, and the next one is made
 * there. Nothing has changed when it isn't.
 */
export function upgradeToKernel(socket: Socket): void {
  const state = socket[kState]!;
  const { upgradeTerms: terms, records } = state;
  const writer = records?.writer;
  if (terms === undefined || !(writer instanceof UserlandWriter)) return;
  state.upgradeTerms = undefined; // tried once
  if (ktls.refusal(terms, 'write') !== undefined) return;
  if ((socket._handle?.writeQueueSize ?? 0) > 0) {
    state.upgradeTerms = terms; // a KeyUpdate is on its way: another time
    return;
  }
  const keys = writer.records.exportKeys();
  if (keys === undefined) return;
  try {
    const port = socket[kPort]();
    ktls.attach(port.fd);
    const spec = { ...writer.records.spec, ...keys };
    const next = new KernelWriter(
      ktls,
      terms,
      spec,
      port,
      new SocketHost(socket),
      Number(writer.state().records),
    );
    next.arm(); // all before is in the kernel: the stream writes one thing at a time
    records!.retired.writers.push(retiredOf(writer));
    writer.dispose();
    records!.writer = next;
  } catch (error) {
    // The kernel's TLS may be attached now; without a key bytes pass through it as they are.
    if (!(error instanceof SoCryptError)) throw error;
  } finally {
    for (const bytes of [keys.key, keys.iv, keys.secret]) bytes.fill(0);
  }
}

function retiredOf({ usedKeys }: Writer): { usedKeys: Uint8Array; dispose(): void } {
  return { usedKeys, dispose() {} };
}

function writableQueueOf(socket: Socket): readonly unknown[] {
  return (socket as unknown as { writableBuffer?: unknown[] }).writableBuffer ?? [];
}

function raiseHighWaterMark(socket: Socket): void {
  const { _writableState: state } = socket as unknown as { _writableState: { highWaterMark: number } };
  if (state.highWaterMark < ARMED_HIGH_WATER_MARK) state.highWaterMark = ARMED_HIGH_WATER_MARK;
}
