import { replaceLibuvsReader } from '../arm-socket.js';
import { soCrypt } from '../kernel/so-crypt.js';
import { native } from '../native.js';
import type { Engine } from '../records/direction.js';
import type { RecordStream } from '../records/record-stream.js';
import type { Socket } from '../socket.js';
import type { SocketHost } from '../socket-host.js';
import { kPort } from '../socket-internals.js';
import type { SshArming } from './arm.js';
import {
  beginWriting,
  openUnread,
  type Prepared,
  queued,
  refuseEarly,
  refuseUsedKey,
  unsupported,
} from './arm-socket.js';
import { KernelPacketReader } from './kernel-reader.js';
import { KernelPacketWriter, SoCryptKey } from './kernel-writer.js';

/** The engine so_crypt: the write direction. @throws SoCryptError */
export function prepareKernelWriter(
  socket: Socket,
  records: RecordStream,
  arming: SshArming,
  _engine: Engine,
  host: SocketHost,
): Prepared {
  refuseUncarried(arming);
  const present = records.writer as KernelPacketWriter | null;
  const key = new SoCryptKey(arming, arming.write!, true);
  refuseUsedKey(key, present);
  if (present !== null)
    return { dispose: () => key.dispose(), commit: () => present.rekey(key, queued(socket)) };
  soCrypt.attach(socket[kPort]().fd);
  const writer = new KernelPacketWriter(key, socket[kPort](), host);
  const isInKernel = host.isFlushed;
  if (isInKernel) writer.begin();
  return {
    isInKernel,
    dispose: () => writer.dispose(),
    commit() {
      beginWriting(socket, records, writer);
      if (!isInKernel) writer.begin();
    },
  };
}

/** The engine so_crypt: the read direction. @throws SoCryptError */
export function prepareKernelReader(
  socket: Socket,
  records: RecordStream,
  arming: SshArming,
  _engine: Engine,
  host: SocketHost,
): Prepared {
  refuseUncarried(arming);
  const present = records.reader as KernelPacketReader | null;
  if (present !== null) refuseEarly(present);
  const key = new SoCryptKey(arming, arming.read!, false);
  refuseUsedKey(key, present);
  if (present !== null) {
    const opener = new native.SshOpener(arming.read!);
    return {
      dispose() {
        key.dispose();
        opener.dispose();
      },
      commit() {
        present.rekey(arming, key, opener);
        process.nextTick(() => records.goOn());
      },
    };
  }
  soCrypt.attach(socket[kPort]().fd);
  const reader = new KernelPacketReader(key, socket[kPort](), host);
  const unread = socket.readableLength > 0;
  reader.begin(arming, unread);
  return {
    isInKernel: !unread,
    dispose: () => reader.dispose(),
    commit() {
      records.reader = reader;
      replaceLibuvsReader(socket, reader);
      openUnread(socket, records, (more) => {
        const { _handle: handle } = socket;
        if (!handle?.reading) return;
        if (more) reader.resume();
        else handle.reading = false;
      });
    },
  };
}

function refuseUncarried({ cipher, newKeys }: SshArming): void {
  const what =
    cipher === '3des-cbc' ? cipher : newKeys === 'each' ? 'packets one by one (newKeys)' : undefined;
  if (what !== undefined)
    throw unsupported(`so_crypt can't carry this connection: it has no ${what}`, "Use 'evp' for it");
}
