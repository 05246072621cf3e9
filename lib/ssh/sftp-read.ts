import type * as Ssh2 from 'ssh2';

/** A request of ssh2's that waits for its answer. */
interface Request {
  readonly cb?: (error: Error | undefined, buffer: Buffer, length: number) => void;
  /** Where what was asked for belongs. */
  readonly buffer?: Buffer;
}

/** What ssh2's own `push` works on: it takes the channel's data, cut anywhere, and handles the packets in them. */
interface Inside {
  push(data: Buffer | null): unknown;
  readonly outgoing: { readonly state: string };
  readonly _requests: Record<number, Request | undefined>;
  readonly _version: number;
  readonly _maxInPktLen: number;
  /** Of the present packet: bytes of the length field that have come, the length, and bytes of the rest that have come. */
  readonly _pktLenBytes: number;
  readonly _pktLen: number;
  readonly _pktPos: number;
  readonly _debug: ((message: string) => void) | undefined;
}

/** An SSH_FXP_DATA that comes. */
interface Arrival {
  readonly id: number;
  readonly request: Request;
  readonly length: number;
  taken: number;
}

// draft-ietf-secsh-filexfer-02 7: uint32 length, byte type, uint32 id, string data
const SSH_FXP_DATA = 103;
const HEAD = 13;
/** Answers of so many bytes are worth it. */
const LONG = 8192;

/**
 * SSH_FXP_DATA without ssh2's copy of the packet (whose memory is new for each, and page faults cost more than the copy): what comes for a
 * request that has a buffer goes there as it comes. All else is ssh2's business.
 */
export function readWithoutCopy(sftp: Ssh2.SFTPWrapper): void {
  if (!isAsExpected(sftp)) return;
  const { push } = sftp;
  let arrival: Arrival | undefined;
  const value = function (this: Inside, data: Buffer | null): unknown {
    if (data === null) return push.call(this, data);
    for (let at = 0; at < data.length; ) {
      if (arrival === undefined) arrival = begin(this, data, at);
      if (arrival === undefined) {
        const end = endOfPacket(this, data, at);
        push.call(this, data.subarray(at, end));
        at = end;
        if (this.outgoing.state === 'closing') return; // ssh2 has found an error
        continue;
      }
      if (arrival.taken === 0) at += HEAD;
      const part = data.subarray(at, at + arrival.length - arrival.taken);
      part.copy(arrival.request.buffer!, arrival.taken);
      arrival.taken += part.length;
      at += part.length;
      if (arrival.taken < arrival.length) return;
      const whole = arrival;
      arrival = undefined;
      finish(this, whole);
    }
  };
  Object.defineProperty(sftp, 'push', { value, writable: true, configurable: true });
}

function begin(sftp: Inside, data: Buffer, at: number): Arrival | undefined {
  if (sftp._pktLenBytes > 0 || data.length - at <= HEAD || data[at + 4] !== SSH_FXP_DATA) return undefined;
  const length = data.readUInt32BE(at + 9);
  const total = data.readUInt32BE(at);
  if (length < LONG || total !== HEAD - 4 + length || total > sftp._maxInPktLen || sftp._version < 0)
    return undefined;
  const id = data.readUInt32BE(at + 5);
  const request = sftp._requests[id];
  if (typeof request?.cb !== 'function' || !request.buffer || length > request.buffer.length)
    return undefined;
  return { id, request, length, taken: 0 };
}

function finish(sftp: Inside, { id, request, length }: Arrival): void {
  if (sftp._requests[id] !== request) return; // the channel was closed, and the request failed
  delete sftp._requests[id];
  sftp._debug?.(`SFTP: Inbound: Received DATA (id:${id}, ${length})`);
  request.cb!(undefined, request.buffer!, length);
}

/** Where the packet ends that ssh2 is in, or that begins here, as far as that is known. */
function endOfPacket(
  { _pktLenBytes: known, _pktLen: length, _pktPos: taken }: Inside,
  data: Buffer,
  at: number,
): number {
  const rest = data.length - at;
  let missing = 4 - known;
  if (known === 4) missing = length - taken;
  else if (known === 0 && rest >= 4) missing = 4 + data.readUInt32BE(at);
  return missing <= 0 ? data.length : Math.min(data.length, at + missing);
}

function isAsExpected(sftp: object): sftp is Inside {
  const { push, outgoing, _requests, _version, _maxInPktLen, _pktLenBytes, _pktLen, _pktPos } =
    sftp as Partial<Inside>;
  return (
    typeof push === 'function' &&
    typeof outgoing?.state === 'string' &&
    typeof _requests === 'object' &&
    [_version, _maxInPktLen, _pktLenBytes, _pktLen, _pktPos].every((value) => typeof value === 'number')
  );
}
