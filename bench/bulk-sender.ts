import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { BulkJob } from './bulk-job.js';
import { cipherByName } from './ciphers.js';
import { engineByName } from './engines.js';
import { expect, jobOf, report, startCpu } from './worker.js';

/** Writes the way a program should: chunk after chunk until write() says false, then on with 'drain'. */
function sendAll(socket: Socket, data: Buffer, chunk: number): void {
  let offset = 0;
  const pump = (): void => {
    while (offset < data.length) {
      const more = socket.write(data.subarray(offset, offset + chunk));
      offset += chunk;
      if (!more) {
        socket.once('drain', pump);
        return;
      }
    }
  };
  pump();
}

/** Sends a pass and waits until the receiver has acknowledged its last byte. */
function transfer(socket: Socket, data: Buffer, chunk: number): Promise<void> {
  return new Promise((resolve) => {
    socket.once('data', () => resolve());
    sendAll(socket, data, chunk);
  });
}

const job = jobOf<BulkJob>();
// The file is in memory before the clock starts: the trial measures the socket, not the disk.
const payload = readFileSync(job.file).subarray(0, job.bytes);
const { port } = await expect('connect');
const socket = await engineByName(job.engine).client(cipherByName(job.cipher), port);
socket.on('error', (error) => {
  throw error;
});

for (let i = 0; i < job.warmup; i++) await transfer(socket, payload, job.chunk);
report('warm', {});

for (let i = 0; i < job.passes; i++) {
  await expect('start');
  const cpu = startCpu();
  const start = performance.now();
  await transfer(socket, payload, job.chunk);
  const seconds = (performance.now() - start) / 1000;
  report('sent', { seconds, cpu: cpu() });

  await expect('stop');
  report('digest', { bytes: payload.length, sha256: createHash('sha256').update(payload).digest('hex') });
}
socket.end();
