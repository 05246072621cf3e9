import type { AddressInfo } from 'node:net';
import { cipherByName } from './ciphers.js';
import { engineByName } from './engines.js';
import type { MemoryJob } from './memory-job.js';
import { jobOf, report } from './worker.js';

// Echoes on as many connections as come.

const job = jobOf<MemoryJob>();
const server = await engineByName(job.engine).server(cipherByName(job.cipher), (socket) => {
  socket.on('error', (error) => {
    throw error;
  });
  socket.pipe(socket);
});
server.listen(0, '127.0.0.1', 4096, () =>
  report('listening', { port: (server.address() as AddressInfo).port }),
);
