import { upgradeToKernel } from './arm-socket.js';
import { KernelWriter } from './kernel/writer.js';
import { native } from './native.js';
import type { Callback } from './records/direction.js';
import type { FileOutlet, KernelOutlet } from './send-file.js';
import type { Socket } from './socket.js';
import { kPort, kRawWritev, kState } from './socket-internals.js';

/** For less, going over to the kernel's TLS costs more than it saves. */
const UPGRADE_FROM = 262_144;

/** A socket as the outlet of a file. */
export class SocketFileOutlet implements FileOutlet {
  readonly #socket: Socket;
  readonly #isPlain: boolean;

  /** @param isPlain its turn comes before the records begin, or there are none */
  constructor(socket: Socket, isPlain: boolean) {
    this.#socket = socket;
    this.#isPlain = isPlain;
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  kernelOutlet(remaining: number): KernelOutlet | undefined {
    if (native.kernel?.sendFile === undefined) return undefined;
    const { records } = this.#socket[kState]!;
    if (this.#isPlain) {
      if ((this.#socket._handle?.fd ?? -1) < 0) return undefined;
      const segment = Number.POSITIVE_INFINITY;
      return {
        port: this.#socket[kPort](),
        segment,
        reserve: (_length, _callback, run) => run(),
        flush: () => {},
      };
    }
    if (remaining >= UPGRADE_FROM) upgradeToKernel(this.#socket);
    const writer = records!.writer;
    // CCM reads what it seals twice: a file that changes in between would make a record that the peer refuses.
    if (!(writer instanceof KernelWriter) || writer.cipher.includes('ccm')) return undefined;
    return {
      port: this.#socket[kPort](),
      segment: writer.segment,
      reserve: (length, callback, run) => writer.reserve(length, callback, run),
      flush: () => writer.flush(),
    };
  }

  sendBytes(bytes: readonly Uint8Array[], callback: Callback): void {
    if (this.#isPlain) this.#socket[kRawWritev](bytes, callback);
    else this.#socket[kState]!.records!.send(bytes, callback);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  onSent(length: number): void {
    this.#socket[kState]!.fileBytes += length;
    (this.#socket as unknown as { _unrefTimer(): void })._unrefTimer();
  }
}
