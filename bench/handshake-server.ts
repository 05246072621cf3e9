import type { AddressInfo } from 'node:net';
import { cipherByName } from './ciphers.js';
import { engineByName } from './engines.js';
import type { HandshakeJob } from './handshake-job.js';
import { expect, jobOf, report, startCpu } from './worker.js';

const job = jobOf<HandshakeJob>();
let count = 0;

const server = await engineByName(job.engine).server(cipherByName(job.cipher), (socket) => {
  count++;
  socket.on('error', (error) => {
    throw error;
  });
  socket.resume();
  // The server ends first, so that TIME_WAIT keeps none of the clients' ports. Not at once: node:tls sends the
  // session tickets after this listener, and an ended socket sends none.
  setImmediate(() => socket.end());
});
server.on('tlsClientError', (error) => {
  throw error;
});
server.listen(0, '127.0.0.1', () => report('listening', { port: (server.address() as AddressInfo).port }));

await expect('start');
const first = count;
const cpu = startCpu();
const start = performance.now();
await expect('stop');
report('handshakes', {
  count: count - first,
  resumed: 0,
  seconds: (performance.now() - start) / 1000,
  cpu: cpu(),
});
