import { ContentType } from '../frame-layouts.js';
import { HelloParser } from './hello.js';
import { recordsIn } from './records.js';

/** What went over the wire in one direction of a handshake, as far as the record layer must know. */
export class Transcript {
  readonly hello = new HelloParser();
  /** Records behind ChangeCipherSpec: in TLS 1.2 and before, those that used up a sequence number. */
  encrypted = 0;
  /** The last of them (TLS 1.2 and before). */
  last: Buffer | undefined;
  #changed = false;

  /** @param bytes whole records */
  add(bytes: Buffer): void {
    for (const record of recordsIn(bytes)) {
      const type = record[0];
      if (type === ContentType.changeCipherSpec) this.#changed = true;
      else if (this.#changed) {
        this.encrypted++;
        this.last = record;
      } else if (type === ContentType.handshake) this.hello.push(record.subarray(5));
    }
  }
}
