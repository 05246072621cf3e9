import { setTimeout as sleep } from 'node:timers/promises';
import { Child, withChildren } from './child.js';
import { mainCipher } from './ciphers.js';
import type { HandshakeResult } from './document.js';
import type { Engine } from './engines.js';
import type { HandshakeJob } from './handshake-job.js';
import type { Progress } from './progress.js';
import { median, ratio, round } from './statistics.js';

interface Sample {
  readonly perSecond: number;
  readonly serverCpuMs: number;
  readonly resumedShare: number;
}

interface Timing {
  readonly rounds: number;
  readonly warmupMs: number;
  readonly ms: number;
}

// A server runs for days: V8 takes some ten seconds to compile what a connection calls, of ours as of Node's.
const full: Timing = { rounds: 3, warmupMs: 10_000, ms: 4000 };
const quick: Timing = { rounds: 1, warmupMs: 500, ms: 1500 };

async function trial(engine: Engine, resume: boolean, timing: Timing): Promise<Sample> {
  const job: HandshakeJob = { engine: engine.name, cipher: mainCipher.name, resume, concurrency: 8 };
  const server = new Child('handshake-server', job);
  const client = new Child('handshake-client', job);
  return withChildren([client, server], async () => {
    client.send('connect', await server.expect('listening'));
    await sleep(timing.warmupMs);
    for (const child of [server, client]) child.send('start', {});
    await sleep(timing.ms);
    for (const child of [server, client]) child.send('stop', {});
    const [served, made] = await Promise.all([server.expect('handshakes'), client.expect('handshakes')]);
    if (served.count === 0 || made.count === 0)
      throw new Error(`${engine.label}: no handshake in ${timing.ms} ms`);
    return {
      perSecond: round(made.count / made.seconds),
      serverCpuMs: round(((served.cpu.user + served.cpu.system) * 1000) / served.count),
      resumedShare: round(made.resumed / made.count),
    };
  });
}

/** Handshakes of each engine's server, full and resumed. */
export async function runHandshakes(
  engines: readonly Engine[],
  isQuick: boolean,
  progress: Progress,
): Promise<HandshakeResult[]> {
  const timing = isQuick ? quick : full;
  const entries = (['full', 'resumed'] as const).flatMap((kind) =>
    engines.filter(({ encrypts }) => encrypts).map((engine) => ({ engine, kind, samples: [] as Sample[] })),
  );
  progress.plan(entries.length * timing.rounds);
  for (let round = 1; round <= timing.rounds; round++) {
    for (const { engine, kind, samples } of entries) {
      progress.step(`handshakes ${engine.label} ${kind}, round ${round} of ${timing.rounds}`);
      samples.push(await trial(engine, kind === 'resumed', timing));
    }
  }

  const medians = entries.map(({ engine, kind, samples }) => ({
    engine: engine.name,
    kind,
    perSecond: median(samples.map(({ perSecond }) => perSecond)),
    serverCpuMs: median(samples.map(({ serverCpuMs }) => serverCpuMs)),
    resumedShare: median(samples.map(({ resumedShare }) => resumedShare)),
    samples: samples.map(({ perSecond, serverCpuMs }) => ({ perSecond, serverCpuMs })),
  }));
  return medians.map(({ samples, ...entry }) => {
    const base = medians.find(({ engine, kind }) => engine === 'node:tls' && kind === entry.kind);
    return {
      ...entry,
      rateToNodeTls: ratio(entry.perSecond, base?.perSecond),
      cpuToNodeTls: ratio(entry.serverCpuMs, base?.serverCpuMs),
      samples,
    };
  });
}
