import { constants } from 'node:os';
import type { Arming } from '../arm.js';
import type { ArmedProtocol, DirectionState } from '../crypt-options.js';
import { SoCryptError } from '../errors.js';
import { ContentType } from '../frame-layouts.js';
import type { KernelKeys } from '../native/kernel.js';
import type { DirectionSpec } from '../native/records.js';
import type { Callback, Writer } from '../records/direction.js';
import { sendInPieces } from '../records/pieces.js';
import type { KernelEngine, Terms } from './engine.js';
import { EAGAIN, type KernelPort, kernel, systemError } from './port.js';

/** libuv's own writes: the data path of a kernel engine. */
export interface PlainOutlet {
  readonly destroyed: boolean;
  rawWritev(chunks: readonly Uint8Array[], callback: Callback): void;
  /** libuv has handed all it was given to the kernel. */
  readonly isFlushed: boolean;
  destroy(error: Error): void;
}

/** The write direction under a kernel engine: the application's bytes go to the kernel as they are. */
export class KernelWriter implements Writer {
  readonly engine: KernelEngine['name'];
  readonly protocol: ArmedProtocol;
  readonly canUpdate: boolean;
  /** Most bytes that may be sent under one key, and so at once. */
  readonly segment: number;
  readonly #kernelEngine: KernelEngine;
  readonly #maxFragment: number;
  readonly #keys: KernelKeys;
  readonly #port: KernelPort;
  readonly #outlet: PlainOutlet;
  readonly cipher: Arming['cipher'];
  readonly #recordLimit: number;
  readonly #keyUpdateAfter: number;
  #armed = false;
  #again = false;
  /** What waits for the key, because bytes that were written before it are not in the kernel yet. */
  #waiting: (() => void)[] = [];
  /** Records under the present key, as counted here: a write that the kernel took in pieces may have made more. */
  #records: number;
  #firstSequence: bigint;
  #keyUpdates = 0;

  /** @param records sealed under this key before it came to the kernel */
  constructor(
    kernelEngine: KernelEngine,
    terms: Terms,
    spec: DirectionSpec,
    port: KernelPort,
    outlet: PlainOutlet,
    records = 0,
  ) {
    this.#kernelEngine = kernelEngine;
    this.engine = kernelEngine.name;
    this.protocol = terms.protocol;
    this.#maxFragment = terms.maxFragment;
    this.cipher = terms.cipher;
    this.#recordLimit = terms.facts.recordLimit;
    this.#keyUpdateAfter = terms.keyUpdateAfter;
    this.canUpdate = spec.secret.length > 0 && kernelEngine.canRekey(terms.protocol, terms.cipher);
    this.segment = this.canUpdate ? this.#keyUpdateAfter * this.#maxFragment : Number.POSITIVE_INFINITY;
    this.#keys = kernelEngine.keys(terms, spec, true);
    this.#port = port;
    this.#outlet = outlet;
    this.#records = records;
    this.#firstSequence = spec.sequence - BigInt(records);
  }

  get usedKeys(): Uint8Array {
    return this.#keys.usedKeys;
  }

  get updateHint(): string {
    return this.#kernelEngine.updateHint;
  }

  /**
   * Gives the kernel the key, as soon as all bytes written before are in the kernel: at once, where there are none.
   *
   * @param again the direction has had another key in the kernel
   * @throws SoCryptError ERR_SO_CRYPT_PROVIDER; nothing has changed
   */
  begin(again = false): void {
    this.#again = again;
    if (this.#outlet.isFlushed) return this.arm();
    const wait = (): void => {
      if (this.#armed || this.#outlet.destroyed) return;
      if (this.#outlet.isFlushed) this.#ensureArmed();
      else this.#port.whenWritable(wait);
    };
    this.#port.whenWritable(wait);
  }

  state(): DirectionState {
    const sequence = this.#sequence();
    const records = sequence - this.#firstSequence;
    return { engine: this.engine, sequence, records, keyUpdates: this.#keyUpdates };
  }

  send(chunks: readonly Uint8Array[], length: number, callback: Callback): void {
    if (length <= this.segment)
      return this.reserve(length, callback, () => this.#outlet.rawWritev(chunks, callback));
    sendInPieces(
      chunks,
      this.segment,
      (piece, pieceLength, done) => this.send(piece, pieceLength, done),
      () => this.#outlet.destroyed,
      callback,
    );
  }

  /**
   * Counts so many bytes, at most {@link segment}, against the key's limits and runs what sends them: under a new key if it is time
   * for one. The callback is told why they must not be sent.
   */
  reserve(length: number, callback: Callback, run: () => void): void {
    // The stream calls when all before is in the kernel.
    if (!this.#ensureArmed()) return;
    const count = Math.ceil(length / this.#maxFragment);
    // Half the limit is far away: only then is it worth asking the kernel for the truth.
    if (2 * (this.#records + count) >= Math.min(this.#keyUpdateAfter, this.#recordLimit))
      this.#records = Math.max(this.#records, Number(this.#sequence() - this.#firstSequence));
    if (this.canUpdate && this.#records > 0 && this.#records + count > this.#keyUpdateAfter)
      return this.sendKeyUpdate(false, (error) =>
        error ? callback(error) : this.reserve(length, callback, run),
      );
    this.#records += count;
    if (this.#records <= this.#recordLimit) return run();
    callback(
      new SoCryptError('ERR_SO_CRYPT_KEY_LIMIT', `${this.cipher} may seal no more records under this key`, {
        hint: `Open a new connection. ${this.updateHint}`,
      }),
    );
  }

  sendControl(type: number, content: Uint8Array, callback: Callback): void {
    if (this.#outlet.destroyed) return callback(systemError(-constants.errno.ECANCELED, 'write'));
    if (!this.#armed) {
      this.#waiting.push(() => this.sendControl(type, content, callback));
      if (this.#outlet.isFlushed) this.#ensureArmed();
      return;
    }
    const result = kernel().sendRecord(this.#port.fd, type, content);
    if (result === EAGAIN) this.#port.whenWritable(() => this.sendControl(type, content, callback));
    else if (result < 0) callback(systemError(result, 'write'));
    else {
      this.#records++;
      callback();
    }
  }

  sendKeyUpdate(request: boolean, callback: Callback): void {
    this.sendControl(ContentType.handshake, Uint8Array.of(24, 0, 0, 1, request ? 1 : 0), (error) => {
      if (error) return callback(error);
      const result = this.#keys.next() ? this.#keys.arm(this.#port.fd) : -constants.errno.EINVAL;
      if (result < 0) {
        // The peer reads on under another key than we would write with.
        const failure = this.#kernelEngine.armingError(result, 'write');
        this.#outlet.destroy(failure);
        return callback(failure);
      }
      this.#keyUpdates++;
      this.#records = 0;
      this.#firstSequence = 0n;
      callback();
    });
  }

  /** Ends the record that the kernel keeps open for more bytes of a file. */
  flush(): void {
    kernel().sendRecord(this.#port.fd, ContentType.applicationData, new Uint8Array(0));
  }

  dispose(): void {
    this.#keys.dispose();
    this.#waiting = [];
  }

  #sequence(): bigint {
    return this.#keys.sequence(this.#port.fd) ?? this.#firstSequence + BigInt(this.#records);
  }

  /** Gives the kernel the key now. All bytes written before must be in the kernel. @throws SoCryptError ERR_SO_CRYPT_PROVIDER */
  arm(): void {
    const result = this.#keys.arm(this.#port.fd, undefined, this.#again);
    if (result < 0) throw this.#kernelEngine.armingError(result, 'write');
    this.#armed = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const run of waiting) run();
  }

  #ensureArmed(): boolean {
    if (this.#armed) return true;
    try {
      this.arm();
      return true;
    } catch (error) {
      this.#outlet.destroy(error as Error);
      return false;
    }
  }
}
