import type { Socket } from 'node:net';
import { cipherByName } from './ciphers.js';
import { engineByName } from './engines.js';
import type { MemoryJob } from './memory-job.js';
import { expect, jobOf, report } from './worker.js';

const job = jobOf<MemoryJob>();
// The same client for every server that speaks TLS; only the server is measured.
const engine = engineByName(engineByName(job.engine).encrypts ? 'node:tls' : 'net');
const sockets: Socket[] = [];
const { port } = await expect('connect');

for (;;) {
  const { count } = await expect('open');
  // One after the other: many handshakes at a time would leave their peak behind in the server's memory.
  for (let i = 0; i < count; i++) {
    const socket = await engine.client(cipherByName(job.cipher), port);
    socket.on('error', (error) => {
      throw error;
    });
    sockets.push(socket.resume());
  }
  report('opened', {});
}
