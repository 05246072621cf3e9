import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { kComplete, TLSSocket } from '../lib/tls-socket.js';
import type { BenchCipher } from './ciphers.js';
import { engineByName } from './engines.js';

/** Hand-overs of a server, whose clients are another process. */
export interface HandOvers {
  readonly port: number;
  /** Milliseconds of the next one: from the end of OpenSSL's handshake to the armed socket. */
  next(): Promise<number>;
}

export async function handOvers(cipher: BenchCipher, engine: string): Promise<HandOvers> {
  const done: number[] = [];
  let waiting: ((ms: number) => void) | undefined;

  // No event tells when OpenSSL is done: the clock is put around the method that is called then.
  const complete = TLSSocket.prototype[kComplete];
  TLSSocket.prototype[kComplete] = function (ssl, isServer, established) {
    const start = performance.now();
    complete.call(this, ssl, isServer, () => {
      const ms = performance.now() - start;
      if (waiting === undefined) done.push(ms);
      else waiting(ms);
      waiting = undefined;
      established();
    });
  };

  const onConnection = (socket: Socket): void => {
    socket.on('error', () => {});
    socket.resume().end();
  };
  // There is none behind a handshake without JavaScript.
  const workers = { threads: 0, native: false };
  const server = await engineByName(engine).server(cipher, onConnection, { workers });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    next() {
      const ms = done.shift();
      if (ms !== undefined) return Promise.resolve(ms);
      return new Promise((resolve) => {
        waiting = resolve;
      });
    },
  };
}
