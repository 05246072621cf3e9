import type { CryptOptions } from '../lib/crypt-options.js';
import type { Opener, Sealer } from '../lib/native/records.js';
import type { BenchCipher } from './ciphers.js';
import { cryptOf, randomKeys } from './record-keys.js';

/** so-crypt's record layer without a socket: both directions under the same keys. */
export interface RecordLayer {
  readonly sealer: Sealer;
  /** An opener that expects the sealer's first record. */
  createOpener(): Opener;
}

// Content type of application data (RFC 8446 5.1).
export const applicationData = 23;

/** Loads the addon at run time: where it was never built, only those who ask for it fail. */
export async function createRecordLayer(
  cipher: BenchCipher,
  engine: Pick<CryptOptions, 'engine' | 'driver' | 'maxFragment'> = {},
): Promise<RecordLayer> {
  const { native } = await import('../lib/native.js');
  const { validate } = await import('../lib/arm.js');
  const keys = randomKeys(cipher);
  const { write, read } = validate({ ...cryptOf(cipher), ...engine, write: keys, read: keys });
  if (write === undefined || read === undefined) throw new Error('both directions were asked for');
  // A bench seals more records under one key than any connection may.
  const limit = Number.MAX_SAFE_INTEGER;
  return {
    sealer: new native.Sealer({ ...write, limit }),
    createOpener: () => new native.Opener({ ...read, limit }),
  };
}
