import { constants } from 'node:os';
import type { ReadState } from '../crypt-options.js';
import { SoCryptError } from '../errors.js';
import { ContentType } from '../frame-layouts.js';
import { type KernelPort, kernel, systemError } from '../kernel/port.js';
import { readPlain } from '../kernel/read-plain.js';
import type { ReaderHost } from '../kernel/reader.js';
import { soCrypt } from '../kernel/so-crypt.js';
import type { SshOpener } from '../native/packets.js';
import { native } from '../native.js';
import type { RecordSink } from '../records/direction.js';
import { allocateOutput } from '../userland/output.js';
import type { SshArming } from './arm.js';
import { sshCiphers } from './ciphers.js';
import { Disconnect } from './disconnect.js';
import type { SoCryptKey } from './kernel-writer.js';
import { PacketReader, UserlandPacketReader } from './reader.js';
import { keyLimit } from './userland-writer.js';

/** Bytes that one call can bring. */
const INBOX = 86_016;

/** Room for the longest payload. */
const LARGE = 262_144 + 64;

// So many calls in a row, then other connections have their turn.
const MOST_READS = 8;

/** enum ReceiveStatus of native/kernel/ssh_io.h. */
const Status = { nothing: 0, more: 1, newKeys: 2, end: 3 } as const;

// FIN in the middle of a packet.
const CUT_BY_FIN = -constants.errno.ECONNABORTED;

/**
 * The read direction of SSH in the kernel. Bytes that were read before the kernel has the key are opened here; then exactly as many are
 * read as the packet lacks whose beginning is among them, and the kernel goes on behind it.
 */
export class KernelPacketReader extends PacketReader {
  readonly engine = 'so_crypt';
  #key: SoCryptKey;
  readonly #port: KernelPort;
  readonly #host: ReaderHost;
  /** Opens what came before the kernel had the key. */
  #first: UserlandPacketReader | undefined;
  /** Of the first packet that the kernel opens, and of the key. */
  #firstSequence: number;
  #isArmed = false;
  #isReading = false;
  #ended = false;
  #isCut = false;
  #waits = false;
  readonly #used: Uint8Array[] = [];
  /** The beginning of a payload that is not whole yet. */
  #partial: Buffer | undefined;
  #packets = 0;
  readonly #readable = (): void => this.#read();

  constructor(key: SoCryptKey, port: KernelPort, host: ReaderHost) {
    super();
    this.#key = key;
    this.#port = port;
    this.#host = host;
    this.#firstSequence = key.firstSequence ?? 0;
  }

  /**
   * Begins.
   *
   * @param unread packets have been read already: `open` will get them
   * @throws SoCryptError; nothing has changed
   */
  begin(arming: SshArming, unread: boolean): void {
    if (unread) {
      this.#first = new UserlandPacketReader(arming, arming.read!, this.engine);
      return;
    }
    const result = this.#arm();
    if (result < 0) throw soCrypt.armingError(result, 'read');
  }

  get usedKeys(): Uint8Array {
    return Buffer.concat([...this.#used, this.#key.usedKeys]);
  }

  get stashed(): number {
    return (this.#first?.stashed ?? 0) + (this.#partial?.length ?? 0) + (this.#isCut ? 1 : 0);
  }

  override get isWaiting(): boolean {
    return this.#first?.isWaiting ?? this.#waits;
  }

  override get isHolding(): boolean {
    return this.#first?.isHolding ?? false;
  }

  get mayRekey(): boolean {
    return this.isWaiting;
  }

  override takeHeld(): Buffer {
    return this.#first!.takeHeld();
  }

  state(): ReadState {
    const { engine, closed, truncated, keyUpdates } = this;
    const { cipher, mac } = this.#key.arming;
    const first = this.#first?.state();
    const sequence = first?.sequence ?? BigInt(this.#sequence());
    const records = first?.records ?? BigInt(this.#packets);
    return { engine, sequence, records, keyUpdates, closed, truncated, cipher, mac };
  }

  open(input: Uint8Array, length: number, sink: RecordSink): void {
    this.#first!.open(input, length, sink);
  }

  /** @param opener where bytes under the new key have been read already */
  rekey(arming: SshArming, key: SoCryptKey, opener: SshOpener): void {
    const sequence = key.firstSequence ?? this.#nextSequence();
    this.#used.push(Buffer.from(this.#key.usedKeys));
    this.#key.dispose();
    this.#key = key;
    this.#firstSequence = sequence;
    this.#packets = 0;
    this.#waits = false;
    this.keyUpdates++;
    if (this.#first !== undefined) {
      opener.setSequence(sequence);
      this.#first.rekey(arming, { ...arming.read!, sequence }, opener, this.engine);
    } else {
      opener.dispose();
      const result = this.#arm();
      if (result < 0) return this.#host.onError(soCrypt.armingError(result, 'read'));
    }
    if (this.#isReading) this.#port.readAgain();
  }

  /** Reads on. */
  resume(): void {
    if (this.#isReading || this.#ended) return;
    this.#isReading = true;
    this.#port.watchReadable(this.#readable);
  }

  pause(): void {
    this.#isReading = false;
    this.#port.watchReadable(undefined);
  }

  dispose(): void {
    this.#key.dispose();
    this.#first?.dispose();
    this.#partial = undefined;
  }

  #read(): void {
    if (this.#first !== undefined && !this.#goOnInKernel()) return;
    for (let i = 0; i < MOST_READS; i++) {
      if (!this.#isReading || this.#waits || this.#host.destroyed) return;
      const status = this.#receive();
      if (status === Status.nothing) return;
      if (status === Status.end || status === CUT_BY_FIN) {
        this.#isCut = status === CUT_BY_FIN;
        return this.#end();
      }
      if (status < 0) return this.#host.onError(this.#error(status));
    }
    if (this.#isReading && !this.#host.destroyed) this.#port.readAgain();
  }

  /** One call, and what it has brought to the application. */
  #receive(): number {
    const before = this.#partial;
    const room = before === undefined || before.length < INBOX / 2 ? INBOX : LARGE;
    const out = room === INBOX ? allocateOutput(INBOX) : Buffer.allocUnsafeSlow(LARGE);
    before?.copy(out);
    const status = kernel().receivePayloads(this.#port.fd, out, before?.length ?? 0);
    if (status < 0) return status;
    const { result, sshPayloads } = native;
    const [count, partial] = [result[0]!, result[1]!];
    if (count > 0 || partial > 0) this.#host.touch();
    this.#packets += count;
    this.#waits = status === Status.newKeys;
    const payloads: Buffer[] = [];
    let end = 0;
    for (let i = 0; i < 2 * count; i += 2) {
      const offset = sshPayloads[i]!;
      end = offset + sshPayloads[i + 1]!;
      payloads.push(out.subarray(offset, end));
    }
    this.#partial = partial > 0 ? out.subarray(end, end + partial) : undefined;
    let more = true;
    for (const payload of payloads) {
      if (this.#host.destroyed) return Status.nothing;
      if (!this.#host.onRecord(ContentType.applicationData, payload)) more = false;
    }
    if (!more && !this.#host.destroyed) this.#host.stopReading();
    return status;
  }

  /** Before the kernel has the key: true when it has. */
  #goOnInKernel(): boolean {
    const reader = this.#first!;
    while (this.#isReading && !this.#host.destroyed && !reader.isWaiting && !reader.isHolding) {
      if (reader.stashed === 0) {
        const { ivLength } = sshCiphers[this.#key.arming.cipher];
        this.#key.keys.setIv!(reader.iv.subarray(0, ivLength));
        this.#firstSequence = Number(reader.state().sequence);
        const result = this.#arm();
        if (result < 0) {
          this.#host.onError(soCrypt.armingError(result, 'read'));
          return false;
        }
        reader.dispose();
        this.#first = undefined;
        return true;
      }
      // (A bad packet swallows as much as the longest has; it never comes to the kernel.)
      if (!readPlain(this.#port, this.#host, reader.missing || INBOX, () => this.#end())) return false;
    }
    return false;
  }

  #arm(): number {
    const result = this.#key.keys.arm(this.#port.fd, BigInt(this.#firstSequence), this.#isArmed);
    if (result === 0) this.#isArmed = true;
    return result;
  }

  #sequence(): number {
    const sequence = this.#isArmed ? this.#key.keys.sequence(this.#port.fd) : undefined;
    return sequence === undefined ? this.#firstSequence : Number(BigInt.asUintN(32, sequence));
  }

  #nextSequence(): number {
    return this.#first === undefined ? this.#sequence() : Number(this.#first.state().sequence);
  }

  #end(): void {
    this.#ended = true;
    this.pause();
    this.#host.onFin();
  }

  #error(result: number): Error {
    const cause = systemError(result, 'read');
    const { protocolError, macError } = Disconnect;
    const make = (code: SoCryptError['code'], message: string, disconnectReason: number) =>
      new SoCryptError(code, `${message} (found by the kernel)`, { disconnectReason, cause });
    switch (cause.code) {
      case 'EBADMSG':
        return make('ERR_SO_CRYPT_BAD_RECORD_MAC', 'A packet is not authentic, or none', macError);
      case 'EMSGSIZE':
        return make('ERR_SO_CRYPT_RECORD_OVERFLOW', 'A packet is longer than allowed', protocolError);
      case 'EKEYEXPIRED':
        return keyLimit();
      default:
        return cause;
    }
  }
}
