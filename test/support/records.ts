import { isAead, openTls12, openTls13, sealTls12, sealTls13 } from './oracle-aead.js';
import { CbcOracle } from './oracle-cbc.js';
import type { Knobs, OpenedRecord, OracleKeys } from './oracle-keys.js';
import { contentType } from './oracle-keys.js';

/**
 * Seals and opens TLS records with node:crypto: simple, slow and written without a look at the library, which
 * is tested against it. One oracle is one direction.
 */
export class RecordOracle {
  readonly keys: OracleKeys;
  sequence: bigint;
  readonly #cbc: CbcOracle | undefined;

  constructor(keys: OracleKeys) {
    this.keys = keys;
    this.sequence = BigInt(keys.sequence ?? 0);
    this.#cbc = isAead(keys.cipher) ? undefined : new CbcOracle(keys);
  }

  seal(type: number, text: Uint8Array | string, knobs: Knobs = {}): Buffer {
    const plaintext = Buffer.from(text as Uint8Array);
    const sequence = knobs.sequence ?? this.sequence++;
    if (this.#cbc !== undefined) return this.#cbc.seal(sequence, type, plaintext, knobs);
    return this.keys.protocol === 'tls1.3'
      ? sealTls13(this.keys, sequence, type, plaintext, knobs)
      : sealTls12(this.keys, sequence, type, plaintext, knobs);
  }

  data(text: Uint8Array | string, knobs: Knobs = {}): Buffer {
    return this.seal(contentType.applicationData, text, knobs);
  }

  /** A warning close_notify. */
  closeNotify(): Buffer {
    return this.seal(contentType.alert, Buffer.from([1, 0]));
  }

  /** One record of application data per `size` bytes. */
  stream(text: Uint8Array, size = 16_384): Buffer {
    const records: Buffer[] = [];
    for (let at = 0; at < text.length; at += size) records.push(this.data(text.subarray(at, at + size)));
    return Buffer.concat(records);
  }

  /** Throws when the record is not genuine. */
  open(record: Buffer): OpenedRecord {
    const sequence = this.sequence++;
    if (this.#cbc !== undefined) return this.#cbc.open(sequence, record);
    return this.keys.protocol === 'tls1.3'
      ? openTls13(this.keys, sequence, record)
      : openTls12(this.keys, sequence, record);
  }

  /** Opens all the records of a stream, which has to end with a record's end. */
  openAll(stream: Buffer): OpenedRecord[] {
    return splitRecords(stream).map((record) => this.open(record));
  }
}

/** The records of a stream, as far as it has come. */
export function wholeRecords(stream: Buffer): Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; stream.length - at >= 5; at += records.at(-1)!.length) {
    const end = at + 5 + stream.readUInt16BE(at + 3);
    if (end > stream.length) break;
    records.push(stream.subarray(at, end));
  }
  return records;
}

/** Cuts a stream into records; throws when it ends within one. */
export function splitRecords(stream: Buffer): Buffer[] {
  const records = wholeRecords(stream);
  const rest = stream.length - records.reduce((sum, record) => sum + record.length, 0);
  if (rest > 0) throw new Error(`${rest} bytes at the end are no whole record`);
  return records;
}

/** The same bytes with one bit changed. */
export function flipBit(record: Uint8Array, bit: number): Buffer {
  const copy = Buffer.from(record);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}

/** The application data among opened records, joined. */
export function applicationData(records: readonly OpenedRecord[]): Buffer {
  return Buffer.concat(
    records.filter((record) => record.type === contentType.applicationData).map((record) => record.plaintext),
  );
}
