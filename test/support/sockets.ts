import { createHash } from 'node:crypto';
import { type EventEmitter, once } from 'node:events';
import net from 'node:net';
import type { Readable } from 'node:stream';
import { afterEach } from 'node:test';
import { Socket } from '../../lib/index.js';
import { patient } from './patience.js';

/** Two ends of a TCP connection over loopback. */
export interface Pair {
  /** Of the library under test. */
  readonly ours: Socket;
  /** node:net's own. */
  readonly peer: net.Socket;
  /** Destroys both. */
  close(): void;
}

const open = new Set<Pair>();

// Whatever a test leaves open, a failed one above all, must not keep the process alive.
afterEach(() => {
  for (const pair of open) pair.close();
});

/**
 * Connects a socket of ours to a plain one. Both half-open, so that each end says itself when it ends. Closed
 * after the test.
 */
export async function connectedPair(options: net.SocketConstructorOpts = {}): Promise<Pair> {
  const server = net.createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await waitFor(server, 'listening', 5000);
  const { port } = server.address() as net.AddressInfo;
  const ours = new Socket({ allowHalfOpen: true, ...options });
  ours.connect(port, '127.0.0.1');
  const [[peer]] = await Promise.all([
    waitFor(server, 'connection', 5000) as Promise<[net.Socket]>,
    waitFor(ours, 'connect', 5000),
  ]);
  server.close();
  peer.on('error', () => {}); // tests look at our side's errors
  peer.setNoDelay(true);
  const pair: Pair = {
    ours,
    peer,
    close() {
      open.delete(pair);
      ours.destroy();
      peer.destroy();
    },
  };
  open.add(pair);
  return pair;
}

/** All that comes until the stream's end; rejects on its error. */
export async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'end');
  return Buffer.concat(chunks);
}

export function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/**
 * The arguments of the next such event; rejects after `ms` milliseconds, and on an 'error' event before it.
 */
export async function waitFor(emitter: EventEmitter, event: string, ms = 5000): Promise<unknown[]> {
  const signal = AbortSignal.timeout(patient(ms));
  try {
    return await once(emitter, event, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new Error(`no '${event}' event of ${emitter.constructor.name} within ${patient(ms)} ms`);
  }
}

/** Resolves when the condition holds; looks every few milliseconds. */
export async function until(condition: () => boolean, what: string, ms = 5000): Promise<void> {
  for (const end = Date.now() + patient(ms); !condition(); ) {
    if (Date.now() > end) throw new Error(`not within ${patient(ms)} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** All that has come to a socket so far, and its end; installed before anything is sent. */
export class Recorder {
  readonly #chunks: Buffer[] = [];
  readonly errors: Error[] = [];
  ended = false;
  closed = false;
  #length = 0;

  constructor(socket: net.Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
    });
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('error', (error) => this.errors.push(error));
    socket.on('close', () => {
      this.closed = true;
    });
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}
