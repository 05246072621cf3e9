import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { cipherByName } from './ciphers.js';
import { engineByName } from './engines.js';
import type { MemoryJob } from './memory-job.js';
import { expect, jobOf, report } from './worker.js';

const job = jobOf<MemoryJob>();
const sockets = new Set<Socket>();
// Shared by all connections, as in a server that cares: the sockets are measured and not the program.
const ignore = (): void => {};

const server = await engineByName(job.engine).server(cipherByName(job.cipher), (socket) => {
  sockets.add(socket);
  socket.on('data', ignore);
  socket.on('error', ignore);
});
server.listen(0, '127.0.0.1', () => report('listening', { port: (server.address() as AddressInfo).port }));

for (;;) {
  const { connections } = await expect('measure');
  while (sockets.size < connections) await sleep(20);
  // What is left of the handshakes takes some turns of the loop to die, and finalizers free memory only after a
  // collection: several with pauses.
  // As many as it takes on a busy machine.
  for (let i = 0, before = Number.POSITIVE_INFINITY, settled = 0; i < 50 && settled < 5; i++) {
    await sleep(100);
    globalThis.gc?.();
    const { heapUsed, external } = process.memoryUsage();
    settled = Math.abs(heapUsed + external - before) < 20_000 ? settled + 1 : 0;
    before = heapUsed + external;
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  report('memory', { rss, heap: heapUsed + external });
}
