import type { Engines } from '../engines.js';
import { SoCryptError } from '../errors.js';
import { native } from '../native.js';
import { type Engine, shareKeys } from '../records/direction.js';
import { RecordStream } from '../records/record-stream.js';
import type { Socket } from '../socket.js';
import { SocketHost } from '../socket-host.js';
import { kEnsureState, kFlushCork, kHideHandle, kOnread, kState } from '../socket-internals.js';
import { takeUnread } from '../unread.js';
import type { SshArming } from './arm.js';
import { prepareKernelReader, prepareKernelWriter } from './arm-kernel.js';
import { type Gathered, Gathering } from './gathering.js';
import type { KernelPacketWriter } from './kernel-writer.js';
import { UserlandPacketReader } from './reader.js';
import { SealerKey, UserlandPacketWriter } from './userland-writer.js';

/** A direction whose keys are made: nothing has changed yet, and nothing fails any more. */
export interface Prepared {
  commit(): void;
  /** Instead of commit(). */
  dispose(): void;
  /** The kernel has the key already, and can't be made to forget it. */
  readonly isInKernel?: boolean;
}

/**
 * Gives a socket's directions their keys for SSH, the first or new ones. All or nothing: when it throws, nothing has changed.
 *
 * @throws SoCryptError
 */
export function armForSsh(socket: Socket, arming: SshArming, wanted: Engines): void {
  const state = socket[kEnsureState]();
  const host = new SocketHost(socket);
  const records = state.records ?? new RecordStream(host);
  refuseMixture(records, true);
  if (arming.read !== undefined && (socket[kOnread] !== null || socket.readableEncoding !== null))
    throw new SoCryptError(
      'ERR_SO_CRYPT_INVALID_OPTION',
      'SSH gives one payload with each data event, as a Buffer',
      { hint: 'Create the socket without onread, and call no setEncoding' },
    );
  const engines = stay(arming, wanted, records);
  const prepared: Prepared[] = [];
  try {
    if (arming.write) {
      const prepare = engines.write === 'so_crypt' ? prepareKernelWriter : prepareWriter;
      prepared.push(prepare(socket, records, arming, engines.write, host));
    }
    if (arming.read) {
      const prepare = engines.read === 'so_crypt' ? prepareKernelReader : prepareReader;
      prepared.push(prepare(socket, records, arming, engines.read, host));
    }
  } catch (error) {
    for (const direction of prepared) direction.dispose();
    if (prepared.some(({ isInKernel }) => isInKernel)) socket.destroy(error as Error);
    throw error;
  }
  const { cipher, driver, mac } = arming;
  Object.assign(state, { records, cipher, driver, mac, upgradeTerms: undefined });
  socket[kHideHandle]();
  for (const direction of prepared) direction.commit();
}

/** What the kernel carries once, no process can take back; and what it does not carry from the start, it can't take over. */
function stay(arming: SshArming, wanted: Engines, { writer, reader }: RecordStream): Engines {
  const choose = (isArmed: boolean, name: Engine, present: Engine | undefined): Engine => {
    if (!isArmed) return name;
    if (name === 'ktls') throw unsupported('ktls has no SSH', "Use 'auto' or 'evp' for it");
    const isKernel = present === 'so_crypt';
    if (present === undefined || isKernel === (name === 'so_crypt')) return name;
    if (isKernel && wanted.isAuto) return present;
    const hint = isKernel ? "Give engine: 'so_crypt'" : 'Give this engine when the direction is armed first';
    throw unsupported(`${present} carries this direction and can't give it to ${name}`, hint);
  };
  return {
    write: choose(arming.write !== undefined, wanted.write, writer?.engine),
    read: choose(arming.read !== undefined, wanted.read, reader?.engine),
    isAuto: wanted.isAuto,
  };
}

function prepareWriter(socket: Socket, records: RecordStream, arming: SshArming, engine: Engine): Prepared {
  const key = new SealerKey(arming, arming.write!);
  const present = records.writer as UserlandPacketWriter | null;
  refuseUsedKey(key, present);
  return {
    dispose: () => key.dispose(),
    commit() {
      if (present !== null) {
        present.rekey(key, queued(socket));
        present.engine = engine;
      } else {
        beginWriting(socket, records, new UserlandPacketWriter(key, records, engine));
      }
    },
  };
}

/** Payloads that were written and have not come to the writer yet. */
export function queued(socket: Socket): number {
  socket[kFlushCork]();
  const { heldEntries, plainEntries } = socket[kState]!;
  return writableQueueOf(socket).length + heldEntries - plainEntries;
}

/** The first key of a socket. */
export function beginWriting(
  socket: Socket,
  records: RecordStream,
  writer: UserlandPacketWriter | KernelPacketWriter,
): void {
  const state = socket[kState]!;
  socket[kFlushCork]();
  if (state.gate === null) state.plainEntries = writableQueueOf(socket).length;
  records.writer = writer;
  // As much as is sealed in one piece.
  const { _writableState: stream } = socket as unknown as { _writableState: { highWaterMark: number } };
  if (stream.highWaterMark < 131_072) stream.highWaterMark = 131_072;
}

function prepareReader(socket: Socket, records: RecordStream, arming: SshArming, engine: Engine): Prepared {
  const present = records.reader as UserlandPacketReader | null;
  const spec = arming.read!;
  if (present === null) {
    const reader = new UserlandPacketReader(arming, spec, engine, new Gathering(gathered(socket, records)));
    return {
      dispose: () => reader.dispose(),
      commit() {
        records.reader = reader;
        openUnread(socket, records);
      },
    };
  }
  refuseEarly(present);
  const opener = new native.SshOpener(spec);
  refuseUsedKey(opener, present);
  return {
    dispose: () => opener.dispose(),
    commit() {
      present.rekey(arming, spec, opener, engine);
      process.nextTick(() => records.goOn());
    },
  };
}

function gathered(socket: Socket, records: RecordStream): Gathered {
  return {
    get descriptor() {
      return socket._handle?.fd ?? -1;
    },
    get sealed() {
      return (records.writer as UserlandPacketWriter | null)?.sealed ?? 0;
    },
  };
}

/** From a handshake of plain packets on, bytes may have come that are packets of the new kind. @param behind told whether to read on */
export function openUnread(socket: Socket, records: RecordStream, behind?: (more: boolean) => void): void {
  const { bytes, ended } = takeUnread(socket);
  if (bytes.length === 0) {
    if (ended) records.onFin();
    else behind?.(true);
    return;
  }
  // As with any read, the caller sees setCrypt return before 'data' comes.
  process.nextTick(() => {
    if (socket.destroyed) return;
    const more = records.open(bytes, bytes.length);
    behind?.(more);
    if (!socket.destroyed && ended) socket.push(null);
  });
}

/** @throws SoCryptError ERR_SO_CRYPT_UNSUPPORTED: one direction is SSH and the other is to be something else */
export function refuseMixture({ writer, reader }: RecordStream, isSsh: boolean): void {
  for (const direction of [writer, reader])
    if (direction !== null && (direction.protocol === 'ssh') !== isSsh)
      throw unsupported(
        `The connection carries ${direction.protocol} already`,
        'SSH is for both directions, or for none',
      );
}

/** @throws SoCryptError ERR_SO_CRYPT_ALREADY_ARMED: the key would have to open what is under another one */
export function refuseEarly({ mayRekey }: { mayRekey: boolean }): void {
  if (!mayRekey)
    throw new SoCryptError(
      'ERR_SO_CRYPT_ALREADY_ARMED',
      'The read direction is armed, and SSH_MSG_NEWKEYS has not come',
      { hint: 'New keys for reading are due when its payload has been delivered' },
    );
}

/** Disposes of the key when it was used already. @throws SoCryptError ERR_SO_CRYPT_ALREADY_ARMED */
export function refuseUsedKey(
  key: { usedKeys: Uint8Array; dispose(): void },
  present: { usedKeys: Uint8Array } | null,
): void {
  if (present === null || !shareKeys(present.usedKeys, key.usedKeys)) return;
  key.dispose();
  throw new SoCryptError('ERR_SO_CRYPT_ALREADY_ARMED', 'The direction is armed with these keys already', {
    hint: 'Arming it again takes a new key: nonces must not repeat',
  });
}

export function unsupported(message: string, hint: string): SoCryptError {
  return new SoCryptError('ERR_SO_CRYPT_UNSUPPORTED', message, { hint });
}

function writableQueueOf(socket: Socket): readonly unknown[] {
  return (socket as unknown as { writableBuffer?: unknown[] }).writableBuffer ?? [];
}
