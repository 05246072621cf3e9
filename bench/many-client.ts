import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { cipherByName } from './ciphers.js';
import { engineByName } from './engines.js';
import type { MemoryJob } from './memory-job.js';
import { expect, jobOf, report } from './worker.js';

// Many connections at the same time, each of which sends something else and compares what comes back.

const BYTES = 20_000;
const ROUNDS = 5;

const job = jobOf<MemoryJob>();
const engine = engineByName(engineByName(job.engine).encrypts ? 'node:tls' : 'net');
const { port } = await expect('connect');
const { count } = await expect('open');
const sockets: Socket[] = [];
while (sockets.length < count) {
  const some = Array.from({ length: Math.min(50, count - sockets.length) }, () =>
    engine.client(cipherByName(job.cipher), port),
  );
  sockets.push(...(await Promise.all(some)));
}
report('opened', {});
await expect('start');

const content = randomBytes(BYTES + count);
const begin = performance.now();

/** Rejects when the connection breaks, or brings other bytes than it was given. */
function exchange(socket: Socket, sent: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    let at = 0;
    const onData = (data: Buffer): void => {
      if (!data.equals(sent.subarray(at, at + data.length))) return reject(new Error(`wrong bytes at ${at}`));
      at += data.length;
      if (at < sent.length) return;
      socket.off('data', onData).off('error', reject).off('close', onClose);
      resolve();
    };
    const onClose = (): void => reject(new Error('closed'));
    socket.on('data', onData).once('error', reject).once('close', onClose);
    socket.write(sent);
  });
}

let errors = 0;
for (let round = 0; round < ROUNDS; round++) {
  const results = await Promise.allSettled(
    sockets.map((socket, index) => exchange(socket, content.subarray(index, index + BYTES))),
  );
  errors += results.filter(({ status }) => status === 'rejected').length;
}
const seconds = (performance.now() - begin) / 1000;
report('exchanged', { errors, seconds, megabytes: (2 * ROUNDS * BYTES * count) / 1e6 });
