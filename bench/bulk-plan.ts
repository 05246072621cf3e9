import { type BufferSize, buffers } from './buffers.js';
import { type BenchCipher, ciphers, mainCipher } from './ciphers.js';
import type { Engine } from './engines.js';
import type { BenchOptions } from './options.js';

/** One row of the table. `cipher` is null for plain TCP, which is measured once per buffer size. */
export interface BulkRow {
  readonly engine: Engine;
  readonly cipher: BenchCipher | null;
  readonly buffer: BufferSize;
  /** Whether the system calls are counted too, which takes a run of its own. */
  readonly countCalls: boolean;
}

const quickBuffers = ['64k', '16k', '4k', '256'];
const quickOtherCiphers = ['chacha20-poly1305', 'aes-128-cbc-sha'];

function isQuick(cipher: BenchCipher, buffer: BufferSize): boolean {
  if (cipher === mainCipher) return quickBuffers.includes(buffer.name);
  return quickOtherCiphers.includes(cipher.name) && buffer.name === '16k';
}

/** The rows of a run, in the order in which each round goes through them: engines next to each other. */
export function planBulk(options: BenchOptions, engines: readonly Engine[]): BulkRow[] {
  // Asking for a cipher or a buffer size is asking for more than the quick selection of them.
  const reduce = options.quick && options.ciphers === null && options.buffers === null;
  const rows: BulkRow[] = [];
  for (const buffer of buffers) {
    if (options.buffers !== null && !options.buffers.includes(buffer.name)) continue;
    const wanted = ciphers.filter(
      (cipher) => (options.ciphers?.includes(cipher.name) ?? true) && (!reduce || isQuick(cipher, buffer)),
    );
    if (wanted.length === 0) continue;

    const countCalls = (cipher: BenchCipher): boolean =>
      cipher === mainCipher
        ? !reduce || buffer.name !== '4k'
        : !reduce && ['16k', '64k'].includes(buffer.name);
    for (const engine of engines.filter(({ encrypts }) => !encrypts)) {
      rows.push({ engine, cipher: null, buffer, countCalls: wanted.some(countCalls) });
    }
    for (const cipher of wanted) {
      for (const engine of engines.filter(({ encrypts }) => encrypts)) {
        rows.push({ engine, cipher, buffer, countCalls: countCalls(cipher) });
      }
    }
  }
  return rows;
}
