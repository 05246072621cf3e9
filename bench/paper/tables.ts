import { median } from '../statistics.js';
import type { Table } from '../table.js';
import type { Transfer } from './lab.js';

/** The paper's file. */
const fileBytes = 100e6;

export const labels: Readonly<Record<string, string>> = {
  plain: 'TCP alone',
  evp: 'EVP',
  cryptodev: '/dev/crypto',
  'cryptodev-copy': '/dev/crypto, copying',
  so_crypt: 'in-kernel',
  ktls: 'ktls',
  'so_crypt:1': 'in-kernel, depth 1',
  'so_crypt:16': 'in-kernel, depth 16',
};

export const label = (way: string): string => labels[way] ?? way;

/** Medians of one way and buffer size. */
export interface SpeedRow {
  readonly way: string;
  readonly buffer: number;
  readonly mbPerSecond: number;
  /** Of a file of 100 MB, at this rate. */
  readonly secondsPerFile: number;
  readonly senderCpuMicrosPerFrame: number;
  readonly receiverCpuMicrosPerFrame: number;
  readonly toCryptodev: number | null;
  readonly toEvp: number | null;
  readonly samples: readonly number[];
}

const unique = <T>(list: readonly T[]): T[] => [...new Set(list)];
const round = (value: number, digits: number): number => Number(value.toFixed(digits));

export function speedRows(transfers: readonly Transfer[]): SpeedRow[] {
  const rates = (way: string, size: number) =>
    transfers.filter((it) => it.way === way && it.size === size).map((it) => it.bytes / 1e6 / it.seconds);
  const rate = (way: string, size: number) => {
    const all = rates(way, size);
    return all.length > 0 ? median(all) : null;
  };
  const ratio = (a: number, b: number | null) => (b === null ? null : round(a / b, 2));
  return unique(transfers.map(({ size }) => size)).flatMap((buffer) =>
    unique(transfers.map(({ way }) => way)).map((way): SpeedRow => {
      const own = transfers.filter((it) => it.way === way && it.size === buffer);
      const mbPerSecond = rate(way, buffer)!;
      const micros = (side: 'sender' | 'receiver') =>
        round(median(own.map((it) => (it[side].cpuSeconds * 1e6) / it.frames)), 1);
      return {
        way,
        buffer,
        mbPerSecond: round(mbPerSecond, 2),
        secondsPerFile: round(fileBytes / 1e6 / mbPerSecond, 2),
        senderCpuMicrosPerFrame: micros('sender'),
        receiverCpuMicrosPerFrame: micros('receiver'),
        toCryptodev: ratio(mbPerSecond, rate('cryptodev', buffer)),
        toEvp: ratio(mbPerSecond, rate('evp', buffer)),
        samples: rates(way, buffer).map((it) => round(it, 2)),
      };
    }),
  );
}

export interface CountRow {
  readonly way: string;
  readonly buffer: number;
  readonly frames: number;
  /** Of the sender, a frame. */
  readonly systemCalls: number;
  readonly contextSwitches: number;
  readonly copiedBytes: number;
  /** Of all other tasks, a frame. */
  readonly otherSwitches: number;
}

export function countRows(transfers: readonly Transfer[]): CountRow[] {
  return transfers.map(({ way, size, frames, counts }) => {
    if (counts === null) throw new Error('nothing was counted');
    const each = (n: number) => round(n / frames, 3);
    return {
      way,
      buffer: size,
      frames,
      systemCalls: each(counts.calls),
      contextSwitches: each(counts.switches),
      copiedBytes: each(counts.copiedBytes),
      otherSwitches: each(counts.otherSwitches),
    };
  });
}

const times = (value: number | null): string => (value === null ? '-' : `${value.toFixed(2)}x`);

export function speedTable(title: string, legend: string, rows: readonly SpeedRow[]): Table {
  return {
    title,
    legend,
    left: 2,
    header: ['buffer', 'by', 'MB/s', 's for 100 MB', 'to /dev/crypto', 'to EVP', 'sender µs', 'receiver µs'],
    rows: rows.map((row) => [
      `${row.buffer / 1024}k`,
      label(row.way),
      row.mbPerSecond.toFixed(1),
      row.secondsPerFile.toFixed(2),
      times(row.toCryptodev),
      times(row.toEvp),
      row.senderCpuMicrosPerFrame.toFixed(0),
      row.receiverCpuMicrosPerFrame.toFixed(0),
    ]),
  };
}

export function countTable(title: string, legend: string, rows: readonly CountRow[]): Table {
  return {
    title,
    legend,
    left: 2,
    header: ['buffer', 'by', 'system calls', 'context switches', 'bytes copied', "others' switches"],
    rows: rows.map((row) => [
      `${row.buffer / 1024}k`,
      label(row.way),
      row.systemCalls.toFixed(2),
      row.contextSwitches.toFixed(2),
      row.copiedBytes.toFixed(0),
      row.otherSwitches.toFixed(2),
    ]),
  };
}
