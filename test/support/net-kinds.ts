import { randomBytes } from 'node:crypto';
import net from 'node:net';
import * as ours from '../../lib/index.js';
import { waitFor } from './sockets.js';
import { closeAfterTest } from './tls-ends.js';

/** What a scenario runs on: node:net itself, our sockets as they are, and our sockets with records between them. */
export const kinds = ['node:net', 'so-crypt', 'so-crypt, armed'] as const;
export type Kind = (typeof kinds)[number];

/** Options of both ends; `client` for the connecting one alone. */
export interface EndOptions {
  allowHalfOpen?: boolean;
  client?: net.SocketConstructorOpts & { highWaterMark?: number };
}

export interface Ends {
  client: net.Socket;
  server: net.Socket;
}

/** Two ends of a connection over loopback; destroyed after the test. */
export async function ends(
  kind: Kind,
  { allowHalfOpen = false, client: options }: EndOptions = {},
): Promise<Ends> {
  const library = kind === 'node:net' ? net : ours;
  const listener = (library as typeof net).createServer({ allowHalfOpen });
  listener.listen(0, '127.0.0.1');
  await waitFor(listener, 'listening');
  const { port } = listener.address() as net.AddressInfo;
  const client = new (library as typeof net).Socket({ allowHalfOpen, ...options });
  client.connect(port, '127.0.0.1');
  const [[server]] = (await Promise.all([waitFor(listener, 'connection'), waitFor(client, 'connect')])) as [
    [net.Socket],
    unknown,
  ];
  listener.close();
  if (kind === 'so-crypt, armed') {
    const [up, down] = [{ secret: randomBytes(32) }, { secret: randomBytes(32) }];
    const base = { protocol: 'tls1.3', cipher: 'aes-128-gcm' } as const;
    (client as ours.Socket).setCrypt({ ...base, write: up, read: down });
    (server as ours.Socket).setCrypt({ ...base, write: down, read: up });
  }
  return { client: closeAfterTest(client), server: closeAfterTest(server) };
}
