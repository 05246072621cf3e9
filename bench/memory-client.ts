import type { Socket } from 'node:net';
import { cipherByName } from './ciphers.js';
import { engineByName } from './engines.js';
import type { MemoryJob } from './memory-job.js';
import { expect, jobOf, report } from './worker.js';

const job = jobOf<MemoryJob>();
// The same client for every server that speaks TLS; only the server is measured.
const engine = engineByName(engineByName(job.engine).encrypts ? 'node:tls' : 'net');
let sockets: Socket[] = [];
const { port } = await expect('connect');

for (;;) {
  const { count } = await expect('open');
  if (count === 0) {
    for (const socket of sockets) socket.end();
    sockets = [];
  }
  // One after the other: many handshakes at a time would leave their peak behind in the server's memory.
  for (let i = 0; i < count; i++) {
    const socket = await engine.client(cipherByName(job.cipher), port);
    // A server's answer to the end may be a reset, as this client reads no more.
    socket.on('error', (error) => {
      if (sockets.includes(socket)) throw error;
    });
    sockets.push(socket.resume());
  }
  report('opened', {});
}
