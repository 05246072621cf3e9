import { constants } from 'node:os';
import { EAGAIN, type KernelPort, kernel, systemError } from '../kernel/port.js';
import { soCrypt } from '../kernel/so-crypt.js';
import type { PlainOutlet } from '../kernel/writer.js';
import type { KernelKeys } from '../native/kernel.js';
import type { SshSpec } from '../native/packets.js';
import { native } from '../native.js';
import type { Callback } from '../records/direction.js';
import type { SshArming } from './arm.js';
import { keyLimit } from './userland-writer.js';
import { type PacketKey, PacketWriter } from './writer.js';

/** enum so_crypt_protocol. */
const SSH = 5;

/** SCR_CUSTOM_MAX_PAYLOAD: the longest that the kernel seals. */
const MAX_PAYLOAD = 65_536;

const KEY_EXPIRED = -127; // Linux's EKEYEXPIRED; Node has no name for it

/** A key for the kernel, which has the one that is in use. */
export class SoCryptKey implements PacketKey {
  readonly arming: Pick<SshArming, 'cipher' | 'mac'>;
  readonly firstSequence: number | undefined;
  readonly usedKeys: Uint8Array;
  readonly keys: KernelKeys;

  constructor({ cipher, mac }: SshArming, spec: SshSpec, write: boolean) {
    this.arming = { cipher, mac };
    this.firstSequence = spec.sequence;
    this.keys = new native.kernel!.SoCryptKeys(spec, SSH, write, write ? MAX_PAYLOAD : 0);
    this.usedKeys = this.keys.usedKeys;
  }

  dispose(): void {
    this.keys.dispose();
  }
}

/** What a KernelPacketWriter needs of its socket. */
export interface KernelOutlet extends PlainOutlet {
  /** Bytes that the kernel has got, and libuv knows nothing of. */
  countWritten(bytes: number): void;
  /** For socket.setTimeout(). */
  touch(): void;
}

/** The write direction of SSH in the kernel: each payload is a message of its own, which the kernel takes whole or not at all. */
export class KernelPacketWriter extends PacketWriter<SoCryptKey> {
  readonly engine = 'so_crypt';
  override readonly maxPayload = MAX_PAYLOAD;
  readonly #port: KernelPort;
  readonly #outlet: KernelOutlet;
  #isArmed = false;
  /** Of the first key's first packet, while the kernel does not have it. */
  #firstSequence: number;
  #packets = 0;

  constructor(key: SoCryptKey, port: KernelPort, outlet: KernelOutlet) {
    super(key);
    this.#port = port;
    this.#outlet = outlet;
    this.#firstSequence = key.firstSequence ?? 0;
  }

  /**
   * Gives the kernel the key, as soon as all bytes written before are in the kernel: at once, where there are none.
   *
   * @throws SoCryptError
   */
  begin(): void {
    if (this.#outlet.isFlushed) return this.#arm();
    const wait = (): void => {
      if (this.#isArmed || this.#outlet.destroyed) return;
      if (this.#outlet.isFlushed) this.#ensureArmed();
      else this.#port.whenWritable(wait);
    };
    this.#port.whenWritable(wait);
  }

  protected get outletDestroyed(): boolean {
    return this.#outlet.destroyed;
  }

  protected count(): { sequence: number; packets: number } {
    return { sequence: this.#sequence(), packets: this.#packets };
  }

  protected change(_from: SoCryptKey, to: SoCryptKey): void {
    const sequence = to.firstSequence ?? this.#sequence();
    this.#packets = 0;
    this.#firstSequence = sequence;
    if (!this.#isArmed) return; // ensureArmed() gives the kernel this one
    const result = to.keys.arm(this.#port.fd, BigInt(sequence), true);
    // The peer reads on under another key than we would write with.
    if (result < 0) this.#outlet.destroy(soCrypt.armingError(result, 'write'));
  }

  protected transmit(payloads: readonly Uint8Array[], from: number, to: number, callback: Callback): number {
    if (this.#outlet.destroyed) {
      process.nextTick(callback, systemError(-constants.errno.ECANCELED, 'write'));
      return from;
    }
    // The stream calls when all before is in the kernel.
    if (!this.#ensureArmed()) return from;
    const result = kernel().sendPayloads(this.#port.fd, payloads, from, to);
    if (result === EAGAIN) {
      this.#port.whenWritable(() => callback());
      return from;
    }
    if (result < 0) throw result === KEY_EXPIRED ? keyLimit() : systemError(result, 'write');
    for (let i = from; i < from + result; i++) this.#count(payloads[i]!);
    this.#outlet.touch();
    callback();
    return from + result;
  }

  protected transmitNow(payload: Uint8Array, callback: Callback): void {
    if (!this.#isArmed) return callback(systemError(-constants.errno.ENOTCONN, 'write'));
    const result = kernel().sendPayloads(this.#port.fd, [payload], 0, 1);
    if (result < 0) return callback(systemError(result, 'write'));
    this.#packets++;
    callback();
  }

  #count({ length }: Uint8Array): void {
    if (length === 0) return;
    this.#packets++;
    this.#outlet.countWritten(length);
  }

  #sequence(): number {
    const sequence = this.#isArmed ? this.key.keys.sequence(this.#port.fd) : undefined;
    return sequence === undefined ? this.#firstSequence : Number(BigInt.asUintN(32, sequence));
  }

  /** @throws SoCryptError */
  #arm(): void {
    const result = this.key.keys.arm(this.#port.fd, BigInt(this.#firstSequence), false);
    if (result < 0) throw soCrypt.armingError(result, 'write');
    this.#isArmed = true;
  }

  #ensureArmed(): boolean {
    if (this.#isArmed) return true;
    try {
      this.#arm();
      return true;
    } catch (error) {
      this.#outlet.destroy(error as Error);
      return false;
    }
  }
}
