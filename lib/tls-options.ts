import type net from 'node:net';
import type tls from 'node:tls';
import type { EngineChoice, EngineName } from './crypt-options.js';
import type { SocketOptions } from './socket.js';

/** Options beyond Node's of everything in so-crypt/tls. */
export interface EngineOptions {
  /** Default `auto`; the environment variable SO_CRYPT_ENGINE sets another default. */
  engine?: EngineName | EngineChoice;
  /** Engines `af_alg` and `cryptodev`: the kernel's name of the driver that does the cipher; the suites must be such that it can. */
  driver?: string;
  /**
   * What a FIN without close_notify is: `'end'` (default, as with node:tls) or `'error'`. With `'end'`, `socket.crypt.read.truncated`
   * tells.
   */
  truncation?: 'error' | 'end';
}

/** Options beyond Node's of a server. */
export interface HandshakeWorkers {
  /**
   * Handshakes are done by so many threads, and this one gets connections whose handshake is done. Default 0: in this thread, and those that
   * need no JavaScript without it, unless `native` is false.
   * `mostInFlight`: handshakes at the same time in each of them, default 1024; those of clients that are silent for a second don't count.
   * `priority`: how much nicer than this thread they are, 0 to 19 as of setpriority(2), default 5 (Linux).
   * `native: false`: all handshakes in threads of Node's, also those that threads without JavaScript could do faster (Linux, TLS 1.3, nobody to be asked).
   *
   * SNICallback and the events newSession, resumeSession, OCSPRequest and keylog work, contexts only of createSecureContext() of
   * so-crypt/tls; ALPNCallback and pskCallback don't: ERR_SO_CRYPT_UNSUPPORTED.
   */
  handshakeWorkers?: number | { threads: number; mostInFlight?: number; priority?: number; native?: boolean };
}

/** Options of `new TLSSocket()`: Node's and the engine's. */
export type TLSSocketOptions = tls.TLSSocketOptions &
  Omit<tls.ConnectionOptions, keyof tls.TLSSocketOptions | 'socket'> &
  SocketOptions &
  EngineOptions & { pauseOnConnect?: boolean; onread?: net.OnReadOpts };
