import { Child, withChildren } from './child.js';
import { mainCipher } from './ciphers.js';
import type { MemoryResult } from './document.js';
import type { Engine } from './engines.js';
import type { MemoryJob } from './memory-job.js';
import type { Progress } from './progress.js';
import { median, round } from './statistics.js';

interface Sample {
  readonly rssKB: number;
  readonly heapKB: number;
}

// The connections before the first measurement pay for what comes once: code, caches, the first pages of the heaps.
// Up to 1,500 the heaps still grow by many megabytes at a time (V8's young generation doubles with the garbage of so many handshakes),
// whatever the engine; from there on memory grows with the connections.
const warmup = { full: 1500, quick: 500 };

/** What a connection costs the server, by the difference that so many make after so many others. */
export async function idleMemory(engine: Engine, before: number, connections: number): Promise<Sample> {
  const job: MemoryJob = { engine: engine.name, cipher: mainCipher.name };
  const server = new Child('memory-server', job, { execArgv: ['--expose-gc'], timeLimit: 600_000 });
  const client = new Child('memory-client', job, { timeLimit: 600_000 });
  return withChildren([client, server], async () => {
    client.send('connect', await server.expect('listening'));
    const grow = async (count: number, total: number) => {
      client.send('open', { count });
      await client.expect('opened');
      server.send('measure', { connections: total });
      return server.expect('memory');
    };
    const few = await grow(before, before);
    const many = await grow(connections, before + connections);
    return {
      rssKB: round((many.rss - few.rss) / 1024 / connections),
      heapKB: round((many.heap - few.heap) / 1024 / connections),
    };
  });
}

/** What an idle connection costs each engine's server. */
export async function runMemory(
  engines: readonly Engine[],
  isQuick: boolean,
  progress: Progress,
): Promise<MemoryResult[]> {
  const connections = isQuick ? 1000 : 3000;
  const rounds = isQuick ? 1 : 3;
  const entries = engines.map((engine) => ({ engine, samples: [] as Sample[] }));
  progress.plan(entries.length * rounds);
  for (let round = 1; round <= rounds; round++) {
    for (const { engine, samples } of entries) {
      progress.step(`memory ${engine.label}, round ${round} of ${rounds}`);
      samples.push(await idleMemory(engine, isQuick ? warmup.quick : warmup.full, connections));
    }
  }
  return entries.map(({ engine, samples }) => ({
    engine: engine.name,
    connections,
    rssKBPerConnection: median(samples.map(({ rssKB }) => rssKB)),
    heapKBPerConnection: median(samples.map(({ heapKB }) => heapKB)),
    samples,
  }));
}
