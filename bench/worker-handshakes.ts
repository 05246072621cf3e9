import { setTimeout as sleep } from 'node:timers/promises';
import type { CredentialName } from './certificate.js';
import { Child, withChildren } from './child.js';
import { mainCipher } from './ciphers.js';
import type { WorkerHandshakeResult } from './document.js';
import type { Engine } from './engines.js';
import type { EventWait } from './event-wait.js';
import type { HandshakeJob } from './handshake-job.js';
import type { Progress } from './progress.js';
import { median, ratio, round } from './statistics.js';

interface Sample {
  readonly perSecond: number;
  readonly serverCpuMs: number;
  readonly mainCpuMs: number | null;
  readonly loopDelayP99Ms: number;
  readonly eventWaitMs: EventWait;
}

const WORKERS = 2;

/**
 * At the same time. Few: the one process of clients is the bottleneck, and the server has time between its events. Many, as after a
 * restart: all that they send is there at once.
 */
const CLIENTS = [64, 1000] as const;

function medianWait(samples: readonly Sample[], percentile: keyof EventWait): number {
  return round(median(samples.map(({ eventWaitMs }) => eventWaitMs[percentile])));
}

async function trial(job: HandshakeJob, ms: number): Promise<Sample> {
  const server = new Child('handshake-server', job);
  const client = new Child('handshake-client', job);
  return withChildren([client, server], async () => {
    client.send('connect', await server.expect('listening'));
    await server.expect('warm');
    for (const child of [server, client]) child.send('start', {});
    await sleep(ms);
    for (const child of [server, client]) child.send('stop', {});
    const [served, made] = await Promise.all([server.expect('handshakes'), client.expect('handshakes')]);
    if (served.count === 0) throw new Error(`${job.engine}: no handshake in ${ms} ms`);
    if (job.resume !== made.resumed > made.count / 2)
      throw new Error(`${job.engine}: ${made.resumed} of ${made.count} handshakes were resumed`);
    server.send('watch', {});
    await sleep(ms);
    server.send('stop', {});
    const { eventWait, loopDelayP99 } = await server.expect('waits');
    const each = (seconds: number): number => round((seconds * 1000) / served.count);
    return {
      perSecond: round(served.count / served.seconds),
      serverCpuMs: each(served.cpu.user + served.cpu.system),
      mainCpuMs: served.mainCpu === undefined ? null : each(served.mainCpu),
      loopDelayP99Ms: round(loopDelayP99),
      eventWaitMs: eventWait,
    };
  });
}

/** node:tls, and so-crypt without and with handshake workers, by turns. */
export async function runWorkerHandshakes(
  engines: readonly Engine[],
  { quick, repeat }: { quick: boolean; repeat: number },
  progress: Progress,
): Promise<WorkerHandshakeResult[]> {
  const servers = engines
    .filter(({ name }) => name === 'node:tls' || name === 'evp')
    .flatMap(({ name, label }) =>
      (name === 'evp' ? [0, WORKERS] : [0]).map((workers) => ({ name, label, workers })),
    );
  const clientCounts = quick ? CLIENTS.slice(0, 1) : CLIENTS;
  const entries = clientCounts.flatMap((clients) =>
    (['p256', 'rsa2048'] as const satisfies CredentialName[]).flatMap((certificate) =>
      (['full', 'resumed'] as const).flatMap((kind) =>
        servers.map((server) => ({ ...server, clients, certificate, kind, samples: [] as Sample[] })),
      ),
    ),
  );
  const rounds = quick ? 1 : Math.min(repeat, 3);
  progress.plan(entries.length * rounds);
  for (let i = 1; i <= rounds; i++) {
    for (const { name, label, workers, clients, certificate, kind, samples } of entries) {
      progress.step(
        `handshakes ${label} + ${workers}, ${clients} clients, ${certificate} ${kind}, round ${i} of ${rounds}`,
      );
      const resume = kind === 'resumed';
      const job = {
        engine: name,
        cipher: mainCipher.name,
        resume,
        concurrency: clients,
        certificate,
        workers,
        // Compiled code, and all threads started, whatever the machine's speed.
        warmup: quick ? 300 : 8000,
      };
      samples.push(await trial(job, quick ? 1500 : 3000));
    }
  }

  const medians = entries.map(({ name, workers, clients, certificate, kind, samples }) => ({
    engine: name,
    workers,
    clients,
    certificate,
    kind,
    perSecond: median(samples.map(({ perSecond }) => perSecond)),
    serverCpuMs: median(samples.map(({ serverCpuMs }) => serverCpuMs)),
    mainCpuMs: samples.some(({ mainCpuMs }) => mainCpuMs === null)
      ? null
      : median(samples.map(({ mainCpuMs }) => mainCpuMs!)),
    loopDelayP99Ms: median(samples.map(({ loopDelayP99Ms }) => loopDelayP99Ms)),
    eventWaitMs: {
      p50: medianWait(samples, 'p50'),
      p90: medianWait(samples, 'p90'),
      p99: medianWait(samples, 'p99'),
    },
  }));
  return medians.map((row) => {
    const base = medians.find(
      ({ engine, clients, certificate, kind }) =>
        engine === 'node:tls' &&
        clients === row.clients &&
        certificate === row.certificate &&
        kind === row.kind,
    );
    return {
      ...row,
      rateToNodeTls: ratio(row.perSecond, base?.perSecond),
      mainCpuToNodeTls: ratio(row.mainCpuMs ?? undefined, base?.mainCpuMs ?? undefined),
      loopDelayToNodeTls: ratio(row.loopDelayP99Ms, base?.loopDelayP99Ms),
      eventWaitToNodeTls: ratio(row.eventWaitMs.p90, base?.eventWaitMs.p90),
      eventWaitP99ToNodeTls: ratio(row.eventWaitMs.p99, base?.eventWaitMs.p99),
    };
  });
}
