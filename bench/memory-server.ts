import { readFileSync } from 'node:fs';
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
const forget = function (this: Socket): void {
  sockets.delete(this);
};

/**
 * Bytes of memory that are this process's own. Not `rss` of memoryUsage() where the kernel tells better: that has the pages of the program's
 * file in it, and Linux counts it in steps of 64 pages for each thread.
 */
function ownMemory(): number {
  try {
    const found = /^Anonymous:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/smaps_rollup', 'latin1'));
    if (found) return Number(found[1]) * 1024;
  } catch {
    // Another system, or an old kernel.
  }
  return process.memoryUsage().rss;
}

/**
 * Makes V8's young generation as large as it gets (the option --min-semi-space-size has allotted it; now its pages are used, too). It grows with
 * garbage that comes quickly, which handshakes are; up to 32 MB, that some connections more or less would be made to pay.
 */
function fillYoungGeneration(): void {
  const survivors: object[][] = [];
  for (let i = 0; i < 400; i++) {
    survivors.push(Array.from({ length: 8000 }, (_, value) => ({ value, list: [value, value] })));
    if (survivors.length > 10) survivors.shift();
  }
}

/** Collects garbage until nothing goes any more: finalizers free memory after a collection only, and sockets take turns of the loop to die. */
async function settle(): Promise<void> {
  // As many as it takes on a busy machine.
  for (let i = 0, before = Number.POSITIVE_INFINITY, settled = 0; i < 50 && settled < 5; i++) {
    await sleep(100);
    globalThis.gc?.();
    const now = heap();
    settled = Math.abs(now - before) < 20_000 ? settled + 1 : 0;
    before = now;
  }
}

function heap(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

fillYoungGeneration();
const server = await engineByName(job.engine).server(cipherByName(job.cipher), (socket) => {
  sockets.add(socket);
  socket.on('data', ignore);
  socket.on('error', ignore);
  socket.on('close', forget);
});
server.listen(0, '127.0.0.1', () => report('listening', { port: (server.address() as AddressInfo).port }));

for (;;) {
  const { connections } = await expect('measure');
  while (sockets.size !== connections) await sleep(20);
  await settle();
  report('memory', { own: ownMemory(), heap: heap() });
}
