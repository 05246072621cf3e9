import { Alert } from '../alerts.js';
import type { Arming } from '../arm.js';
import type { ReadState } from '../crypt-options.js';
import { SoCryptError, type SoCryptErrorCode } from '../errors.js';
import { NO_SLOT, type Opener, OpenStatus } from '../native/records.js';
import { native } from '../native.js';
import { providerFailed } from '../provider-failure.js';
import { type Engine, Reader, type RecordSink } from '../records/direction.js';
import { allocateOutput, SMALL_OUTPUT, small } from './output.js';

/** The read direction of a socket on a userland engine. */
export class RecordReader extends Reader {
  readonly engine: Engine;
  /** Undefined: nobody has needed an object yet, and the number is all that there is. */
  #opener: Opener | undefined;
  /** What native.open knows it by. */
  #slot: number;
  readonly #isCbc: boolean;
  /** Takes what comes; it opens by itself. */
  divert: ((bytes: Uint8Array) => void) | undefined;
  #stashed = 0;

  /** @param made in place of the secret, a number that a handshake has made */
  constructor(arming: Arming & { read: object }, engine: Engine, made?: number) {
    super(arming);
    this.engine = engine;
    const { pattern, secret, sequence } = arming.read;
    if (made !== undefined) this.#opener = undefined;
    else if (pattern === undefined) this.#opener = new native.Opener(arming.read);
    else this.#opener = new native.Opener(pattern, secret, sequence);
    this.#slot = made ?? this.#opener!.slot;
    this.#isCbc = arming.facts.mode === 'cbc';
  }

  /** Undefined: it has been disposed of. */
  get opener(): Opener | undefined {
    if (this.#opener === undefined && this.#slot !== NO_SLOT) this.#opener = new native.Opener(this.#slot);
    return this.#opener;
  }

  state(): ReadState {
    const { engine, closed, truncated, keyUpdates } = this;
    const { sequence = 0n, frames = 0 } = this.opener ?? {};
    return { engine, sequence, records: BigInt(frames), keyUpdates, closed, truncated };
  }

  /** Bytes of an unfinished record. */
  get stashed(): number {
    return this.#stashed;
  }

  /** Bytes that the unfinished record lacks, or its header does; 0 between two records. */
  get missing(): number {
    return this.opener?.missing ?? 0;
  }

  /** The IV of the next record of a chained layout. */
  get iv(): Uint8Array {
    return this.opener!.iv;
  }

  get updateHint(): string {
    return 'Arm TLS 1.3 with the traffic secret in read.secret';
  }

  get usedKeys(): Uint8Array {
    return this.opener!.usedKeys;
  }

  open(input: Uint8Array, length: number, sink: RecordSink): void {
    const last = this.openLast(input, length, sink);
    if (last !== undefined) sink.onData(last);
  }

  override openLast(input: Uint8Array, length: number, sink: RecordSink): Buffer | undefined {
    if (this.divert !== undefined) {
      this.divert(input.subarray(0, length));
      return undefined;
    }
    const { result } = native;
    for (let start = 0; ; ) {
      const least = this.#stashed + length - start;
      const isSmall = least <= SMALL_OUTPUT;
      const output = isSmall ? small.reserve(least) : allocateOutput(least);
      const at = isSmall ? small.taken : 0;
      const status = native.open(this.#slot, input, start, length, output, at);
      start += result[0]!;
      this.#stashed = result[4]!;
      const produced = result[1]!;
      const type = result[2]!;
      const end = at + produced;
      if (isSmall) small.keep(produced);
      let data: Buffer | undefined;
      if (produced > 0) data = produced === output.length ? output : output.subarray(at, end);
      if (status === OpenStatus.needMore) return data;
      if (data !== undefined) sink.onData(data);
      if (status === OpenStatus.control) {
        const content = Buffer.from(output.subarray(end, end + result[3]!));
        if (!sink.onControl(type, content)) return undefined;
      } else if (status < 0) {
        throw this.failureOf(status);
      }
    }
  }

  keyUpdate(): boolean {
    if (!this.opener?.updateKey()) return false;
    this.keyUpdates++;
    return true;
  }

  dispose(): void {
    this.#opener?.dispose();
    if (this.#opener !== undefined) return;
    native.disown(undefined, this.#slot);
    this.#slot = NO_SLOT; // it is another connection's from here on
  }

  /** @param status that opening has ended with */
  failureOf(status: number): SoCryptError {
    const make = (code: SoCryptErrorCode, message: string, alert: number) =>
      new SoCryptError(code, `${message} (record ${this.opener?.sequence} of ${this.protocol})`, { alert });
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
