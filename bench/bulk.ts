import type { BulkJob } from './bulk-job.js';
import type { BulkRow } from './bulk-plan.js';
import { type BulkSample, type CallCount, countBulk, timeBulk } from './bulk-trial.js';
import { mainCipher } from './ciphers.js';
import type { BulkResult, BulkSampleResult, SideCost } from './document.js';
import type { CpuTime } from './messages.js';
import type { BenchOptions } from './options.js';
import type { Payload } from './payload.js';
import type { Progress } from './progress.js';
import { median, ratio, round } from './statistics.js';

interface Measured {
  readonly row: BulkRow;
  readonly samples: BulkSampleResult[];
  calls: CallCount | null;
}

// Bytes after which a pair is warm. V8 has optimised its code long before; what takes so much is memory: the receiver
// allocates a buffer per read, and until V8 has gone through some collections each of them is fresh memory, with a
// page fault per 4 KB that costs more than the socket does.
const warmupBytes = { full: 800e6, quick: 200e6 };
const passes = 4;
// Calls per MB don't depend on the size, and a traced call takes many times as long: enough for a good average.
const mostCounted = 16e6;
const mostCountedWrites = 16384;

/** Bytes of the run that counts the system calls. */
function countedBytes({ buffer }: BulkRow, payload: Payload): number {
  return Math.min(mostCounted, mostCountedWrites * buffer.bytes, payload.bytes);
}

function jobOf(row: BulkRow, payload: Payload, bytes: number, isQuick: boolean): BulkJob {
  return {
    engine: row.engine.name,
    cipher: (row.cipher ?? mainCipher).name,
    chunk: row.buffer.bytes,
    bytes,
    warmup: Math.ceil((isQuick ? warmupBytes.quick : warmupBytes.full) / payload.bytes),
    passes,
    file: payload.path,
  };
}

function perGB({ user, system }: CpuTime, bytes: number): BulkSampleResult['sender'] {
  return { userSecondsPerGB: round((user * 1e9) / bytes), systemSecondsPerGB: round((system * 1e9) / bytes) };
}

function sampleOf({ seconds, sender, receiver }: BulkSample, bytes: number): BulkSampleResult {
  return {
    mbPerSecond: round(bytes / 1e6 / seconds),
    sender: perGB(sender, bytes),
    receiver: perGB(receiver, bytes),
  };
}

function sideOf({ samples, calls }: Measured, side: 'sender' | 'receiver', counted: number): SideCost {
  return {
    userSecondsPerGB: round(median(samples.map((sample) => sample[side].userSecondsPerGB))),
    systemSecondsPerGB: round(median(samples.map((sample) => sample[side].systemSecondsPerGB))),
    syscallsPerMB: calls === null ? null : round((calls[side] * 1e6) / counted),
  };
}

export function rowName({ engine, cipher, buffer }: BulkRow): string {
  return [engine.label, cipher?.name, buffer.name].filter((part) => part !== undefined).join(' ');
}

/** All bulk trials of a run. */
export async function runBulk(
  rows: readonly BulkRow[],
  payload: Payload,
  options: BenchOptions,
  countCalls: boolean,
  progress: Progress,
): Promise<BulkResult[]> {
  const measured = rows.map((row): Measured => ({ row, samples: [], calls: null }));
  const traced = countCalls ? measured.filter(({ row }) => row.countCalls) : [];
  progress.plan(rows.length * options.repeat + traced.length);

  // Round after round through all rows: a machine that gets slower or faster meanwhile does so for all engines.
  for (let turn = 1; turn <= options.repeat; turn++) {
    for (const { row, samples } of measured) {
      progress.step(`bulk ${rowName(row)}, round ${turn} of ${options.repeat}`);
      samples.push(
        sampleOf(await timeBulk(jobOf(row, payload, payload.bytes, options.quick)), payload.bytes * passes),
      );
    }
  }

  for (const entry of traced) {
    progress.step(`system calls ${rowName(entry.row)}`);
    entry.calls = await countBulk(jobOf(entry.row, payload, countedBytes(entry.row, payload), options.quick));
  }

  const results = measured.map((entry): Omit<BulkResult, 'ratioToNodeTls' | 'ratioToNet'> => {
    const { row, samples } = entry;
    const counted = countedBytes(row, payload);
    return {
      trial: 'bulk',
      engine: row.engine.name,
      cipher: row.cipher?.name ?? null,
      protocol: row.cipher?.protocol ?? null,
      buffer: row.buffer.bytes,
      mbPerSecond: round(median(samples.map(({ mbPerSecond }) => mbPerSecond))),
      sender: sideOf(entry, 'sender', counted),
      receiver: sideOf(entry, 'receiver', counted),
      samples,
    };
  });

  const speed = (engine: string, cipher: string | null, buffer: number): number | undefined =>
    results.find((row) => row.engine === engine && row.cipher === cipher && row.buffer === buffer)
      ?.mbPerSecond;
  return results.map(({ samples, ...row }) => ({
    ...row,
    ratioToNodeTls: ratio(row.mbPerSecond, speed('node:tls', row.cipher, row.buffer)),
    ratioToNet: ratio(row.mbPerSecond, speed('net', null, row.buffer)),
    samples,
  }));
}
