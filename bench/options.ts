import { parseArgs } from 'node:util';
import { buffers } from './buffers.js';
import { ciphers } from './ciphers.js';
import { engines } from './engines.js';
import { messageOf } from './error-message.js';

export const sections = ['bulk', 'small', 'handshake', 'memory', 'https', 'workers', 'many', 'ssh'] as const;
export type Section = (typeof sections)[number];
/** Those that take minutes, or packages, and run only if they are asked for. */
const further: readonly Section[] = ['many', 'ssh'];
/** Too long for --quick. */
const long: readonly Section[] = ['workers'];

export interface BenchOptions {
  readonly json: boolean;
  readonly markdown: boolean;
  readonly quick: boolean;
  readonly sizeMB: number;
  readonly repeat: number;
  /** null: all of them. */
  readonly engines: readonly string[] | null;
  readonly ciphers: readonly string[] | null;
  readonly buffers: readonly string[] | null;
  readonly only: readonly Section[];
}

const names = {
  engines: engines.map(({ name }) => name),
  ciphers: ciphers.map(({ name }) => name),
  buffers: buffers.map(({ name }) => name),
};

export const help = `Usage: npm run bench -- [options] [section…]
       npm run -s bench -- --json > result.json
       npm run bench -- paper [--help]     the paper's experiment, in the lab

  --quick             under a minute: fewer rows, less data, fewer rounds, no workers
  --json              one JSON document on stdout (schema so-crypt-bench/1)
  --markdown          the table in Markdown
  --size MB           bytes of a bulk trial, in millions (100; quick: 32)
  --repeat N          rounds; the table shows medians (5; quick: 2)
  --only LIST         ${sections.join(', ')}; default all but ${further.join(' and ')}.
                      A section's name alone does the same
  --engine LIST       ${names.engines.join(', ')}
  --cipher LIST       ${names.ciphers.join(', ')}
  --buffer LIST       ${names.buffers.join(', ')}
  --help

Lists are separated by commas. Progress goes to stderr. Ratios need node:tls and net in the same run.
Exit status: 0 done, 1 a trial failed or bytes were wrong, 2 wrong usage.
`;

/** The command line is wrong; the message says how. */
export class UsageError extends Error {}

function list<T extends string>(option: string, value: string | undefined, known: readonly T[]): T[] | null {
  if (value === undefined) return null;
  const wanted = value
    .split(',')
    .map((item) => item.trim().toLowerCase())
    .filter((item) => item !== '');
  if (wanted.length === 0) throw new UsageError(`--${option} needs at least one of ${known.join(', ')}`);
  return wanted.map((item) => {
    const found = known.find((name) => name === item);
    if (found === undefined) {
      throw new UsageError(`--${option}: '${item}' is unknown; known are ${known.join(', ')}`);
    }
    return found;
  });
}

function count(option: string, value: string | undefined, preset: number, most: number): number {
  if (value === undefined) return preset;
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < 1 || number > most) {
    throw new UsageError(`--${option} takes a whole number from 1 to ${most}, not '${value}'`);
  }
  return number;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        markdown: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        size: { type: 'string' },
        repeat: { type: 'string' },
        only: { type: 'string' },
        engine: { type: 'string' },
        cipher: { type: 'string' },
        buffer: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

/** The options of a command line, or 'help'. */
export function parseOptions(args: readonly string[]): BenchOptions | 'help' {
  const { values, positionals } = parse(args);
  if (values.help) return 'help';
  const { json, markdown, quick } = values;
  if (json && markdown) throw new UsageError('--json and --markdown exclude each other');
  return {
    json,
    markdown,
    quick,
    sizeMB: count('size', values.size, quick ? 32 : 100, 1000),
    repeat: count('repeat', values.repeat, quick ? 2 : 5, 100),
    engines: list('engine', values.engine, names.engines),
    ciphers: list('cipher', values.cipher, names.ciphers),
    buffers: list('buffer', values.buffer, names.buffers),
    only:
      list('only', [values.only ?? [], positionals].flat().join(',') || undefined, sections) ??
      sections.filter((name) => !further.includes(name) && !(quick && long.includes(name))),
  };
}
