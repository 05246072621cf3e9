import { Alert } from '../alerts.js';
import type { Arming } from '../arm.js';
import type { ReadState } from '../crypt-options.js';
import { SoCryptError, type SoCryptErrorCode } from '../errors.js';
import { native, type Opener, OpenStatus } from '../native.js';
import { providerFailed } from '../provider-failure.js';
import { allocateOutput } from './output.js';

/** What {@link RecordReader.open} hands out, in the order of the stream. */
export interface RecordSink {
  /** Verified application data; a Buffer of its own. */
  onData(data: Buffer): void;
  /** A verified record of another type; its content is copied. False: read nothing more. */
  onControl(type: number, content: Buffer): boolean;
}

/** The read direction of a socket on a userland engine. */
export class RecordReader {
  readonly protocol: Arming['protocol'];
  readonly truncation: Arming['truncation'];
  readonly onHandshakeMessage: Arming['onHandshakeMessage'];
  closed = false;
  truncated = false;
  /** The beginning of a handshake message that continues in the next record. */
  handshake: Buffer | undefined;
  /** Records in a row that change nothing (TLS 1.2 warnings and renegotiation attempts). */
  idle = 0;
  readonly #opener: Opener;
  readonly #isCbc: boolean;
  #keyUpdates = 0;
  #stashed = 0;

  constructor(arming: Arming & { read: object }) {
    this.protocol = arming.protocol;
    this.truncation = arming.truncation;
    this.onHandshakeMessage = arming.onHandshakeMessage;
    this.#opener = new native.Opener(arming.read);
    this.#isCbc = arming.facts.mode === 'cbc';
  }

  state(): ReadState {
    const { sequence, frames } = this.#opener;
    const { closed, truncated } = this;
    return { sequence, records: BigInt(frames), keyUpdates: this.#keyUpdates, closed, truncated };
  }

  /** Bytes of an unfinished record. */
  get stashed(): number {
    return this.#stashed;
  }

  hasUsedKeyOf(other: RecordReader): boolean {
    return this.#opener.hasUsedKeyOf(other.#opener);
  }

  /**
   * Opens the records of input[0, length); what is left of one is kept for the next call.
   *
   * @throws SoCryptError for the first record that can't be opened; what came before it has been handed out
   */
  open(input: Uint8Array, length: number, sink: RecordSink): void {
    const { result } = native;
    for (let start = 0; ; ) {
      const output = allocateOutput(this.#stashed + length - start);
      const status = this.#opener.open(input, start, length, output);
      start += result[0]!;
      this.#stashed = result[4]!;
      const produced = result[1]!;
      const type = result[2]!;
      const end = produced + result[3]!;
      if (produced > 0) sink.onData(produced === output.length ? output : output.subarray(0, produced));
      if (status === OpenStatus.needMore) return;
      if (status === OpenStatus.control) {
        const content = Buffer.from(output.subarray(produced, end));
        if (!sink.onControl(type, content)) return;
      } else if (status < 0) {
        throw this.#error(status);
      }
    }
  }

  /** Goes over to the next key (RFC 8446 7.2). False: no traffic secret was given. */
  keyUpdate(): boolean {
    if (!this.#opener.updateKey()) return false;
    this.#keyUpdates++;
    return true;
  }

  /** Wipes the keys. */
  dispose(): void {
    this.#opener.dispose();
  }

  #error(status: number): SoCryptError {
    const make = (code: SoCryptErrorCode, message: string, alert: number) =>
      new SoCryptError(code, `${message} (record ${this.#opener.sequence} of ${this.protocol})`, { alert });
    switch (status) {
      case OpenStatus.badMac:
        return make('ERR_SO_CRYPT_BAD_RECORD_MAC', 'A record is not authentic', Alert.badRecordMac);
      case OpenStatus.overflow:
        return make('ERR_SO_CRYPT_RECORD_OVERFLOW', 'A record is longer than allowed', Alert.recordOverflow);
      case OpenStatus.badType:
      case OpenStatus.noType:
        return make(
          'ERR_SO_CRYPT_UNEXPECTED_RECORD',
          'A record has a type that must not come now',
          Alert.unexpectedMessage,
        );
      case OpenStatus.badHeader:
        return make(
          'ERR_SO_CRYPT_BAD_RECORD',
          "A record's header is not that of the protocol",
          Alert.protocolVersion,
        );
      case OpenStatus.badLength:
        // RFC 5246 7.2.2: no whole number of blocks is a bad_record_mac.
        return make(
          'ERR_SO_CRYPT_BAD_RECORD',
          "A record's length is impossible",
          this.#isCbc ? Alert.badRecordMac : Alert.decodeError,
        );
      case OpenStatus.provider:
        return providerFailed();
      case OpenStatus.limit:
        return make('ERR_SO_CRYPT_KEY_LIMIT', 'The sequence number has come to its end', Alert.internalError);
      default:
        return make('ERR_SO_CRYPT_BAD_RECORD', 'The peer does not send records', Alert.unexpectedMessage);
    }
  }
}
