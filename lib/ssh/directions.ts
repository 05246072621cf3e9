import { BufferPool } from '../buffer-pool.js';
import type { Socket } from '../socket.js';
import { kSealNow } from '../socket-internals.js';
import type { Cipher, Decipher } from './ssh2.js';

/** Length, padding length: what ssh2 leaves room for in front of a payload. The socket makes its own. */
const HEADER = 5;

// Payloads of 32 KB come by the thousand, and are done with as soon as they are sealed.
const POOLED_FROM = 4096;
const pool = new BufferPool(HEADER + 33_792, 64);

const NOTHING = Buffer.alloc(0);

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
    const pooled = this.#pooled?.buffer === packet.buffer ? this.#pooled : undefined;
    if (pooled !== undefined) this.#pooled = undefined;
    const payload = packet.subarray(HEADER);
    // As ssh2's own _onWrite, which has no callback.
    const isGone = !isWritable(this.#socket);
    if (isGone || this.#socket[kSealNow](payload, NOTHING)) {
      if (pooled !== undefined) pool.release(pooled);
    } else if (pooled !== undefined) {
      this.#socket.write(payload, () => pool.release(pooled));
    } else {
      this._onWrite(payload);
    }
    this.#count();
  }

  /** A packet whose payload is in two parts. False: it has to be made by {@link allocPacket}. */
  encryptParts(head: Buffer, body: Buffer, isAlone = false): boolean {
    if (this.#dead || !isWritable(this.#socket)) return true;
    if (!this.#socket[kSealNow](head, body, isAlone)) return false;
    this.#count();
    return true;
  }

  free(): void {
    this.#dead = true;
  }

  #count(): void {
    this.outSeqno = (this.outSeqno + 1) >>> 0;
    this.#sent(++this.#packets);
  }
}

/** ssh2's end of a read direction that the socket opens: each read of it is a payload. */
export class SocketDecipher implements Decipher {
  inSeqno: number;
  _onPayload: Decipher['_onPayload'];
  readonly #received: (payload: Buffer, packets: number) => void;
  readonly #takeJoined: () => number;
  #packets = 0;
  #arm: ((rest: Buffer) => void) | undefined;

  /**
   * @param arm called once, with bytes that were read too early
   * @param received hears of each payload when ssh2 has had it, and how many packets there were under this key
   * @param takeJoined packets that came as part of others' payloads, since the last call
   */
  constructor(
    { inSeqno, _onPayload }: Decipher,
    arm: (rest: Buffer) => void,
    received: (payload: Buffer, packets: number) => void,
    takeJoined: () => number,
  ) {
    this.inSeqno = inSeqno;
    this._onPayload = _onPayload;
    this.#arm = arm;
    this.#received = received;
    this.#takeJoined = takeJoined;
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
      const packets = 1 + this.#takeJoined();
      this.inSeqno = (this.inSeqno + packets) >>> 0;
      this.#packets += packets;
      this._onPayload(bytes);
      this.#received(bytes, this.#packets);
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
