import type net from 'node:net';
import type { CryptOptions } from '../../lib/crypt-options.js';
import type { RecordOracle } from './records.js';
import { connectedPair, type Pair, Recorder } from './sockets.js';
import { makeDirection, type Suite, suiteOptions } from './suites.js';

/**
 * A connection whose one end is a socket of ours, armed in both directions, and whose other end is the test.
 */
export interface Armed extends Pair {
  /** Seals what our socket reads. */
  readonly sealer: RecordOracle;
  /** Opens what our socket writes. */
  readonly opener: RecordOracle;
  /** What our socket has delivered. */
  readonly read: Recorder;
  /** What our socket has put on the wire. */
  readonly wire: Recorder;
  /** The keys that our socket was armed with. */
  readonly crypt: CryptOptions;
}

/** Options beyond keys and suite, and of the socket. */
export interface ArmedOptions {
  readonly crypt?: Partial<CryptOptions>;
  readonly socket?: net.SocketConstructorOpts;
  /** TLS 1.3: give the library the traffic secret only, or key and IV only. Default both. */
  readonly secretOnly?: boolean;
  readonly keyOnly?: boolean;
  /** Sequence number of both directions. */
  readonly sequence?: bigint;
}

export async function armedPair(suite: Suite, options: ArmedOptions = {}): Promise<Armed> {
  const [write, read] = [makeDirection(suite, options.secretOnly), makeDirection(suite, options.secretOnly)];
  if (options.keyOnly) {
    delete write.keys.secret;
    delete read.keys.secret;
  }
  if (options.sequence !== undefined) write.keys.sequence = read.keys.sequence = options.sequence;
  const pair = await connectedPair(options.socket);
  const crypt = { ...suiteOptions(suite), write: write.keys, read: read.keys, ...options.crypt };
  pair.ours.setCrypt(crypt);
  return {
    ...pair,
    sealer: read.oracle(),
    opener: write.oracle(),
    read: new Recorder(pair.ours),
    wire: new Recorder(pair.peer),
    crypt,
  };
}

/** Writes and waits until the kernel has it: what is written next is not joined with it. */
export function flushed(socket: net.Socket, data: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(data, (error) => (error ? reject(error) : setImmediate(resolve)));
  });
}
