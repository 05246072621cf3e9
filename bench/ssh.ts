import { createRequire } from 'node:module';
import type { SshResult } from './document.js';
import type { Engine } from './engines.js';
import type { CpuTime } from './messages.js';
import { makeFolder, startSshd } from './openssh.js';
import type { BenchOptions } from './options.js';
import type { Progress } from './progress.js';
import { type SshJob, type SshOperation, sshOperations } from './ssh-job.js';
import { type SshSample, timeClient, timeOpenssh, timePair } from './ssh-trial.js';
import { median, ratio, round } from './statistics.js';

/** Ciphers in the order of the table, with the MAC that goes with them. */
const suites = [
  { cipher: 'aes128-gcm@openssh.com', mac: null },
  { cipher: 'chacha20-poly1305@openssh.com', mac: null },
  { cipher: 'aes128-ctr', mac: 'hmac-sha2-256' },
  { cipher: 'aes128-ctr', mac: 'hmac-sha2-256-etm@openssh.com' },
] as const;

type Suite = (typeof suites)[number];

interface Row {
  readonly operation: SshOperation;
  readonly suite: Suite;
  /** ssh2, openssh, or an engine. */
  readonly by: string;
  /** sshd, or the same as the client. */
  readonly server: 'sshd' | 'same';
}

function plan(engines: readonly Engine[], quick: boolean): Row[] {
  const chosen = quick ? suites.slice(0, 1) : suites;
  const rows: Row[] = [];
  for (const suite of chosen) {
    const names = engines.filter((engine) => engine.carriesSsh?.(suite.cipher)).map(({ name }) => name);
    for (const operation of sshOperations) {
      for (const by of ['openssh', 'ssh2', ...names]) rows.push({ operation, suite, by, server: 'sshd' });
      if (operation.startsWith('exec'))
        for (const by of ['ssh2', ...names]) rows.push({ operation, suite, by, server: 'same' });
    }
  }
  return rows;
}

const MB = 1e6;
// In the first ones V8's compilers take as much as the transfer does.
const warmupBytes = { full: 800 * MB, quick: 100 * MB } as const;

function jobOf({ operation, suite, by }: Row, folder: string, quick: boolean): SshJob {
  const bytes = (operation.startsWith('exec') ? 200 : 100) * MB;
  return {
    library: by,
    cipher: suite.cipher,
    mac: suite.mac,
    operation,
    bytes: quick ? bytes / 2 : bytes,
    warmup: Math.ceil((quick ? warmupBytes.quick : warmupBytes.full) / bytes),
    passes: 1,
    folder,
  };
}

function time(row: Row, job: SshJob, port: number): Promise<SshSample> {
  if (row.by === 'openssh') return timeOpenssh(job, port);
  return row.server === 'same' ? timePair(job) : timeClient(job, port);
}

/** Whether ssh2 has its native ciphers here: they make the larger part of the difference. */
export function nativeSsh2(): string {
  const { bindingAvailable } = createRequire(import.meta.url)('ssh2/lib/protocol/crypto.js') as {
    bindingAvailable: boolean;
  };
  return bindingAvailable
    ? 'ssh2 has its native binding (sshcrypto)'
    : 'ssh2 runs without its native binding';
}

/** All SSH trials of a run. `engines`: those that can carry SSH here. */
export async function runSsh(
  engines: readonly Engine[],
  options: BenchOptions,
  progress: Progress,
): Promise<SshResult[]> {
  const rows = plan(engines, options.quick).map((row) => ({ row, samples: [] as SshSample[] }));
  progress.plan(rows.length * options.repeat);
  const folder = makeFolder();
  const sshd = await startSshd(folder.path);
  try {
    // Round after round, as in bulk.ts.
    for (let turn = 1; turn <= options.repeat; turn++)
      for (const { row, samples } of rows) {
        progress.step(
          `ssh ${row.operation} ${row.by} ${row.suite.cipher}, round ${turn} of ${options.repeat}`,
        );
        samples.push(await time(row, jobOf(row, folder.path, options.quick), sshd.port));
      }
  } finally {
    sshd.stop();
    folder.remove();
  }
  const results = rows.map(({ row, samples }) => resultOf(row, samples, jobOf(row, '', options.quick).bytes));
  return results.map((result) => {
    const base = results.find((other) => other.by === 'ssh2' && isSameTrial(other, result));
    return {
      ...result,
      rateToSsh2: ratio(result.mbPerSecond, base?.mbPerSecond),
      cpuToSsh2: ratio(cpuOf(result.client), base && cpuOf(base.client)),
    };
  });
}

type Cost = NonNullable<SshResult['server']>;

const cpuOf = ({ userSecondsPerGB, systemSecondsPerGB }: Cost): number =>
  userSecondsPerGB + systemSecondsPerGB;

function isSameTrial(one: SshResult, other: SshResult): boolean {
  return (['operation', 'peer', 'cipher', 'mac'] as const).every((name) => one[name] === other[name]);
}

function resultOf({ operation, suite, by, server }: Row, samples: SshSample[], bytes: number): SshResult {
  const cost = (of: (sample: SshSample) => CpuTime | null): Cost | null => {
    const times = samples.map(of);
    if (times.includes(null)) return null;
    const perGB = (part: keyof CpuTime): number =>
      round((median(times.map((one) => one![part])) * 1e9) / bytes);
    return { userSecondsPerGB: perGB('user'), systemSecondsPerGB: perGB('system') };
  };
  return {
    trial: 'ssh',
    operation,
    by,
    peer: server === 'same' ? 'the same' : server,
    cipher: suite.cipher,
    mac: suite.mac,
    mbPerSecond: round(bytes / MB / median(samples.map(({ seconds }) => seconds))),
    client: cost(({ client }) => client)!,
    server: cost((sample) => sample.server),
    rateToSsh2: null,
    cpuToSsh2: null,
    samples: samples.map(({ seconds, client }) => ({
      mbPerSecond: round(bytes / MB / seconds),
      clientSecondsPerGB: round(((client.user + client.system) * 1e9) / bytes),
    })),
  };
}
