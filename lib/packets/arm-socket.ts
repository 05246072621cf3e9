import type { Engines } from '../engines.js';
import { SoCryptError } from '../errors.js';
import { type Engine, shareKeys, type Writer } from '../records/direction.js';
import { RecordStream } from '../records/record-stream.js';
import type { Socket } from '../socket.js';
import { SocketHost } from '../socket-host.js';
import { kEnsureState, kFlushCork, kHideHandle, kOnread, kState } from '../socket-internals.js';
import { takeUnread } from '../unread.js';
import type { SshArming } from './arm.js';
import { UserlandPacketReader } from './reader.js';
import { SealerKey, UserlandPacketWriter } from './userland-writer.js';

/** What arms a direction once nothing can fail any more. */
type Commit = () => void;

/**
 * Gives a socket's directions their keys for SSH, the first or new ones. All or nothing: when it throws, nothing has changed.
 *
 * @throws SoCryptError
 */
export function armForSsh(socket: Socket, arming: SshArming, engines: Engines): void {
  const state = socket[kEnsureState]();
  const records = state.records ?? new RecordStream(new SocketHost(socket));
  refuseOtherProtocol(records, arming);
  if (arming.read !== undefined && (socket[kOnread] !== null || socket.readableEncoding !== null))
    throw new SoCryptError(
      'ERR_SO_CRYPT_INVALID_OPTION',
      'SSH gives one payload with each data event, as a Buffer',
      { hint: 'Create the socket without onread, and call no setEncoding' },
    );
  const commits: Commit[] = [];
  try {
    if (arming.write) commits.push(prepareWriter(socket, records, arming, engines.write));
    if (arming.read) commits.push(prepareReader(socket, records, arming, engines.read));
  } catch (error) {
    for (const key of prepared) key.dispose();
    throw error;
  } finally {
    prepared.length = 0;
  }
  const { cipher, driver, mac } = arming;
  Object.assign(state, { records, cipher, driver, mac, upgradeTerms: undefined });
  socket[kHideHandle]();
  for (const commit of commits) commit();
}

// Keys that were made and are not in use yet.
const prepared: { dispose(): void }[] = [];

function prepareWriter(socket: Socket, records: RecordStream, arming: SshArming, engine: Engine): Commit {
  const state = socket[kState]!;
  const key = new SealerKey(arming, arming.write!);
  prepared.push(key);
  const present = records.writer as UserlandPacketWriter | null;
  refuseUsedKey(key.usedKeys, present);
  return () => {
    socket[kFlushCork]();
    const queued = writableQueueOf(socket).length + state.heldEntries;
    if (present !== null) {
      present.rekey(key, queued);
      present.engine = engine;
      return;
    }
    if (state.gate === null) state.plainEntries = writableQueueOf(socket).length;
    records.writer = new UserlandPacketWriter(key, records, engine);
    raiseHighWaterMark(socket);
  };
}

function prepareReader(socket: Socket, records: RecordStream, arming: SshArming, engine: Engine): Commit {
  const present = records.reader as UserlandPacketReader | null;
  const spec = arming.read!;
  if (present === null) {
    const reader = new UserlandPacketReader(arming, spec, engine);
    prepared.push(reader);
    return () => {
      records.reader = reader;
      startReading(socket, records);
    };
  }
  if (!present.mayRekey)
    throw new SoCryptError(
      'ERR_SO_CRYPT_ALREADY_ARMED',
      'The read direction is armed, and SSH_MSG_NEWKEYS has not come',
      { hint: 'New keys for reading are due when its payload has been delivered' },
    );
  const opener = UserlandPacketReader.prepare(spec);
  prepared.push(opener);
  refuseUsedKey(opener.usedKeys, present);
  return () => {
    present.rekey(arming, spec, opener, engine);
    process.nextTick(() => records.goOn());
  };
}

// From a handshake of plain packets on, bytes may have come that are packets of the new kind.
function startReading(socket: Socket, records: RecordStream): void {
  const { bytes, ended } = takeUnread(socket);
  if (bytes.length === 0) {
    if (ended) records.onFin();
    return;
  }
  // As with any read, the caller sees setCrypt return before 'data' comes.
  process.nextTick(() => {
    if (socket.destroyed) return;
    records.open(bytes, bytes.length);
    if (!socket.destroyed && ended) socket.push(null);
  });
}

function refuseOtherProtocol({ writer, reader }: RecordStream, arming: SshArming): void {
  const other = (direction: { protocol: Writer['protocol'] } | null): boolean =>
    direction !== null && direction.protocol !== 'ssh';
  if ((arming.write && other(writer)) || (arming.read && other(reader)))
    throw new SoCryptError('ERR_SO_CRYPT_UNSUPPORTED', 'The direction carries another protocol already', {
      hint: 'A connection has one protocol',
    });
}

function refuseUsedKey(used: Uint8Array, present: { usedKeys: Uint8Array } | null): void {
  if (present !== null && shareKeys(present.usedKeys, used))
    throw new SoCryptError('ERR_SO_CRYPT_ALREADY_ARMED', 'The direction is armed with these keys already', {
      hint: 'Arming it again takes a new key: nonces must not repeat',
    });
}

function writableQueueOf(socket: Socket): readonly unknown[] {
  return (socket as unknown as { writableBuffer?: unknown[] }).writableBuffer ?? [];
}

// As much as is sealed in one piece.
function raiseHighWaterMark(socket: Socket): void {
  const { _writableState: state } = socket as unknown as { _writableState: { highWaterMark: number } };
  if (state.highWaterMark < 131_072) state.highWaterMark = 131_072;
}
