import type { CipherName } from '../../lib/crypt-options.js';
import { nextSecret, trafficKeys } from './keylog.js';
import { contentType, type OpenedRecord } from './oracle-keys.js';
import { RecordOracle, splitRecords } from './records.js';

/** One direction of TLS 1.3 through its KeyUpdates. */
export class Generations {
  readonly #cipher: CipherName;
  #secret: Uint8Array;
  /** For the present key. */
  oracle: RecordOracle;
  /** Data records under each key so far, the present one last; filled by {@link openAll}. */
  readonly counts: number[] = [0];
  /** request_update of each KeyUpdate that was opened. */
  readonly requests: number[] = [];

  constructor(cipher: CipherName, secret: Uint8Array) {
    this.#cipher = cipher;
    this.#secret = Buffer.from(secret);
    this.oracle = this.#make();
  }

  #make(): RecordOracle {
    const { key, iv } = trafficKeys(this.#cipher, this.#secret);
    return new RecordOracle({ protocol: 'tls1.3', cipher: this.#cipher, key, iv });
  }

  #next(): void {
    this.#secret = nextSecret(this.#cipher, this.#secret);
    this.oracle = this.#make();
    this.counts.push(0);
  }

  /** A KeyUpdate record; what is sealed after it is under the next key. */
  sealKeyUpdate(request: boolean): Buffer {
    const record = this.oracle.seal(contentType.handshake, keyUpdateMessage(request));
    this.#next();
    return record;
  }

  /** Opens records, changing the key at each KeyUpdate. */
  openAll(stream: Buffer): OpenedRecord[] {
    return splitRecords(stream).map((record) => {
      const opened = this.oracle.open(record);
      if (opened.type === contentType.handshake && opened.plaintext[0] === 24) {
        this.requests.push(opened.plaintext[4]!);
        this.#next();
      } else if (opened.type === contentType.applicationData) {
        this.counts[this.counts.length - 1]!++;
      }
      return opened;
    });
  }
}

/** RFC 8446 4.6.3. */
export function keyUpdateMessage(request: boolean): Buffer {
  return Buffer.from([24, 0, 0, 1, request ? 1 : 0]);
}
