import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { CryptOptions } from '../lib/crypt-options.js';
import { OpenStatus } from '../lib/native/records.js';
import { native } from '../lib/native.js';
import { cipherByName } from './ciphers.js';
import { applicationData, createRecordLayer } from './record-layer.js';

// What a record costs an engine's record layer when a call brings one record, or several. Nanoseconds; with the instruction clock of
// `npm run vm -- --icount` they are instructions.
const usage = `Usage: node dist/bench/records.js [options]

  --engine NAME       a userland engine (evp)
  --driver NAME       of the engine
  --cipher NAME       a cipher of the bench (aes-128-gcm)
  --bytes N           plaintext of a record (16384)
  --records LIST      records in a call (1,8,16)
  --total MB          plaintext of each measurement, in millions of bytes (8)
`;

const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'evp' },
    driver: { type: 'string' },
    cipher: { type: 'string', default: 'aes-128-gcm' },
    bytes: { type: 'string', default: '16384' },
    records: { type: 'string', default: '1,8,16' },
    total: { type: 'string', default: '8' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(usage);
  process.exit();
}

const bytes = Number(values.bytes);
const total = Number(values.total) * 1e6;
const engine = {
  engine: values.engine as NonNullable<CryptOptions['engine']>,
  ...(values.driver && { driver: values.driver }),
};
const { sealer, createOpener } = await createRecordLayer(cipherByName(values.cipher), {
  ...engine,
  maxFragment: bytes,
});
// It opens what the sealer seals, all of it in order.
const opener = createOpener();

function measure(records: number, calls: number) {
  const plain = randomBytes(bytes * records);
  const sealed = Buffer.alloc((bytes + 512) * (records + 2));
  const opened = Buffer.alloc(sealed.length);
  const spent = { seal: 0n, open: 0n };
  for (let i = 0; i < calls; i++) {
    const start = process.hrtime.bigint();
    const length = sealer.seal(applicationData, plain, sealed);
    const middle = process.hrtime.bigint();
    const status = length < 0 ? length : opener.open(sealed, 0, length, opened);
    const end = process.hrtime.bigint();
    if (status !== OpenStatus.needMore || native.result[1] !== plain.length)
      throw new Error(`status ${status}, ${native.failure() ?? ''}`);
    spent.seal += middle - start;
    spent.open += end - middle;
  }
  if (!opened.subarray(0, plain.length).equals(plain)) throw new Error('the bytes are not the same');
  const perRecord = (ns: bigint) => Math.round(Number(ns) / calls / records);
  return { seal: perRecord(spent.seal), open: perRecord(spent.open) };
}

console.log(
  `${values.engine}${values.driver ? ` ${values.driver}` : ''}, ${values.cipher}, ${bytes} bytes a record`,
);
console.log('records in a call   seal ns   open ns   MB/s sealed   MB/s opened');
for (const records of values.records.split(',').map(Number)) {
  const calls = Math.max(2, Math.round(total / bytes / records));
  measure(records, Math.ceil(calls / 4)); // Node's and the driver's first run
  const { seal, open } = measure(records, calls);
  const cells = [seal, open, Math.round((bytes * 1e3) / seal), Math.round((bytes * 1e3) / open)];
  console.log(
    `${String(records).padStart(17)}${cells.map((cell, i) => String(cell).padStart(i < 2 ? 10 : 14)).join('')}`,
  );
}
