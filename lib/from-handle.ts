import net from 'node:net';
import type { Arming } from './arm.js';
import { installDirections } from './arm-socket.js';
import { macs } from './ciphers.js';
import type { CipherName } from './crypt-options.js';
import { SoCryptError } from './errors.js';
import { ContentType, TLS_MAX_FRAGMENT, tlsLayout } from './frame-layouts.js';
import { termsOf } from './kernel/engine.js';
import { type Inherited, inheritedEngine, inheritedFrom } from './kernel/inherited.js';
import { KernelReader } from './kernel/reader.js';
import { KernelWriter } from './kernel/writer.js';
import type { OpenerSpec, SealerSpec } from './native/records.js';
import { native } from './native.js';
import { RecordStream } from './records/record-stream.js';
import { Socket } from './socket.js';
import { SocketHost } from './socket-host.js';
import { kEnsureState, kPort } from './socket-internals.js';
import { takeUnread } from './unread.js';

export interface FromHandleOptions {
  /** so_crypt: the cipher, where the kernel does not tell the length of its key. */
  cipher?: CipherName;
  /** As in {@link CryptOptions}; default `'error'`. */
  truncation?: 'error' | 'end';
  allowHalfOpen?: boolean;
}

type Internals = net.Socket & {
  _handle: { fd: number; reading: boolean; readStop(): number } | null;
};

/**
 * A Socket on a connection that another process has sent by `send(message, socket)`: it goes on with the records that the kernel makes and
 * opens (engines ktls and so_crypt), or as a plain one where none is armed. To be called in the 'message' event, before Node's own reader
 * comes upon an alert, which it takes for a broken connection.
 *
 * The keys stay in the kernel: `keyUpdate()` fails, and a peer's KeyUpdate ends the connection.
 *
 * @param received the event's second argument; it is of no use afterwards
 * @throws SoCryptError ERR_SO_CRYPT_CLOSED, ERR_SO_CRYPT_UNSUPPORTED, ERR_SO_CRYPT_INVALID_OPTION; nothing has changed
 */
export function fromHandle(received: net.Socket, options: FromHandleOptions = {}): Socket {
  if (!(received instanceof net.Socket))
    throw new SoCryptError('ERR_SO_CRYPT_INVALID_OPTION', 'This is no socket that another process has sent', {
      hint: "Give it the second argument of the event 'message'",
    });
  const from = received as Internals;
  const handle = from._handle;
  if (handle === null || received.destroyed)
    throw new SoCryptError('ERR_SO_CRYPT_CLOSED', 'The socket is closed', {
      hint: "Call fromHandle in the 'message' event itself",
    });
  const inherited = inheritedFrom(handle.fd, options.cipher);
  handle.readStop();
  handle.reading = false;
  // The kernel has opened it.
  const { bytes: early } = takeUnread(received);
  from._handle = null;
  const { allowHalfOpen = false } = options;
  const socket = new Socket({
    handle,
    allowHalfOpen,
    readable: true,
    writable: true,
  } as net.SocketConstructorOpts);
  // Node counts the sockets that a process has got by what it has made itself.
  socket.once('close', () => received.destroy());
  if (inherited) goOn(socket, inherited, options);
  if (early.length > 0) socket.unshift(early);
  return socket;
}

function goOn(socket: Socket, inherited: Inherited, { truncation = 'error' }: FromHandleOptions): void {
  const { protocol, cipher, mac, facts, encryptThenMac } = inherited;
  const kernelEngine = inheritedEngine(inherited);
  const host = new SocketHost(socket);
  socket[kEnsureState]();
  const port = socket[kPort]();
  const layout = tlsLayout(protocol, cipher, mac === undefined ? 0 : macs[mac], encryptThenMac);
  const nothing = new Uint8Array(0);
  const specOf = (write: boolean) => ({
    layout: layout.packed,
    cipher,
    mac,
    key: nothing,
    iv: nothing,
    secret: nothing,
    macKey: nothing,
    sequence:
      native.kernel!.inheritedSequence!(port.fd, inherited.engine === 'ktls' ? cipher : '', write) ?? 0n,
    explicitCounter: 0n,
    limit: facts.recordLimit,
  });
  const write: SealerSpec = { ...specOf(true), maxFragment: TLS_MAX_FRAGMENT, padTo: 0, splitFirst: false };
  const read: OpenerSpec = { ...specOf(false), applicationType: ContentType.applicationData };
  const arming: Arming & { read: OpenerSpec } = {
    protocol,
    cipher,
    driver: undefined,
    facts,
    mac,
    layout,
    write,
    read,
    keyUpdateAfter: facts.recordLimit,
    expectNoPadding: false,
    truncation,
    onHandshakeMessage: undefined,
  };
  let writer: KernelWriter | undefined;
  if (inherited.write) {
    // All records so far count against the key's limit.
    const records = Number(write.sequence);
    writer = new KernelWriter(kernelEngine, termsOf(arming), write, port, host, records);
    writer.arm();
  }
  let reader: KernelReader | undefined;
  if (inherited.read) {
    reader = new KernelReader(kernelEngine, arming, port, host);
    reader.begin(false);
  }
  installDirections(socket, new RecordStream(host), arming, writer, reader);
}
