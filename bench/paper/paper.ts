import { parseArgs } from 'node:util';
import { messageOf } from '../error-message.js';
import { describeMachine, type Machine } from '../machine.js';
import { UsageError } from '../options.js';
import type { Progress } from '../progress.js';
import { markdown, plainText } from '../table.js';
import { inLab, type LabJob } from './lab.js';
import {
  type CountRow,
  countRows,
  countTable,
  label,
  type SpeedRow,
  speedRows,
  speedTable,
} from './tables.js';

// The experiment of Burnside and Keromytis (2003, IV.C): a file encrypted and sent over TCP in buffers of 4, 8 and 16 KB, by EVP, by /dev/crypto
// and in the kernel, on a CPU without AES instructions beside an accelerator; and on one with them, without accelerator.

export const paperHelp = `Usage: npm run bench -- paper [options]

The paper's experiment in the lab (QEMU): AES-128-CBC with HMAC-SHA-1, TLS 1.2 records, from one process to another.

  --size MB           of the file that is sent (16); what 100 MB would take is computed from it
  --repeat N          rounds; the tables show medians (3)
  --quick             one round of 1 MB
  --only LIST         accelerator, counts, instructions, gcm
  --json              one JSON document on stdout (schema so-crypt-paper/1)
  --markdown          the tables in Markdown
`;

/** The JSON document; fields may be added. */
export interface PaperDocument {
  readonly schema: 'so-crypt-paper/1';
  readonly machine: Machine;
  readonly fileMB: number;
  readonly rounds: number;
  /** virtio-crypto, OpenSSL without AES instructions; wall clock. */
  readonly accelerator: readonly SpeedRow[];
  /** The sender's, on the same machine. */
  readonly counts: readonly CountRow[];
  /** No accelerator, AES instructions; one CPU whose clock advances 1 ns an instruction. */
  readonly instructions: readonly SpeedRow[];
  /** The same with AES-128-GCM, which kernel TLS can do, too. */
  readonly gcm: readonly SpeedRow[];
  readonly seconds: number;
}

const parts = ['accelerator', 'counts', 'instructions', 'gcm'] as const;
const ways = ['evp', 'cryptodev', 'so_crypt:1', 'so_crypt:16'];

export const counting = {
  accelerator: true,
  icount: false,
  count: true,
  driver: 'virtio_crypto_aes_cbc',
  capabilities: null,
  file: '256SIZE',
  rounds: 1,
  sizes: [4096, 8192, 16384],
  ways: ['evp', 'cryptodev', 'cryptodev-copy', 'so_crypt:1', 'so_crypt'],
} as const satisfies LabJob;

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        size: { type: 'string' },
        repeat: { type: 'string' },
        only: { type: 'string', default: parts.join(',') },
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        markdown: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

function number(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new UsageError(`--${name} takes a positive number, not '${text}'`);
  return value;
}

export async function runPaper(args: readonly string[], progress: Progress): Promise<string> {
  const values = parse(args);
  if (values.help) return paperHelp.trimEnd();
  const only = values.only.split(',');
  for (const part of only)
    if (!(parts as readonly string[]).includes(part))
      throw new UsageError(`--only: '${part}' is unknown; known are ${parts.join(', ')}`);
  const fileMB = number('size', values.size ?? (values.quick ? '1' : '16'));
  const rounds = number('repeat', values.repeat ?? (values.quick ? '1' : '3'));
  const base: LabJob = {
    ...{ accelerator: true, icount: false, count: false, driver: 'virtio_crypto_aes_cbc' },
    // Without AES-NI, and without PCLMULQDQ, which came with it.
    ...{ capabilities: '~0x200000200000000', sizes: [4096, 8192, 16384], rounds },
    ...{ file: String(fileMB * 1e6), ways: ['plain', ...ways, 'so_crypt', 'cryptodev-copy'] },
  };
  const plain: LabJob = { ...base, accelerator: false, icount: true, driver: 'cbc(aes)', capabilities: null };
  const gcm: LabJob = {
    ...plain,
    gcm: true,
    driver: 'gcm(aes)',
    ways: ['evp', 'cryptodev', 'so_crypt', 'ktls'],
  };
  const jobs = {
    accelerator: base,
    counts: counting,
    instructions: { ...plain, rounds: 1 },
    gcm: { ...gcm, rounds: 1 },
  };
  const start = Date.now();
  progress.plan(
    only.reduce((sum, part) => {
      const { rounds: n, sizes, ways: w } = jobs[part as keyof typeof jobs];
      return sum + n * sizes.length * w.length;
    }, 0),
  );
  const run = async (part: keyof typeof jobs) =>
    only.includes(part)
      ? inLab(jobs[part], ({ way, size }) => progress.step(`${part}: ${label(way)}, ${size / 1024}k`))
      : [];
  const document: PaperDocument = {
    schema: 'so-crypt-paper/1',
    machine: await describeMachine(),
    fileMB,
    rounds,
    accelerator: speedRows(await run('accelerator')),
    counts: countRows(await run('counts')),
    instructions: speedRows(await run('instructions')),
    gcm: speedRows(await run('gcm')),
    seconds: 0,
  };
  const whole = { ...document, seconds: Math.round((Date.now() - start) / 1000) };
  return values.json ? JSON.stringify(whole, null, 2) : present(whole, values.markdown);
}

function present(document: PaperDocument, inMarkdown: boolean): string {
  const { machine, fileMB, rounds, accelerator, counts, instructions, gcm, seconds } = document;
  const head = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.kernel}; in QEMU's software emulation, Linux 6.1`,
    `commit ${machine.commit ?? 'unknown'}, ${machine.date}, ${fileMB} MB a transfer, ${seconds} s`,
  ];
  const tables = [
    speedTable(
      'A CPU without AES instructions, and an accelerator (virtio-crypto)',
      `Medians of ${rounds} rounds. µs: CPU time of a process a frame, without the kernel's threads, which compute MACs from depth 2 on; the MAC is software everywhere.`,
      accelerator,
    ),
    countTable(
      "What a frame makes the kernel do, of the sender's",
      "Counted by tracing. 'copying' is the paper's /dev/crypto: data copied in and out; ours works on the program's pages.",
      counts,
    ),
    speedTable(
      'AES instructions, no accelerator',
      'By the clock of instructions: 1 ns each, one CPU for both processes, so what it says repeats.',
      instructions,
    ),
    speedTable(
      'The same with AES-128-GCM',
      'Without a MAC of its own, what is left is the way of the data.',
      gcm,
    ),
  ].filter(({ rows }) => rows.length > 0);
  return `${head.join(inMarkdown ? '  \n' : '\n')}\n\n${tables.map(inMarkdown ? markdown : plainText).join('\n')}`;
}
