import { Child, withChildren } from './child.js';
import { mainCipher } from './ciphers.js';
import type { MemoryResult, MemorySample } from './document.js';
import type { Engine } from './engines.js';
import type { MemoryJob } from './memory-job.js';
import type { Progress } from './progress.js';
import { median, round } from './statistics.js';

// Opened, and closed again, before the first measurement: they pay for what comes once, such as code and caches.
const warmup = { full: 500, quick: 200 };

/** What a connection costs a server of its own, which gets so many of them. */
async function idleMemory(engine: Engine, before: number, connections: number): Promise<MemorySample> {
  const job: MemoryJob = { engine: engine.name, cipher: mainCipher.name };
  const server = new Child('memory-server', job, { execArgv: ['--expose-gc'], timeLimit: 600_000 });
  const client = new Child('memory-client', job, { timeLimit: 600_000 });
  return withChildren([client, server], async () => {
    client.send('connect', await server.expect('listening'));
    const open = async (count: number, total: number) => {
      client.send('open', { count });
      await client.expect('opened');
      server.send('measure', { connections: total });
      return server.expect('memory');
    };
    await open(before, before);
    const none = await open(0, 0);
    const first = Math.round(connections * 0.4);
    const some = await open(first, first);
    const all = await open(connections - first, connections);
    const each = (bytes: number, count: number): number => round(bytes / 1024 / count);
    return {
      rssKB: each(all.own - none.own, connections),
      furtherRssKB: each(all.own - some.own, connections - first),
      heapKB: each(all.heap - none.heap, connections),
    };
  });
}

/** What an idle connection costs each engine's server. */
export async function runMemory(
  engines: readonly Engine[],
  isQuick: boolean,
  progress: Progress,
): Promise<MemoryResult[]> {
  const connections = isQuick ? 1000 : 5000;
  const rounds = isQuick ? 1 : 3;
  const entries = engines.map((engine) => ({ engine, samples: [] as MemorySample[] }));
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
    furtherRssKBPerConnection: median(samples.map(({ furtherRssKB }) => furtherRssKB)),
    heapKBPerConnection: median(samples.map(({ heapKB }) => heapKB)),
    samples,
  }));
}
