import type * as Ssh2 from 'ssh2';

/** Bytes that a request asks for or brings: at least so many, or it is ssh2's business, and at most what OpenSSH takes. */
const LEAST = 131_072;
const MOST = 261_120;
/** Those of all that are on their way: as many as a window of ssh2's has. */
const IN_FLIGHT = 2 * 1024 * 1024;

/** ssh2's own names for the most that the server takes. */
interface Limits {
  readonly _maxReadLen?: unknown;
  readonly _maxWriteLen?: unknown;
}

type Transfer = Ssh2.SFTPWrapper['fastGet'];
type Options = Ssh2.TransferOptions | undefined;

/**
 * `fastGet` and `fastPut` of ssh2 send a request for each 32 KB, and what surrounds it (a call of the thread pool, a wake-up on both sides)
 * costs several times what the cipher does. With a server that takes larger ones fewer do. Who gives chunkSize or concurrency, decides.
 */
export function transferInLargeSteps(sftp: Ssh2.SFTPWrapper): void {
  const { _maxReadLen: read, _maxWriteLen: write } = sftp as Limits;
  replace(sftp, 'fastGet', read);
  replace(sftp, 'fastPut', write);
}

function replace(sftp: Ssh2.SFTPWrapper, name: 'fastGet' | 'fastPut', most: unknown): void {
  const transfer = sftp[name] as (...args: unknown[]) => void;
  if (typeof transfer !== 'function' || typeof most !== 'number' || most < LEAST) return;
  const step = Math.min(most, MOST);
  const value = function (this: Ssh2.SFTPWrapper, from: string, to: string, ...rest: unknown[]): void {
    const options = typeof rest[0] === 'function' ? undefined : (rest.shift() as Options);
    transfer.call(this, from, to, inLargeSteps(options, step), ...rest);
  } as Transfer;
  Object.defineProperty(sftp, name, { value, writable: true, configurable: true });
}

function inLargeSteps(options: Options, step: number): Options {
  if (options?.chunkSize !== undefined || options?.concurrency !== undefined) return options;
  return { ...options, chunkSize: step, concurrency: Math.floor(IN_FLIGHT / step) };
}
