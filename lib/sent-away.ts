import { SoCryptError } from './errors.js';
import { KernelReader } from './kernel/reader.js';
import { KernelWriter } from './kernel/writer.js';
import type { Socket } from './socket.js';
import type { Handle, State } from './socket-internals.js';

/** A handle and what Node's `send()` of a child process changes of it. */
export interface SendableHandle {
  readonly handle: Handle;
  readonly onread: unknown;
}

/**
 * Node is about to send a socket's handle to another process, and has taken it away. That is right where the kernel makes and opens the
 * records: then nothing of them is left here. Where this process does, the other one would have a connection that it can't speak on.
 *
 * @throws SoCryptError ERR_SO_CRYPT_UNSUPPORTED; the socket is as it was
 */
export function sendAway(socket: Socket, state: State): void {
  const refusal = refusalOf(socket, state);
  if (refusal === undefined) {
    state.port?.close();
    state.records?.dispose();
    return;
  }
  const { handle, onread } = state.sendable!;
  Object.assign(handle, { onread });
  socket._handle = handle;
  const { server } = socket as unknown as { server?: { _connections: number } };
  if (server) server._connections++;
  const [reason, hint] = refusal;
  throw new SoCryptError(
    'ERR_SO_CRYPT_UNSUPPORTED',
    `The socket can't be sent to another process: ${reason}`,
    { hint },
  );
}

function refusalOf(socket: Socket, state: State): [reason: string, hint: string] | undefined {
  const { writer = null, reader = null } = state.records ?? {};
  const userland = [writer, reader].find(
    (one) => one !== null && !(one instanceof KernelWriter || one instanceof KernelReader),
  );
  if (userland)
    return [`its records are made in this one (${userland.engine})`, "Give the connection engine: 'ktls'"];
  if (state.gate !== null || state.tap !== null)
    return ['its handshake is not done', "Wait for 'secureConnect' or 'secureConnection'"];
  if (socket.writableEnded || reader?.closed || reader?.truncated) return ['it has ended', 'Send it earlier'];
  if (socket.writableLength > 0 || (state.sendable!.handle.writeQueueSize ?? 0) > 0 || state.files?.size)
    return ['bytes wait to be written', 'Wait for the callback of the last write()'];
  if (socket.readableLength > 0)
    return ['bytes have arrived that nobody has read', 'read() them first, or pause() it earlier'];
  if (reader instanceof KernelReader && !reader.isInKernel)
    return ['a record has arrived in part', 'Try again when more has come'];
  return undefined;
}
