import net from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { closeAfterTest, listen } from './tls-ends.js';

/** What a proxy makes of bytes that have come: pieces, each of which goes out by itself. */
export type Relay = (bytes: Buffer) => Iterable<Buffer> | AsyncIterable<Buffer>;

export interface Relays {
  readonly toServer?: Relay;
  readonly toClient?: Relay;
}

const asItIs: Relay = (bytes) => [bytes];

async function relay(from: net.Socket, to: net.Socket, change: Relay): Promise<void> {
  for await (const bytes of from)
    for await (const piece of change(bytes as Buffer)) {
      if (to.destroyed) return;
      await new Promise((resolve) => to.write(piece, resolve));
      await turn(); // the other end, in the same process, reads it now
    }
  to.end();
}

/** A proxy on a free port of 127.0.0.1 to another port; `relays` is asked for each connection. */
export async function proxyTo(port: number, relays: () => Relays): Promise<number> {
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    closeAfterTest(client);
    const upstream = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    closeAfterTest(upstream);
    const { toServer = asItIs, toClient = asItIs } = relays();
    const directions = [relay(client, upstream, toServer), relay(upstream, client, toClient)];
    for (const direction of directions)
      direction.catch(() => {
        client.destroy();
        upstream.destroy();
      });
  });
  return listen(server);
}

/** Pieces of the given sizes, again and again. */
export function inPieces(...sizes: readonly number[]): Relay {
  let i = 0;
  return function* (bytes) {
    for (let at = 0; at < bytes.length; ) {
      const size = sizes[i++ % sizes.length]!;
      yield bytes.subarray(at, at + size);
      at += size;
    }
  };
}
