import net from 'node:net';
import { Duplex } from 'node:stream';
import nodeTls from 'node:tls';
import { waitFor } from './sockets.js';
import { closeAfterTest } from './tls-ends.js';

/** A connection on which the client's side of a handshake is whatever a test makes of it. */
export class ConnectionMadeByHand {
  readonly socket: net.Socket;
  /** A ClientHello of node:tls, as a record. */
  readonly hello: Buffer;

  private constructor(socket: net.Socket, hello: Buffer) {
    this.socket = socket;
    this.hello = hello;
  }

  static async to(port: number): Promise<ConnectionMadeByHand> {
    const socket = closeAfterTest(net.connect({ port, host: '127.0.0.1', noDelay: true }));
    socket.on('error', () => {});
    socket.resume();
    const [hello] = await Promise.all([clientHello(), waitFor(socket, 'connect')]);
    return new ConnectionMadeByHand(socket, hello);
  }

  /** Sends the ClientHello, and runs something when the server has answered. */
  async afterFlight(run: () => void): Promise<void> {
    this.socket.write(this.hello);
    await waitFor(this.socket, 'data', 30_000);
    run();
  }
}

function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, callback) {
        callback();
        resolve(chunk);
        setImmediate(() => client.destroy());
      },
    });
    const client = nodeTls.connect({ socket: wire, servername: 'localhost' });
    client.on('error', () => {});
  });
}
