import type { ReadState } from '../crypt-options.js';
import { SoCryptError, type SoCryptErrorCode } from '../errors.js';
import { type SshOpener, SshOpenMode, SshOpenStatus, type SshSpec } from '../native/packets.js';
import { native } from '../native.js';
import { providerFailed } from '../provider-failure.js';
import { type Engine, Reader, type RecordSink } from '../records/direction.js';
import { keepOutput, shareOutput } from '../userland/output.js';
import type { SshArming } from './arm.js';
import { Disconnect } from './disconnect.js';
import type { Gathering } from './gathering.js';
import { keyLimit } from './userland-writer.js';

const NOTHING = Buffer.alloc(0);

/** Up to here the payloads of a read get memory of their own. */
const SMALL = 10_752;
/** Most bytes of a packet of ssh2's and OpenSSH's, 32 KB of data and what is around them. */
const PACKET = 33_792;

/** The read direction of SSH, whichever engine carries it. */
export abstract class PacketReader extends Reader {
  override readonly protocol = 'ssh';
  readonly updateHint = 'SSH changes keys by key exchange, and setCrypt behind SSH_MSG_NEWKEYS';

  constructor() {
    super({ protocol: 'ssh', truncation: 'error', onHandshakeMessage: undefined });
  }

  keyUpdate(): boolean {
    return false;
  }
}

/** The read direction of SSH on a userland engine. */
export class UserlandPacketReader extends PacketReader {
  engine: Engine;
  #arming: Pick<SshArming, 'cipher' | 'mac'>;
  #opener: SshOpener;
  readonly #gathering: Gathering | undefined;
  readonly #used: Uint8Array[] = [];
  #stashed = 0;
  #missing = 0;
  /** SSH_MSG_NEWKEYS has been opened. */
  #waits = false;
  /** Every packet may be one, only the application can tell. */
  #oneByOne: boolean;
  #joins = false;
  #joined = 0;
  /** What came behind, not touched yet. */
  #held: Buffer = NOTHING;

  /** @param gathering told of each read */
  constructor(arming: SshArming, spec: SshSpec, engine: Engine, gathering?: Gathering) {
    super();
    this.#gathering = gathering;
    this.engine = engine;
    this.#arming = arming;
    this.#opener = new native.SshOpener(spec);
    this.#oneByOne = arming.newKeys === 'each';
  }

  state(): ReadState {
    const { sequence, packets } = this.#opener;
    const { engine, closed, truncated, keyUpdates } = this;
    const { cipher, mac } = this.#arming;
    return {
      engine,
      sequence: BigInt(sequence),
      records: BigInt(packets),
      keyUpdates,
      closed,
      truncated,
      cipher,
      mac,
    };
  }

  get usedKeys(): Uint8Array {
    return Buffer.concat([...this.#used, this.#opener.usedKeys]);
  }

  get stashed(): number {
    return this.#stashed + this.#held.length;
  }

  get missing(): number {
    return this.#missing;
  }

  /** Of the next packet, in the first of 16 bytes. */
  get iv(): Uint8Array {
    return this.#opener.iv;
  }

  override get isWaiting(): boolean {
    return this.#waits;
  }

  override get isHolding(): boolean {
    return this.#held.length > 0;
  }

  override get isOneByOne(): boolean {
    return this.#oneByOne;
  }

  /** Whether new keys may come now: the packet before them has been delivered, and nothing of the next one is opened. */
  get mayRekey(): boolean {
    return this.#waits || (this.#oneByOne && this.#stashed === 0);
  }

  /** See {@link SshDirectionKeys.newKeys}. */
  setOneByOne(on: boolean): void {
    this.#oneByOne = on;
    // What looked like SSH_MSG_NEWKEYS was a compressed payload.
    if (on) this.#waits = false;
  }

  /**
   * From now on, long SSH_MSG_CHANNEL_DATA of one channel that come one behind the other are delivered as one, and so is what is added to its
   * window: whoever knows channels has work with each, and who reads a channel sees a stream.
   */
  joinChannelMessages(): void {
    this.#joins = true;
  }

  /** Packets that were joined with others, since the last call. */
  takeJoined(): number {
    const joined = this.#joined;
    this.#joined = 0;
    return joined;
  }

  rekey(arming: SshArming, spec: SshSpec, opener: SshOpener, engine: Engine): void {
    if (spec.sequence === undefined) opener.setSequence(this.#opener.sequence);
    this.#used.push(Buffer.from(this.#opener.usedKeys));
    this.#opener.dispose();
    this.#opener = opener;
    this.#arming = arming;
    this.engine = engine;
    this.#oneByOne = arming.newKeys === 'each';
    this.#waits = false;
    this.#joined = 0;
    this.keyUpdates++;
  }

  override takeHeld(): Buffer {
    const held = this.#held;
    this.#held = NOTHING;
    return held;
  }

  open(input: Uint8Array, length: number, sink: RecordSink): void {
    this.#gathering?.onRead(length);
    const { result, sshPayloads } = native;
    if (this.#waits || this.#held.length > 0) {
      this.#held = Buffer.concat([this.#held, input.subarray(0, length)]);
      return;
    }
    const mode = this.#oneByOne ? SshOpenMode.one : this.#joins ? SshOpenMode.joined : SshOpenMode.all;
    for (let start = 0, isFull = false; ; ) {
      const left = length - start;
      const output = this.#outputFor(left, isFull);
      const status = this.#opener.open(input, start, length, mode, output);
      start += result[0]!;
      this.#stashed = result[2]!;
      this.#missing = result[3]!;
      this.#joined += result[4]!;
      const count = result[1]!;
      let end = 0;
      for (let i = 0; i < 2 * count; i += 2) {
        const offset = sshPayloads[i]!;
        end = offset + sshPayloads[i + 1]!;
        sink.onData(output.subarray(offset, end));
      }
      keepOutput(output, end);
      isFull = count === 0;
      if (status === SshOpenStatus.needMore) return;
      if (status < 0) throw this.#error(status);
      if (status === SshOpenStatus.newKeys) this.#waits = true;
      if (status === SshOpenStatus.newKeys || this.#oneByOne) {
        this.#held = Buffer.from(input.subarray(start, length));
        return;
      }
    }
  }

  /** @param isFull what was given for these bytes before has not taken a packet */
  #outputFor(left: number, isFull: boolean): Buffer {
    const most = this.#stashed + left;
    // Nothing is opened before the packet is whole.
    if (this.#missing > left) return NOTHING;
    if (most <= SMALL) return Buffer.allocUnsafe(most);
    return shareOutput(isFull ? most : Math.min(most, PACKET), most);
  }

  dispose(): void {
    this.#gathering?.stop();
    this.#opener.dispose();
    this.#held = NOTHING;
  }

  #error(status: number): SoCryptError {
    const make = (code: SoCryptErrorCode, message: string, disconnectReason: number) =>
      new SoCryptError(code, `${message} (packet ${this.#opener.sequence})`, { disconnectReason });
    switch (status) {
      case SshOpenStatus.badMac:
        return make('ERR_SO_CRYPT_BAD_RECORD_MAC', 'A packet is not authentic', Disconnect.macError);
      case SshOpenStatus.tooLong:
        return make(
          'ERR_SO_CRYPT_RECORD_OVERFLOW',
          'A packet is longer than allowed',
          Disconnect.protocolError,
        );
      case SshOpenStatus.badLength:
        return make('ERR_SO_CRYPT_BAD_RECORD', "A packet's length is impossible", Disconnect.protocolError);
      case SshOpenStatus.badPadding:
        return make('ERR_SO_CRYPT_BAD_RECORD', "A packet's padding is impossible", Disconnect.protocolError);
      case SshOpenStatus.limit:
        return keyLimit();
      default:
        return providerFailed(Disconnect.byApplication);
    }
  }
}
