import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { CryptOptions } from '../lib/crypt-options.js';
import { connect } from '../lib/index.js';
import type { Socket } from '../lib/socket.js';
import type { BenchCipher } from './ciphers.js';
import { cryptOf, randomKeys } from './record-keys.js';

/** setCrypt: `prepare` and `finish` are not measured. */
export interface ArmOperation {
  prepare(): Promise<void>;
  arm(): void;
  finish(): void;
}

/** Both directions of a connected socket, with traffic secrets where the protocol has them. */
export async function armOperation(cipher: BenchCipher, engine: string): Promise<ArmOperation> {
  const server = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const keys = () => (cipher.protocol === 'tls1.3' ? { secret: randomBytes(32) } : randomKeys(cipher));
  let socket: Socket;
  let options: CryptOptions;
  return {
    async prepare() {
      socket = connect({ host: '127.0.0.1', port });
      options = { ...cryptOf(cipher), engine: engine as 'evp', write: keys(), read: keys() };
      await once(socket, 'connect');
    },
    arm() {
      socket.setCrypt(options);
    },
    finish() {
      // A reset leaves no TIME_WAIT behind: thousands of them would use up the ports.
      socket.on('error', () => {}).resetAndDestroy();
    },
  };
}
