import { spawn } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { own } from '../child.js';

// dist/bench/paper/lab.js
const root = fileURLToPath(new URL('../../../', import.meta.url));
const place = join(root, '.cache/paper');

/** One transfer, as transfer.c prints it. */
export interface Transfer {
  /** transfer.c's, with the depth behind a colon. */
  readonly way: string;
  readonly size: number;
  readonly bytes: number;
  readonly frames: number;
  readonly seconds: number;
  readonly sender: ProcessCost;
  readonly receiver: ProcessCost;
  /** Of the sender; null unless counted. */
  readonly counts: Counts | null;
}

export interface ProcessCost {
  readonly cpuSeconds: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
}

export interface Counts {
  readonly calls: number;
  readonly switches: number;
  /** Context switches of all other tasks: the receiver, the kernel's threads. */
  readonly otherSwitches: number;
  /** Between user and kernel. */
  readonly copiedBytes: number;
}

export interface LabJob {
  readonly accelerator: boolean;
  /** The clock of instructions. */
  readonly icount: boolean;
  /** Counts need the module `copied`, and slow everything down. */
  readonly count: boolean;
  /** The cipher's driver. */
  readonly driver: string;
  /** AES-128-GCM, else AES-128-CBC with HMAC-SHA-1. */
  readonly gcm?: boolean;
  /** OpenSSL's view of the sender's processor. */
  readonly capabilities: string | null;
  /** Bytes of the file, or `nSIZE`: n buffers. */
  readonly file: string;
  readonly rounds: number;
  readonly sizes: readonly number[];
  readonly ways: readonly string[];
  readonly kernel?: string;
  /** Seconds. */
  readonly timeout?: number;
}

function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  onLine: (line: string) => void,
): Promise<void> {
  const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  own(child);
  let [rest, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const line of lines) onLine(line);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ended (${signal ?? `code ${code}`}):\n${errors.slice(-4000)}`));
    });
  });
}

/** transfer.c, built for this machine, whose files the lab sees. */
async function program(): Promise<string> {
  mkdirSync(place, { recursive: true });
  const output = join(place, 'transfer');
  const sources = ['transfer.c', 'frame.c', 'count.c'].map((file) => join('bench/paper', file));
  const include = ['kernel-patch/linux/include/uapi', 'kernel-patch/linux/include/uapi/linux'].map(
    (folder) => `-I${folder}`,
  );
  const args = ['-O2', '-Wall', '-Wextra', '-Werror', ...include, '-o', output, ...sources, '-lcrypto'];
  await run('cc', args, process.env, () => {});
  return output;
}

/** The modules of this checkout and the one that counts copies. */
function modules(): string {
  const folder = join(place, 'modules');
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(root, 'kernel-patch/linux'), folder, { recursive: true });
  cpSync(join(root, 'bench/paper/copied'), join(folder, 'copied'), { recursive: true });
  appendFileSync(join(folder, 'Kbuild'), 'obj-m += copied/\n');
  return folder;
}

function parse(line: string): Transfer {
  const [way, ...words] = line.split(' ');
  const numbers = words.map(Number);
  if (![10, 14].includes(numbers.length) || numbers.some(Number.isNaN)) throw new Error(`not a row: ${line}`);
  const cost = (at: number): ProcessCost => ({
    cpuSeconds: numbers[at]!,
    voluntarySwitches: numbers[at + 1]!,
    involuntarySwitches: numbers[at + 2]!,
  });
  const [size, bytes, frames, seconds] = numbers as [number, number, number, number];
  const [calls, switches, otherSwitches, copiedBytes] = numbers.slice(10) as [number, number, number, number];
  const counts = numbers.length === 14 ? { calls, switches, otherSwitches, copiedBytes } : null;
  return { way: way!, size, bytes, frames, seconds, sender: cost(4), receiver: cost(7), counts };
}

/** All transfers of a job, in one boot of the lab; each was verified by its receiver. */
export async function inLab(
  job: LabJob,
  onTransfer: (done: Transfer) => void = () => {},
): Promise<Transfer[]> {
  const env: NodeJS.ProcessEnv = { ...process.env };
  const variables = [`DRIVER=${job.driver}`];
  if (job.capabilities) variables.push(`OPENSSL_ia32cap=${job.capabilities}`);
  if (job.gcm) variables.push('GCM=1');
  if (job.count) variables.push('COUNT=1');
  const options = [
    ...(job.accelerator ? ['--accelerator'] : []),
    ...(job.icount ? ['--icount'] : []),
    ...(job.count ? ['--modules', modules()] : []),
    ...(job.kernel ? ['--kernel', job.kernel] : []),
    '--timeout',
    String(job.timeout ?? 1800),
  ];
  const guest = [
    'sh',
    'bench/paper/guest.sh',
    await program(),
    job.file,
    String(job.rounds),
    job.sizes.join(' '),
  ];
  const transfers: Transfer[] = [];
  await run(
    process.execPath,
    ['test/vm/vm.mjs', ...options, 'env', ...variables, ...guest, ...job.ways],
    env,
    (line) => {
      const done = parse(line);
      transfers.push(done);
      onTransfer(done);
    },
  );
  return transfers;
}
