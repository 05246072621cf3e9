import type net from 'node:net';
import { attachEarly } from '../arm-socket.js';
import { resolveEngine } from '../engines.js';
import { Socket } from '../socket.js';
import { Carrier, canTakeOver } from '../tls-carrier.js';
import { type EngineOptions, PacketLayer } from './packet-layer.js';
import { protocolOf, streamOf } from './ssh2.js';

/** A Socket of ours on the connection of a net.Socket, which goes on answering for addresses and can be destroyed. */
class CarriedSocket extends Socket {
  readonly #carrier: Carrier;

  constructor(carrier: Carrier, below: net.Socket) {
    super({ handle: carrier.handle, allowHalfOpen: below.allowHalfOpen } as object);
    this.#carrier = carrier;
    carrier.watch(
      () => this.destroy(),
      (error) => this.destroy(error),
    );
    if (carrier.unread.length > 0) this.unshift(carrier.unread);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const destroy = (): void => super._destroy(error, callback);
    if (this._handle) this.#carrier.closeBy(destroy);
    else destroy();
  }
}

/** The stream as a Socket of ours where it is a connection of the kernel that is not in use otherwise; else the same. */
export function carried<T>(stream: T): T | Socket {
  if (stream instanceof Socket || !canTakeOver(stream)) return stream;
  return new CarriedSocket(new Carrier(stream), stream);
}

/** Lets a connection's socket take over its packets, if it can: it is ours, and carries no records yet. */
export function attach(connection: object, options: EngineOptions): void {
  const socket = streamOf(connection);
  if (!(socket instanceof Socket) || socket.crypt !== null || 'encrypted' in socket) return;
  const engines = resolveEngine(options.engine, options.driver);
  new PacketLayer(protocolOf(connection), socket, options);
  // A kernel engine must come before the peer's FIN.
  const early = (): void => {
    try {
      attachEarly(socket, engines);
    } catch (error) {
      socket.destroy(error as Error);
    }
  };
  if (socket.pending) socket.prependOnceListener('connect', early);
  else early();
}
