import assert from 'node:assert/strict';
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { testWhere } from '../support/engine.js';
import { until } from '../support/sockets.js';
import { engine, tlsPair } from '../support/tls-ends.js';

// V8 marks the whole heap for each 64 MB of Buffers that it has not looked through before (lib/userland/slabs.ts).
testWhere(engine === 'evp')('a gigabyte of plaintext makes V8 mark the heap ten times at most', async () => {
  let marked = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { detail } of list.getEntries() as unknown as { detail: { kind: number } }[])
      if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) marked++;
  });
  observer.observe({ entryTypes: ['gc'] });
  const { client, peer } = await tlsPair(['node', 'so-crypt']);
  let read = 0;
  peer.on('data', (data: Buffer) => {
    read += data.length;
  });
  const chunk = Buffer.alloc(1_000_000);
  let left = 1000;
  const write = (): void => {
    while (left > 0) {
      left--;
      if (!client.write(chunk)) return void client.once('drain', write);
    }
  };
  write();
  await until(() => read === 1000 * chunk.length, 'all has come', 30_000);
  observer.disconnect();
  assert.ok(marked <= 10, `${marked} times`);
  client.destroy();
  peer.destroy();
});
