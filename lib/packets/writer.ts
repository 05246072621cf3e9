import type { DirectionState } from '../crypt-options.js';
import { SoCryptError } from '../errors.js';
import type { Callback, Engine, Writer } from '../records/direction.js';
import type { SshArming } from './arm.js';
import { MAX_PAYLOAD } from './ciphers.js';

/** A key of the write direction, and what it seals with. */
export interface PacketKey {
  readonly arming: Pick<SshArming, 'cipher' | 'mac'>;
  readonly usedKeys: Uint8Array;
  /** Undefined: goes on with that of the key before. */
  readonly firstSequence: number | undefined;
  dispose(): void;
}

/** Payloads that were written under one key. */
interface Epoch<Key extends PacketKey> {
  readonly key: Key;
  /** So many are still to be sealed; more will not come unless it is the last epoch. */
  left: number;
}

/**
 * The write direction of SSH: each chunk is the payload of one packet. New keys take effect behind what was written before them, sealed
 * or not.
 */
export abstract class PacketWriter<Key extends PacketKey> implements Writer {
  abstract readonly engine: Engine;
  readonly protocol = 'ssh';
  readonly canUpdate = false;
  readonly updateHint = 'SSH changes keys by key exchange, and setCrypt behind SSH_MSG_NEWKEYS';
  readonly maxPayload: number = MAX_PAYLOAD;
  /** Of all keys before the present one. */
  readonly #used: Uint8Array[] = [];
  readonly #epochs: Epoch<Key>[];
  #rekeys = 0;
  /** Payloads of the write that is on its way, which are not sealed yet. */
  #unsealed = 0;

  constructor(key: Key) {
    this.#epochs = [{ key, left: 0 }];
  }

  protected get key(): Key {
    return this.#epochs[0]!.key;
  }

  protected abstract readonly outletDestroyed: boolean;
  /** Of the next packet, and how many there were under the present key. */
  protected abstract count(key: Key): { sequence: number; packets: number };
  /** Seals some of the payloads under the present key, from `from` on, at most up to `to`. The callback comes when the kernel has them. @returns where it stopped @throws SoCryptError */
  protected abstract transmit(
    payloads: readonly Uint8Array[],
    from: number,
    to: number,
    callback: Callback,
  ): number;
  /** Goes over to the next key. @throws SoCryptError */
  protected abstract change(from: Key, to: Key): void;
  /** All that was given to it is sealed. */
  protected get isSettled(): boolean {
    return this.#unsealed === 0 && this.#epochs.length === 1;
  }

  /** Sends one payload at once, ahead of what waits. */
  protected abstract transmitNow(payload: Uint8Array, callback: Callback): void;

  get usedKeys(): Uint8Array {
    return Buffer.concat([...this.#used, ...this.#epochs.map(({ key }) => key.usedKeys)]);
  }

  state(): DirectionState {
    const { sequence, packets } = this.count(this.key);
    const { cipher, mac } = this.key.arming;
    return {
      engine: this.engine,
      sequence: BigInt(sequence),
      records: BigInt(packets),
      keyUpdates: this.#rekeys,
      cipher,
      mac,
    };
  }

  /**
   * New keys, for all that will be written.
   *
   * @param queued payloads that were written before and have not come to `send` yet
   */
  rekey(key: Key, queued: number): void {
    const before = this.#epochs.slice(0, -1).reduce((sum, { left }) => sum + left, 0);
    this.#epochs.at(-1)!.left = this.#unsealed + queued - before;
    this.#epochs.push({ key, left: 0 });
    this.#settle();
  }

  send(chunks: readonly Uint8Array[], _length: number, callback: Callback): void {
    const long = chunks.find((chunk) => chunk.length > this.maxPayload);
    this.#unsealed = chunks.length;
    if (long !== undefined) {
      // Socket.write() has refused it already; what comes by end() is told here.
      return callback(tooLong(long.length, this.maxPayload));
    }
    let at = 0;
    // A loop while the kernel takes all at once, so that the stack does not grow with the write's length.
    const run = (): void => {
      for (let again = true; again; ) {
        again = false;
        if (at === chunks.length) return callback();
        const from = at;
        let synchronous = true;
        try {
          const to =
            this.#epochs.length > 1 ? Math.min(chunks.length, from + this.#epochs[0]!.left) : chunks.length;
          at = this.transmit(chunks, from, to, (error) => {
            if (error) return callback(error);
            if (this.outletDestroyed) return callback();
            if (synchronous) again = true;
            else run();
          });
          this.#sealed(at - from);
        } catch (error) {
          return callback(error as Error);
        }
        synchronous = false;
      }
    };
    run();
  }

  /** Sends SSH_MSG_DISCONNECT. */
  sendControl(_type: number, content: Uint8Array, callback: Callback): void {
    this.transmitNow(content, callback);
  }

  sendKeyUpdate(): void {
    throw new SoCryptError('ERR_SO_CRYPT_KEY_UPDATE', 'SSH has no KeyUpdate', { hint: this.updateHint });
  }

  dispose(): void {
    for (const { key } of this.#epochs) key.dispose();
  }

  #sealed(count: number): void {
    this.#unsealed -= count;
    if (this.#epochs.length === 1) return;
    this.#epochs[0]!.left -= count;
    this.#settle();
  }

  /** Goes over to the next key where nothing is left for the present one. */
  #settle(): void {
    while (this.#epochs.length > 1 && this.#epochs[0]!.left <= 0) {
      const [{ key }, next] = this.#epochs as [Epoch<Key>, Epoch<Key>];
      this.change(key, next.key);
      this.#used.push(Buffer.from(key.usedKeys));
      this.#epochs.shift();
      this.#rekeys++;
      key.dispose();
    }
  }
}

/** The error for a payload that no packet can take. */
export function tooLong(length: number, most: number): SoCryptError {
  return new SoCryptError(
    'ERR_SO_CRYPT_RECORD_OVERFLOW',
    `A payload of ${length} bytes is longer than a packet takes`,
    { hint: `Write at most ${most} bytes at once` },
  );
}
