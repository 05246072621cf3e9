import { setImmediate } from 'node:timers';
import { BufferPool, poolFor } from '../buffer-pool.js';
import { SoCryptError } from '../errors.js';
import { systemError } from '../kernel/port.js';
import type { SshSealer, SshSpec } from '../native/packets.js';
import { SealStatus } from '../native/records.js';
import { native } from '../native.js';
import { providerFailed } from '../provider-failure.js';
import type { Callback, Engine } from '../records/direction.js';
import type { Outlet } from '../userland/sending.js';
import type { SshArming } from './arm.js';
import { Disconnect } from './disconnect.js';
import { Segment, segments } from './segment.js';
import { type PacketKey, PacketWriter } from './writer.js';

const small = new BufferPool(20_480, 64);

/** Payloads of so many bytes may leave by themselves. */
const ALONE = 256;

/** Where packets go. */
interface PacketOutlet extends Outlet {
  /** The kernel has all that was given to it. */
  readonly isFlushed: boolean;
  fail(error: Error): void;
}

/** A key in the native record layer. */
export class SealerKey implements PacketKey {
  readonly arming: Pick<SshArming, 'cipher' | 'mac'>;
  readonly firstSequence: number | undefined;
  readonly usedKeys: Uint8Array;
  readonly sealer: SshSealer;
  /** Most bytes that a packet is longer than its payload. */
  readonly overhead: number;

  constructor({ cipher, mac }: SshArming, spec: SshSpec) {
    this.arming = { cipher, mac };
    this.firstSequence = spec.sequence;
    this.sealer = new native.SshSealer(spec);
    this.usedKeys = this.sealer.usedKeys;
    this.overhead = this.sealer.overhead;
  }

  dispose(): void {
    this.sealer.dispose();
  }
}

/** The write direction of SSH on a userland engine. */
export class UserlandPacketWriter extends PacketWriter<SealerKey> {
  engine: Engine;
  readonly #outlet: PacketOutlet;
  /** Packets that {@link sealNow} has sealed and that are not on their way yet. */
  #segment: Segment | null = null;
  /** Bytes of packets, sealed one by one; modulo 2^32, as an int32. */
  sealed = 0;
  #willFlush = false;
  /** Some have gone in this iteration of the event loop. */
  #hasSent = false;

  constructor(key: SealerKey, outlet: PacketOutlet, engine: Engine) {
    super(key);
    this.engine = engine;
    this.#outlet = outlet;
  }

  protected get outletDestroyed(): boolean {
    return this.#outlet.destroyed;
  }

  protected count({ sealer }: SealerKey): { sequence: number; packets: number } {
    return sealer;
  }

  protected change(from: SealerKey, to: SealerKey): void {
    if (to.firstSequence === undefined) to.sealer.setSequence(from.sealer.sequence);
  }

  sealNow(head: Uint8Array, body: Uint8Array, isAlone = false): boolean {
    const length = head.length + body.length;
    if (!this.isSettled || length === 0 || length > this.maxPayload) return false;
    const leavesNow =
      isAlone && this.#segment === null && length <= ALONE && this.#outlet.idleDescriptor >= 0;
    const { sealer, overhead } = this.key;
    const bound = length + overhead;
    if (this.#segment !== null && this.#segment.room < bound && !this.#segment.widen(bound))
      this.sendSealed(true); // the packet behind it goes out when the turn ends, at the latest
    this.#segment ??= new Segment(bound);
    const written = this.#segment.seal(sealer, head, body);
    if (written < 0) throw sealFailed(written);
    this.sealed = (this.sealed + written) | 0;
    if (leavesNow) this.sendSealed();
    else if (!this.#willFlush) this.#flushSoon();
    return true;
  }

  // What comes first leaves when its turn ends. Where many callbacks run in one iteration of the event loop, each a turn with a packet, what
  // the others bring leaves together, when the iteration ends.
  #flushSoon(): void {
    this.#willFlush = true;
    if (this.#hasSent) return; // endIteration() is to come
    this.#hasSent = true;
    process.nextTick(endTurn, this);
    whenIterationEnds(this);
  }

  /** @param more a packet follows at once */
  sendSealed(more = false): void {
    const segment = this.#segment;
    if (segment === null) return;
    this.#segment = null;
    if (segment.isEmpty) return segment.release();
    const outlet = this.#outlet;
    const fd = outlet.idleDescriptor;
    if (fd < 0) return this.#sendLater(segment, segment.take(outlet));
    // Past libuv: a tenth of all work where much is sent, and most of it for a small packet.
    const left = segment.sendTo(fd, more);
    outlet.touch();
    if (left > 0) return this.#sendLater(segment, segment.last(left));
    segment.release();
    if (left === 0) outlet.overheadWritten -= segment.plain;
    // Later, as libuv would say it: who is sealing goes on with the next packet.
    else process.nextTick(() => outlet.fail(systemError(left, 'write')));
  }

  /** @param bytes of the segment that the kernel does not have */
  #sendLater(segment: Segment, bytes: Buffer): void {
    const outlet = this.#outlet;
    outlet.overheadWritten += bytes.length - segment.plain;
    outlet.rawWrite(bytes, (error) => {
      segment.release();
      if (error) outlet.fail(error);
    });
  }

  endTurn(): void {
    this.#willFlush = false;
    this.sendSealed();
  }

  endIteration(): void {
    this.#hasSent = false;
    this.endTurn();
  }

  override dispose(): void {
    super.dispose();
    this.#segment?.release();
    this.#segment = null;
  }

  protected transmit(payloads: readonly Uint8Array[], from: number, to: number, callback: Callback): number {
    const { overhead } = this.key;
    let bound = 0;
    let plain = 0;
    let end = from;
    do {
      const { length } = payloads[end]!;
      if (end > from && bound + length + overhead > segments.size) break;
      bound += length + overhead;
      plain += length;
      end++;
    } while (end < to);
    if (plain === 0) {
      process.nextTick(callback, null);
      return end;
    }
    this.sendSealed();
    const pool = poolFor(bound, small, segments);
    const buffer = pool.acquire();
    const written = this.key.sealer.seal(payloads, from, end, buffer);
    if (written < 0) throw sealFailed(written);
    this.#outlet.overheadWritten += written - plain;
    this.#outlet.rawWrite(buffer.subarray(0, written), (error) => {
      pool.release(buffer);
      callback(error);
    });
    return end;
  }

  protected transmitNow(payload: Uint8Array, callback: Callback): void {
    this.sendSealed();
    const buffer = Buffer.allocUnsafeSlow(payload.length + this.key.overhead);
    const written = this.key.sealer.seal([payload], 0, 1, buffer);
    if (written < 0) return callback(keyLimit());
    this.#outlet.overheadWritten += written;
    this.#outlet.rawWrite(buffer.subarray(0, written), callback);
  }
}

function endTurn(writer: UserlandPacketWriter): void {
  writer.endTurn();
}

const waiting = new Set<UserlandPacketWriter>();
let isWatchingExit = false;

function whenIterationEnds(writer: UserlandPacketWriter): void {
  if (waiting.size === 0) setImmediate(endIteration);
  waiting.add(writer);
  if (isWatchingExit) return;
  isWatchingExit = true;
  process.on('exit', endIteration); // exit() in the middle of an iteration
}

function endIteration(): void {
  const writers = [...waiting];
  waiting.clear();
  for (const writer of writers) writer.endIteration();
}

function sealFailed(status: number): SoCryptError {
  return status === SealStatus.limit ? keyLimit() : providerFailed();
}

/** The error for a key under which no more packets may be sealed or opened. */
export function keyLimit(): SoCryptError {
  return new SoCryptError('ERR_SO_CRYPT_KEY_LIMIT', '2^32 packets were sealed or opened under this key', {
    hint: 'Exchange keys before, and give the new ones to setCrypt (RFC 4344 3.1)',
    disconnectReason: Disconnect.protocolError,
  });
}
