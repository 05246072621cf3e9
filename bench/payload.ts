import { createHash, randomFillSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The file that the senders send: random bytes, so that nothing on the way can compress or guess them. */
export class Payload {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly #directory: string;

  constructor(bytes: number) {
    this.#directory = mkdtempSync(join(tmpdir(), 'so-crypt-bench-'));
    this.path = join(this.#directory, 'payload');
    this.bytes = bytes;
    const content = randomFillSync(Buffer.allocUnsafe(bytes));
    writeFileSync(this.path, content);
    this.sha256 = createHash('sha256').update(content).digest('hex');
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
