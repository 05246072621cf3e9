import type * as Ssh2 from 'ssh2';
import type { Protocol } from './ssh2.js';

/** What ssh2's own `write` works on. */
interface Inside {
  readonly _protocol: Pick<Protocol, 'channelData'>;
  readonly outgoing: {
    readonly id: number;
    window: number;
    readonly packetSize: number;
    readonly state: string;
  };
  /** What waits for the peer's window. */
  readonly _buffer: readonly Buffer[];
  readonly _maxWriteLen: number;
  readonly _requests: Record<number, { cb: (error?: Error) => void }>;
  _writeReqid: number;
  readonly _debug: ((message: string) => void) | undefined;
}

type Written = (error?: Error, end?: number) => void;

const SSH_FXP_WRITE = 6;
/**
 * SSH_FXP_WRITE without ssh2's copy of the data (whose memory is new for each request, and page faults cost more than the copy): what comes
 * before them goes in a packet of its own, and they are sealed from where they are. What fits one packet with them, and what does not go at once,
 * is ssh2's business.
 */
export function writeWithoutCopy(sftp: Ssh2.SFTPWrapper): void {
  if (!isAsExpected(sftp)) return;
  const write = sftp.write as (this: unknown, ...args: unknown[]) => void;
  const value = function (this: Inside, ...args: unknown[]): void {
    const [handle, buffer, offset, length, position, callback] = args;
    const { outgoing } = this;
    const isOrdinary =
      Buffer.isBuffer(handle) &&
      Buffer.isBuffer(buffer) &&
      isCount(offset) &&
      isCount(length) &&
      isCount(position) &&
      25 + handle.length + length > outgoing.packetSize &&
      length <= this._maxWriteLen &&
      offset + length <= buffer.length &&
      outgoing.state === 'open' &&
      this._buffer.length === 0 &&
      outgoing.window > 25 + handle.length + length;
    if (!isOrdinary) return write.apply(this, args);
    const data = buffer.subarray(offset, offset + length);
    send(this, handle, data, position, (error) => {
      if (typeof callback !== 'function') return;
      if (error) (callback as Written)(error);
      else (callback as Written)(undefined, offset + length); // as ssh2 counts
    });
  };
  Object.defineProperty(sftp, 'write', { value, writable: true, configurable: true });
}

// draft-ietf-secsh-filexfer-02 6.4: uint32 length, byte type, uint32 id, string handle, uint64 offset, string data
function send(
  sftp: Inside,
  handle: Buffer,
  data: Buffer,
  position: number,
  done: (error?: Error) => void,
): void {
  const { outgoing, _protocol: protocol } = sftp;
  const id = (sftp._writeReqid + 1) & 0xffff_ffff;
  sftp._writeReqid = id;
  const head = Buffer.allocUnsafe(25 + handle.length);
  head.writeUInt32BE(head.length - 4 + data.length, 0);
  head[4] = SSH_FXP_WRITE;
  head.writeUInt32BE(id >>> 0, 5);
  head.writeUInt32BE(handle.length, 9);
  handle.copy(head, 13);
  head.writeBigUInt64BE(BigInt(position), 13 + handle.length);
  head.writeUInt32BE(data.length, 21 + handle.length);
  sftp._requests[id] = { cb: done };
  outgoing.window -= head.length + data.length;
  protocol.channelData(outgoing.id, head);
  for (let at = 0; at < data.length; at += outgoing.packetSize)
    protocol.channelData(outgoing.id, data.subarray(at, at + outgoing.packetSize));
  sftp._debug?.(`SFTP: Outbound: Sent WRITE (id:${id})`);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isAsExpected(sftp: object): boolean {
  const { _protocol, outgoing, _buffer, _requests, _writeReqid, _maxWriteLen } = sftp as Partial<Inside>;
  return (
    typeof _protocol?.channelData === 'function' &&
    Array.isArray(_buffer) &&
    typeof _requests === 'object' &&
    typeof _writeReqid === 'number' &&
    typeof _maxWriteLen === 'number' &&
    typeof outgoing?.window === 'number' &&
    typeof outgoing.packetSize === 'number' &&
    outgoing.packetSize > 64
  );
}
