import { randomBytes } from 'node:crypto';
import { OpenStatus } from '../lib/native/records.js';
import { native } from '../lib/native.js';
import type { BenchCipher } from './ciphers.js';
import { applicationData, createRecordLayer } from './record-layer.js';

/** seal and open of one size, each call as the socket makes it. */
export interface RecordOperations {
  seal(): void;
  open(): void;
}

const roomPerRecord = 512;
// Sealed in advance for open, which needs each record in its order. All of them together still fit into a cache, as
// what has just come from a socket does.
const bytesInAdvance = 1 << 20;

export async function recordOperations(cipher: BenchCipher, bytes: number): Promise<RecordOperations> {
  const sealing = await createRecordLayer(cipher);
  const opening = await createRecordLayer(cipher);
  const plain = randomBytes(bytes);
  const room = bytes + (Math.ceil(bytes / 16384) + 1) * roomPerRecord;
  const out = Buffer.allocUnsafeSlow(room);

  const sealed: Buffer[] = [];
  for (let i = 0; i < Math.max(16, Math.min(1024, bytesInAdvance / bytes)); i++) {
    const record = Buffer.allocUnsafeSlow(room);
    sealed.push(record.subarray(0, opening.sealer.seal(applicationData, plain, record)));
  }

  let opener = opening.createOpener();
  let next = 0;
  return {
    seal() {
      if (sealing.sealer.seal(applicationData, plain, out) < bytes) throw new Error('seal failed');
    },
    open() {
      const record = sealed[next++] as Buffer;
      const status = opener.open(record, 0, record.length, out);
      if (status !== OpenStatus.needMore || native.result[1] !== bytes) throw new Error(`open: ${status}`);
      // Once per round through the records; a median does not see it.
      if (next === sealed.length) {
        next = 0;
        opener.dispose();
        opener = opening.createOpener();
      }
    },
  };
}
