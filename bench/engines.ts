import { connect as netConnect, createServer as netCreateServer, type Server, type Socket } from 'node:net';
import {
  type ConnectionOptions,
  type TlsOptions,
  connect as tlsConnect,
  createServer as tlsCreateServer,
} from 'node:tls';
import type { CryptState } from '../lib/crypt-options.js';
import type { TLSSocket } from '../lib/tls.js';
import type { HandshakeWorkers } from '../lib/tls-options.js';
import { benchCertificate, type CredentialName, credentials } from './certificate.js';
import type { BenchCipher } from './ciphers.js';
import { messageOf } from './error-message.js';

/** One way to carry bytes. The list below is all that a new engine has to be added to. */
export interface Engine {
  /** The name of --engine and of the JSON document. */
  readonly name: string;
  /** The name in the table. */
  readonly label: string;
  /** False for plain TCP, which is measured once per buffer size and has no cipher. */
  readonly encrypts: boolean;
  /** Whether it carries SSH with this cipher. */
  carriesSsh?(cipher: string): boolean;
  /** Why it can't run here, or null when it can. */
  available(): Promise<string | null>;
  /** A server that is not listening yet; the listener gets sockets that are ready for application data. */
  server(
    cipher: BenchCipher,
    onConnection: (socket: Socket) => void,
    settings?: ServerSettings,
  ): Promise<Server>;
  /** A socket that is ready for application data. */
  client(cipher: BenchCipher, port: number): Promise<Socket>;
}

export interface ServerSettings {
  readonly certificate?: CredentialName;
  readonly workers?: HandshakeWorkers['handshakeWorkers'];
}

const host = '127.0.0.1';

function serverOptions(cipher: BenchCipher, certificate: CredentialName = 'p256'): TlsOptions {
  return {
    ...credentials[certificate],
    ciphers: cipher.suite,
    minVersion: cipher.version,
    maxVersion: cipher.version,
  };
}

function clientOptions(cipher: BenchCipher, port: number): ConnectionOptions {
  return {
    host,
    port,
    ca: benchCertificate,
    servername: 'localhost',
    ciphers: cipher.suite,
    minVersion: cipher.version,
    maxVersion: cipher.version,
  };
}

/** Resolves with the socket once it is ready, rejects on the error that comes before. */
function ready(open: (onReady: () => void) => Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = open(() => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

const net: Engine = {
  name: 'net',
  label: 'net',
  encrypts: false,
  available: async () => null,
  server: async (_cipher, onConnection) => netCreateServer(onConnection),
  client: (_cipher, port) => ready((onReady) => netConnect({ host, port }, onReady)),
};

const nodeTls: Engine = {
  name: 'node:tls',
  label: 'node:tls',
  encrypts: true,
  available: async () => null,
  server: async (cipher, onConnection, settings) =>
    tlsCreateServer(serverOptions(cipher, settings?.certificate), onConnection),
  client: (cipher, port) => ready((onReady) => tlsConnect(clientOptions(cipher, port), onReady)),
};

/** so-crypt with one of its engines. Imported at run time: a missing build is a reason, not a crash. */
function soCrypt(engine: CryptState['engine']): Engine {
  const load = () => import('../lib/tls.js');

  // A trial that quietly ran on another engine would report that engine's numbers under this one's name.
  // The first ones tell: to ask takes as much time as to send a small record.
  let asked = 0;
  const assertEngine = (socket: TLSSocket): TLSSocket => {
    if (asked++ >= 100) return socket;
    const actual = socket.crypt?.engine;
    if (actual !== engine)
      throw new Error(`asked for engine '${engine}', the socket has '${actual ?? 'none'}'`);
    return socket;
  };

  return {
    name: engine,
    label: `so-crypt ${engine}`,
    encrypts: true,
    carriesSsh: (cipher) => engine === 'evp' || !cipher.startsWith('chacha20'),
    async available() {
      try {
        await load();
        const { engines } = await import('../lib/engines.js');
        const found = engines().find(({ name }) => name === engine);
        return found?.available === true ? null : (found?.reason ?? 'so-crypt does not know it');
      } catch (error) {
        return messageOf(error).split('\n')[0]!;
      }
    },
    async server(cipher, onConnection, { certificate, workers = 0 } = {}) {
      const tls = await load();
      const options = { ...serverOptions(cipher, certificate), engine, handshakeWorkers: workers };
      return tls.createServer(options, (socket) => onConnection(assertEngine(socket)));
    },
    async client(cipher, port) {
      const tls = await load();
      return ready((onReady) => {
        const socket = tls.connect({ ...clientOptions(cipher, port), engine }, () => {
          assertEngine(socket);
          onReady();
        });
        return socket;
      });
    },
  };
}

export const engines: readonly Engine[] = [
  net,
  nodeTls,
  soCrypt('evp'),
  soCrypt('af_alg'),
  soCrypt('cryptodev'),
];

export function engineByName(name: string): Engine {
  const engine = engines.find((candidate) => candidate.name === name);
  if (engine === undefined) throw new RangeError(`no engine '${name}' in the bench`);
  return engine;
}
