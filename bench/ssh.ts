import { createRequire } from 'node:module';
import type { SshResult } from './document.js';
import type { Engine } from './engines.js';
import type { CpuTime } from './messages.js';
import { makeFolder, startSshd } from './openssh.js';
import type { BenchOptions } from './options.js';
import type { Progress } from './progress.js';
import { type SshJob, type SshOperation, sshOperations } from './ssh-job.js';
import { clientTrial, opensshTrial, pairTrial, type SshSample, type SshTrial } from './ssh-trial.js';
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

/** Rows that are measured by turns: their ratios are what counts. */
type Group = readonly Row[];

function plan(engines: readonly Engine[], quick: boolean): Group[] {
  const chosen = quick ? suites.slice(0, 1) : suites;
  const groups: Group[] = [];
  for (const suite of chosen) {
    const names = engines.filter((engine) => engine.carriesSsh?.(suite.cipher)).map(({ name }) => name);
    for (const operation of sshOperations) {
      const row = (by: string, server: Row['server']): Row => ({ operation, suite, by, server });
      groups.push(['openssh', 'ssh2', ...names].map((by) => row(by, 'sshd')));
      if (operation.startsWith('exec')) groups.push(['ssh2', ...names].map((by) => row(by, 'same')));
    }
  }
  return groups;
}

const MB = 1e6;
// As in bulk.ts.
const warmupBytes = { full: 800 * MB, quick: 100 * MB } as const;
/** Milliseconds for a row's processes: a fixed part, and one for each round of its group. */
const timeLimit = { fixed: 60_000, round: 15_000 } as const;

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

function begin(row: Row, job: SshJob, port: number, rounds: number): Promise<SshTrial> {
  const limit = timeLimit.fixed + rounds * timeLimit.round;
  if (row.by === 'openssh') return opensshTrial(job, port);
  return row.server === 'same' ? pairTrial(job, limit) : clientTrial(job, port, limit);
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

/**
 * All SSH trials of a run.
 *
 * @param engines those that can carry SSH here
 * @param fail hears why a row is missing
 */
export async function runSsh(
  engines: readonly Engine[],
  options: BenchOptions,
  progress: Progress,
  fail: (message: string) => void,
): Promise<SshResult[]> {
  const { quick, repeat } = options;
  const groups = plan(engines, quick);
  progress.plan(groups.flat().length * (repeat + 1));
  const folder = makeFolder();
  const sshd = await startSshd(folder.path);
  const results: SshResult[] = [];
  try {
    for (const group of groups) {
      const measured: { row: Row; job: SshJob; trial: SshTrial; samples: SshSample[] }[] = [];
      const nameOf = ({ operation, by, suite }: Row): string => `ssh ${operation} ${by} ${suite.cipher}`;
      for (const row of group) {
        progress.step(`${nameOf(row)}, warming up`);
        const job = jobOf(row, folder.path, quick);
        try {
          const trial = await begin(row, job, sshd.port, repeat);
          measured.push({ row, job, trial, samples: [] });
        } catch (error) {
          fail(`${nameOf(row)}: ${(error as Error).message}`);
        }
      }
      try {
        for (let turn = 1; turn <= repeat; turn++)
          for (const { row, trial, samples } of measured) {
            progress.step(`${nameOf(row)}, round ${turn} of ${repeat}`);
            samples.push(await trial.time());
          }
      } finally {
        await Promise.all(measured.map(({ trial }) => trial.stop()));
      }
      for (const { row, job, samples } of measured) results.push(resultOf(row, samples, job.bytes));
    }
  } finally {
    sshd.stop();
    folder.remove();
  }
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
