// A process that goes on with sockets which another one has armed. It echoes what comes, and tells of each socket's state and end.
import type net from 'node:net';
import { type CipherName, fromHandle } from '../../lib/index.js';

export interface Order {
  cipher: CipherName;
  /** Ends the connection itself, behind this text; else it echoes. */
  say?: string;
}

export interface Report {
  crypt?: { engine: string; protocol: string; cipher: string; mac: string; write: string; read: string };
  end?: { closed: boolean; truncated: boolean };
  error?: string;
}

process.on('message', ({ cipher, say }: Order, handle: net.Socket) => {
  const report = (body: Report): boolean => process.send!(body);
  try {
    const socket = fromHandle(handle, { cipher, allowHalfOpen: true });
    const { engine, protocol, write, read, mac, cipher: carried } = socket.crypt!;
    report({
      crypt: {
        engine,
        protocol,
        cipher: carried,
        mac: String(mac),
        write: String(write?.sequence),
        read: String(read?.sequence),
      },
    });
    socket.on('error', (error) => report({ error: (error as NodeJS.ErrnoException).code ?? String(error) }));
    socket.on('close', () => {
      const state = socket.crypt?.read;
      report({ end: { closed: state?.closed === true, truncated: state?.truncated === true } });
    });
    if (say === undefined) socket.pipe(socket);
    else socket.resume().end(say);
  } catch (error) {
    report({ error: (error as NodeJS.ErrnoException).code ?? String(error) });
  }
});
process.on('disconnect', () => process.exit());
