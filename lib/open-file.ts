import fs from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { native } from './native.js';

/** What a file to be sent is given by: a path, or an open file, which stays open. */
export type FileSource = string | URL | FileHandle;

const open = promisify(fs.open);
const stat = promisify(fs.fstat as (fd: number, options: { bigint: true }, callback: StatCallback) => void);
type StatCallback = (error: NodeJS.ErrnoException | null, stats: fs.BigIntStats) => void;

const facts = new Float64Array(3);

/** A regular file that is open for reading, and what its inode said at that moment. */
export class OpenFile {
  readonly size: number;
  /** Of the last change. */
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly #handle: FileHandle | undefined;
  #fd: number;

  private constructor(
    fd: number,
    handle: FileHandle | undefined,
    size: number,
    seconds: number,
    nanoseconds: number,
  ) {
    this.#fd = fd;
    this.#handle = handle;
    this.size = size;
    this.seconds = seconds;
    this.nanoseconds = nanoseconds;
  }

  /** Negative when it has been closed. */
  get fd(): number {
    return this.#handle?.fd ?? this.#fd;
  }

  /** Opens a file whose name and inode the kernel has in memory: that takes microseconds. undefined: {@link open} has to. */
  static openCached(path: FileSource): OpenFile | undefined {
    const { kernel } = native;
    if (kernel?.openCached === undefined || typeof path !== 'string' || path.includes('\0')) return undefined;
    // Node's permission model is not asked by an addon.
    if ((process as { permission?: unknown }).permission !== undefined) return undefined;
    const fd = kernel.openCached(path, facts);
    return fd < 0 ? undefined : new OpenFile(fd, undefined, facts[0]!, facts[1]!, facts[2]!);
  }

  /** @throws (rejects with) what fs says; EISDIR for a folder, ERR_INVALID_ARG_VALUE for what else is no regular file */
  static async open(source: FileSource): Promise<OpenFile> {
    const isPath = typeof source === 'string' || source instanceof URL;
    // O_NONBLOCK: opening a FIFO must not wait for its writer.
    const fd = isPath ? await open(source, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK) : source.fd;
    try {
      const stats = await (isPath ? stat(fd, { bigint: true }) : source.stat({ bigint: true }));
      if (!stats.isFile()) throw notRegular(stats.isDirectory());
      const seconds = stats.mtimeNs / 1_000_000_000n;
      const nanoseconds = stats.mtimeNs % 1_000_000_000n;
      const handle = isPath ? undefined : source;
      return new OpenFile(fd, handle, Number(stats.size), Number(seconds), Number(nanoseconds));
    } catch (error) {
      if (isPath) fs.closeSync(fd);
      throw error;
    }
  }

  /**
   * Reads into a Buffer, at once where that needs no waiting: then the callback runs before this returns. 0 bytes: the file ends before
   * the offset.
   */
  read(
    buffer: Buffer,
    length: number,
    offset: number,
    callback: (error: Error | null, bytesRead: number) => void,
  ): void {
    const { fd } = this;
    if (fd < 0) return callback(Object.assign(new Error('EBADF: the file is closed'), { code: 'EBADF' }), 0);
    const result = native.kernel?.readCached?.(fd, buffer, length, offset) ?? -1;
    if (result >= 0) callback(null, result);
    // What is wrong, if it is more than that the bytes are not in memory, is told by this.
    else fs.read(fd, buffer, 0, length, offset, callback);
  }

  /** Closes what {@link open} has opened. */
  close(): void {
    if (this.#handle !== undefined || this.#fd < 0) return;
    const fd = this.#fd;
    this.#fd = -1;
    fs.closeSync(fd);
  }
}

function notRegular(isDirectory: boolean): Error {
  return isDirectory
    ? Object.assign(new Error('EISDIR: illegal operation on a directory, read'), {
        code: 'EISDIR',
        syscall: 'read',
      })
    : Object.assign(new Error('sendFile takes a regular file'), { code: 'ERR_INVALID_ARG_VALUE' });
}
