import { createRequire } from 'node:module';
import type { SshResult } from './document.js';
import type { Engine } from './engines.js';
import { messageOf } from './error-message.js';
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

function trialOf(row: Row, job: SshJob, port: number, rounds: number): SshTrial {
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

/** One group, round after round. A row that fails is left out from there on. */
async function runGroup(
  group: Group,
  { quick, repeat }: BenchOptions,
  { folder, port }: { folder: string; port: number },
  progress: Progress,
  fail: (message: string) => void,
): Promise<SshResult[]> {
  const all = group.map((row) => {
    const job = jobOf(row, folder, quick);
    const name = `ssh ${row.operation} ${row.by} ${row.suite.cipher}`;
    return { row, job, name, trial: trialOf(row, job, port, repeat), samples: [] as SshSample[] };
  });
  const running = new Set(all);
  const forEach = async (
    what: string,
    run: (one: (typeof all)[number]) => Promise<unknown>,
  ): Promise<void> => {
    for (const one of running) {
      progress.step(`${one.name}, ${what}`);
      try {
        await run(one);
      } catch (error) {
        running.delete(one);
        fail(`${one.name}: ${messageOf(error)}`);
      }
    }
  };
  try {
    await forEach('warming up', ({ trial }) => trial.warm());
    for (let turn = 1; turn <= repeat; turn++)
      await forEach(`round ${turn} of ${repeat}`, async ({ trial, samples }) =>
        samples.push(await trial.time()),
      );
  } finally {
    await Promise.all(all.map(({ trial }) => trial.stop()));
  }
  return [...running].map(({ row, job, samples }) => resultOf(row, samples, job.bytes));
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
  const groups = plan(engines, options.quick);
  progress.plan(groups.flat().length * (options.repeat + 1));
  const folder = makeFolder();
  const sshd = await startSshd(folder.path);
  const results: SshResult[] = [];
  try {
    const server = { folder: folder.path, port: sshd.port };
    for (const group of groups) results.push(...(await runGroup(group, options, server, progress, fail)));
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
