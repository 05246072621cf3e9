import { readFileSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapSpaceStatistics } from 'node:v8';
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
 * Bytes of memory that are this process's own, without V8's young generation: that grows and shrinks between 1 and 32 MB with the pace of
 * garbage (handshakes make much), whatever the number of connections, and is all but empty here. Not `rss` of memoryUsage() where the kernel
 * tells better: that has the pages of the program's file in it, and Linux counts it in steps of 64 pages for each thread.
 */
function ownMemory(): number {
  const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
  return anonymousMemory() - (young?.physical_space_size ?? 0);
}

function anonymousMemory(): number {
  try {
    const found = /^Anonymous:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/smaps_rollup', 'latin1'));
    if (found) return Number(found[1]) * 1024;
  } catch {
    // Another system, or an old kernel.
  }
  return process.memoryUsage().rss;
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
