import type { Cipher, Decipher } from './ssh2.js';

/** Length, padding length: what ssh2 leaves room for in front of a payload. The socket makes its own. */
const HEADER = 5;

/** ssh2's end of a write direction that the socket seals: packets go to it as payloads. */
export class SocketCipher implements Cipher {
  /** ssh2 counts here, and sets it to 0 where strict key exchange does. */
  outSeqno: number;
  readonly _onWrite: Cipher['_onWrite'];
  #dead = false;

  constructor({ outSeqno, _onWrite }: Cipher) {
    this.outSeqno = outSeqno;
    this._onWrite = _onWrite;
  }

  allocPacket(payloadLength: number): Buffer {
    return Buffer.allocUnsafe(HEADER + payloadLength);
  }

  encrypt(packet: Buffer): void {
    if (this.#dead) return;
    this.outSeqno = (this.outSeqno + 1) >>> 0;
    this._onWrite(packet.subarray(HEADER));
  }

  free(): void {
    this.#dead = true;
  }
}

/** ssh2's end of a read direction that the socket opens: each read of it is a payload. */
export class SocketDecipher implements Decipher {
  inSeqno: number;
  _onPayload: Decipher['_onPayload'];
  readonly #received: (payload: Buffer) => void;
  #arm: ((rest: Buffer) => void) | undefined;

  /**
   * @param arm called once, with bytes that were read too early
   * @param received called after each payload
   */
  constructor(
    { inSeqno, _onPayload }: Decipher,
    arm: (rest: Buffer) => void,
    received: (payload: Buffer) => void,
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
    const bytes = data.subarray(start, end);
    if (this.#arm !== undefined) {
      this.start(bytes);
    } else {
      this.inSeqno = (this.inSeqno + 1) >>> 0;
      this._onPayload(bytes);
      this.#received(bytes);
    }
    return end;
  }

  free(): void {
    this.#arm = undefined;
  }
}
