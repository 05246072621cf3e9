import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { acknowledgement, type BulkJob } from './bulk-job.js';
import { cipherByName } from './ciphers.js';
import { engineByName } from './engines.js';
import { expect, jobOf, report, startCpu } from './worker.js';

const job = jobOf<BulkJob>();

// Every byte is copied here and hashed after the clock has stopped. The copy costs all engines the same; hashing
// while receiving would add the time of SHA-256, which is slower than the sockets, to each of them. The buffer is
// filled first, so that its page faults are not part of the trial.
const received = Buffer.alloc(job.bytes, 1);
let length = 0;
let passDone: (() => void) | undefined;

function onData(chunk: Buffer): void {
  if (passDone === undefined || length + chunk.length > job.bytes) {
    throw new Error(`${chunk.length} bytes arrived at ${length}, more than were sent`);
  }
  chunk.copy(received, length);
  length += chunk.length;
  if (length === job.bytes) passDone();
}

/** Resolves when a pass is here. The next one begins only after the acknowledgement of this one. */
function receive(): Promise<void> {
  length = 0;
  return new Promise((resolve) => {
    passDone = resolve;
  });
}

let pass = receive();
const connection = new Promise<Socket>((resolve) => {
  const accept = (socket: Socket): void => {
    socket.on('error', (error) => {
      throw error;
    });
    socket.on('data', onData);
    resolve(socket);
  };
  void engineByName(job.engine)
    .server(cipherByName(job.cipher), accept)
    .then((server) => {
      server.on('tlsClientError', (error) => {
        throw error;
      });
      server.listen(0, '127.0.0.1', () =>
        report('listening', { port: (server.address() as AddressInfo).port }),
      );
    });
});

const socket = await connection;
const ended = once(socket, 'end');
for (let i = 0; i < job.warmup; i++) {
  await pass;
  pass = receive();
  socket.write(acknowledgement);
}
report('warm', {});

for (let i = 0; i < job.passes; i++) {
  await expect('start');
  const cpu = startCpu();
  report('started', {});
  await pass;
  report('received', { cpu: cpu() });
  socket.write(acknowledgement);

  await expect('stop');
  report('digest', { bytes: length, sha256: createHash('sha256').update(received).digest('hex') });
  // So that a byte which does not arrive in the next pass is not there from this one.
  received.fill(0);
  pass = receive();
}
await ended;
report('ended', {});
