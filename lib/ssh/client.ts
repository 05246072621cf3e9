import { lookup } from 'node:dns';
import type * as Ssh2 from 'ssh2';
import type { CryptState } from '../crypt-options.js';
import { Socket } from '../socket.js';
import { checkOptions, type EngineOptions } from './packet-layer.js';
import { transferInLargeSteps } from './sftp.js';
import { readWithoutCopy } from './sftp-read.js';
import { writeWithoutCopy } from './sftp-write.js';
import { attach, carried } from './sockets.js';
import { ssh2, streamOf } from './ssh2.js';

/** Options of {@link Client.connect}: those of ssh2, and the engine. */
export interface ConnectConfig extends Ssh2.ConnectConfig, EngineOptions {}

/** ssh2's Client, whose connection is a Socket of ours that seals and opens the packets. */
export class Client extends ssh2.Client {
  /** What carries the connection's packets; null before the first key exchange, and while they are ssh2's own business. */
  get crypt(): CryptState | null {
    return cryptOf(this);
  }

  /** @throws SoCryptError for the engine, and what ssh2 throws */
  override connect(config: ConnectConfig): this {
    checkOptions(config);
    // ssh2 then closes the present connection first, and calls again.
    if (isOpen(this)) return super.connect(config);
    if (config.sock) {
      super.connect({ ...config, sock: carried(config.sock) });
      attach(this, config);
      return this;
    }
    const socket = new Socket();
    // What is small goes out together anyway (lib/packets/userland-writer.ts); Nagle's algorithm would have it wait for an acknowledgement.
    socket.setNoDelay(true);
    setConnecting(socket, true); // as far as ssh2 is concerned: it waits for 'connect'
    try {
      super.connect({ ...config, sock: socket });
      attach(this, config);
    } catch (error) {
      socket.destroy();
      throw error;
    }
    setConnecting(socket, false);
    this.#dial(socket, config);
    return this;
  }

  /** As ssh2's; `fastGet` and `fastPut` transfer in larger steps where the server takes them. */
  override sftp(...given: Parameters<Ssh2.Client['sftp']>): this {
    const callback = given.at(-1); // ssh2 takes an environment before it
    if (typeof callback === 'function')
      given.splice(-1, 1, (error, sftp) => {
        if (sftp !== undefined) {
          transferInLargeSteps(sftp);
          writeWithoutCopy(sftp);
          readWithoutCopy(sftp);
        }
        callback(error, sftp);
      });
    return super.sftp(...given);
  }

  // What ssh2 does where it has made the socket by itself.
  #dial(socket: Socket, { debug, timeout }: ConnectConfig): void {
    const { host, port, localAddress, localPort, forceIPv4, forceIPv6 } = configOf(this);
    debug?.(`Client: Trying ${host} on port ${port} ...`);
    const dial = (address: string): void => {
      if (socket.destroyed) return;
      socket.connect({ host: address, port, localAddress, localPort } as { host: string; port: number });
      socket.setMaxListeners(0);
      socket.setTimeout(typeof timeout === 'number' ? timeout : 0);
    };
    if (Boolean(forceIPv4) === Boolean(forceIPv6)) return dial(host);
    const family = forceIPv4 ? 4 : 6;
    lookup(host, family, (cause, address) => {
      if (!cause) return dial(address);
      const error = new Error(`Error while looking up IPv${family} address for '${host}': ${cause}`);
      clearTimeout((this as unknown as { _readyTimeout: NodeJS.Timeout })._readyTimeout);
      this.emit('error', Object.assign(error, { level: 'client-dns' }));
      this.emit('close');
    });
  }
}

/** The state of a connection's socket. */
export function cryptOf(connection: object): CryptState | null {
  const socket = streamOf(connection);
  return socket instanceof Socket ? socket.crypt : null;
}

interface Dialled {
  host: string;
  port: number;
  localAddress: string | undefined;
  localPort: number | undefined;
  forceIPv4: boolean;
  forceIPv6: boolean;
}

function configOf(client: object): Dialled {
  return (client as { config: Dialled }).config;
}

function setConnecting(socket: Socket, connecting: boolean): void {
  Object.assign(socket, { connecting });
}

function isOpen(connection: object): boolean {
  const socket = streamOf(connection) as Socket | undefined;
  return socket?.writable === true && !socket.readableEnded;
}
