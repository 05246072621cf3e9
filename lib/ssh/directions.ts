import { BufferPool } from '../buffer-pool.js';
import type { Socket } from '../socket.js';
import { kFlushCork } from '../socket-internals.js';
import type { Cipher, Decipher } from './ssh2.js';

/** Length, padding length: what ssh2 leaves room for in front of a payload. The socket makes its own. */
const HEADER = 5;

// Payloads of channel data come by the thousand, 32 KB each, and are done with as soon as they are sealed.
const POOLED_FROM = 4096;
// The socket gathers what is written in one turn; ssh2 writes a whole window in one. As much as is sealed in one piece goes at once,
// while it is in the CPU's cache.
const SEGMENT = 131_072;
const pool = new BufferPool(HEADER + 33_792, 64);

/** ssh2's end of a write direction that the socket seals: packets go to it as payloads. */
export class SocketCipher implements Cipher {
  /** ssh2 counts here, and sets it to 0 where strict key exchange does. */
  outSeqno: number;
  readonly _onWrite: Cipher['_onWrite'];
  readonly #socket: Socket;
  #dead = false;
  readonly #sent: (packets: number) => void;
  #packets = 0;
  /** What the present packet is in; ssh2 makes them one by one. */
  #pooled: Buffer | undefined;

  /** `sent` hears of each packet, and how many there were under this key. */
  constructor({ outSeqno, _onWrite }: Cipher, socket: Socket, sent: (packets: number) => void) {
    this.outSeqno = outSeqno;
    this._onWrite = _onWrite;
    this.#socket = socket;
    this.#sent = sent;
  }

  allocPacket(payloadLength: number): Buffer {
    const length = HEADER + payloadLength;
    if (length < POOLED_FROM || length > pool.size) return Buffer.allocUnsafe(length);
    this.#pooled = pool.acquire();
    return this.#pooled.subarray(0, length);
  }

  encrypt(packet: Buffer): void {
    if (this.#dead) return;
    this.outSeqno = (this.outSeqno + 1) >>> 0;
    this.#sent(++this.#packets);
    const pooled = this.#pooled;
    if (pooled === undefined || pooled.buffer !== packet.buffer)
      return this._onWrite(packet.subarray(HEADER));
    this.#pooled = undefined;
    // As ssh2's own _onWrite, which has no callback.
    if (!isWritable(this.#socket)) return pool.release(pooled);
    this.#socket.write(packet.subarray(HEADER), () => pool.release(pooled));
    if (this.#socket.writableLength >= SEGMENT) this.#socket[kFlushCork]();
  }

  free(): void {
    this.#dead = true;
  }
}

/** ssh2's end of a read direction that the socket opens: each read of it is a payload. */
export class SocketDecipher implements Decipher {
  inSeqno: number;
  _onPayload: Decipher['_onPayload'];
  readonly #received: (payload: Buffer, packets: number) => void;
  #packets = 0;
  #arm: ((rest: Buffer) => void) | undefined;

  /**
   * @param arm called once, with bytes that were read too early
   * @param received hears of each payload when ssh2 has had it, and how many there were under this key
   */
  constructor(
    { inSeqno, _onPayload }: Decipher,
    arm: (rest: Buffer) => void,
    received: (payload: Buffer, packets: number) => void,
  ) {
    this.inSeqno = inSeqno;
    this._onPayload = _onPayload;
    this.#arm = arm;
    this.#received = received;
  }

  /** Arms the socket. `rest`: what was read behind the packet after which the key is used. */
  start(rest: Buffer): void {
    const arm = this.#arm;
    this.#arm = undefined;
    arm?.(rest);
  }

  decrypt(data: Buffer, start: number, end: number): number {
    const bytes = start === 0 && end === data.length ? data : data.subarray(start, end);
    if (this.#arm !== undefined) {
      this.start(bytes);
    } else {
      this.inSeqno = (this.inSeqno + 1) >>> 0;
      this._onPayload(bytes);
      this.#received(bytes, ++this.#packets);
    }
    return end;
  }

  free(): void {
    this.#arm = undefined;
  }
}

function isWritable(socket: Socket): boolean {
  const { _readableState: readable } = socket as unknown as { _readableState: { ended: boolean } };
  return socket.writable && !readable.ended;
}
