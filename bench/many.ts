import { Child, withChildren } from './child.js';
import { mainCipher } from './ciphers.js';
import type { ManyResult, MemoryResult } from './document.js';
import type { Engine } from './engines.js';
import type { MemoryJob } from './memory-job.js';
import type { Progress } from './progress.js';
import { round } from './statistics.js';

/** Many connections of one server: whether all of them can be busy at the same time. What an idle one costs, memory.ts has found out. */
export async function runMany(
  engines: readonly Engine[],
  memory: readonly MemoryResult[],
  isQuick: boolean,
  progress: Progress,
): Promise<ManyResult[]> {
  const connections = isQuick ? 500 : 5000;
  const results: ManyResult[] = [];
  progress.plan(engines.length);
  for (const engine of engines) {
    progress.step(`${connections} busy connections, ${engine.label}`);
    const idle = memory.find((row) => row.engine === engine.name)!;
    results.push({
      trial: 'many',
      engine: engine.name,
      connections,
      idleRssKB: idle.rssKBPerConnection,
      idleHeapKB: idle.heapKBPerConnection,
      ...(await exchange(engine, connections)),
    });
  }
  return results;
}

async function exchange(
  engine: Engine,
  connections: number,
): Promise<{ errors: number; mbPerSecond: number }> {
  const job: MemoryJob = { engine: engine.name, cipher: mainCipher.name };
  const setup = { timeLimit: 600_000 };
  const server = new Child('many-server', job, setup);
  const client = new Child('many-client', job, setup);
  return withChildren([client, server], async () => {
    client.send('connect', await server.expect('listening'));
    client.send('open', { count: connections });
    await client.expect('opened');
    client.send('start', {});
    const { errors, seconds, megabytes } = await client.expect('exchanged');
    return { errors, mbPerSecond: round(megabytes / seconds) };
  });
}
