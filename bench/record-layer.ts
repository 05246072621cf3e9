import type { Opener, Sealer } from '../lib/native.js';
import type { BenchCipher } from './ciphers.js';
import { cryptOf, randomKeys } from './record-keys.js';

/** so-crypt's record layer without a socket: both directions under the same keys. */
export interface RecordLayer {
  readonly sealer: Sealer;
  readonly opener: Opener;
  /** Back to the first record, for both. */
  rewind(): void;
}

// Content type of application data (RFC 8446 5.1).
export const applicationData = 23;

/** Loads the addon at run time: where it was never built, only those who ask for it fail. */
export async function createRecordLayer(cipher: BenchCipher): Promise<RecordLayer> {
  const { native } = await import('../lib/native.js');
  const { validate } = await import('../lib/arm.js');
  const keys = randomKeys(cipher);
  const { write, read } = validate({ ...cryptOf(cipher), write: keys, read: keys });
  if (write === undefined || read === undefined) throw new Error('both directions were asked for');
  // A bench seals more records under one key than any connection may.
  const limit = 2n ** 64n - 1n;
  const sealer = new native.Sealer({ ...write, limit });
  const opener = new native.Opener({ ...read, limit });
  return {
    sealer,
    opener,
    rewind() {
      sealer.rekey(write.key, write.iv);
      opener.rekey(read.key, read.iv);
    },
  };
}
