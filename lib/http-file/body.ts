import { finished, pipeline } from 'node:stream/promises';
import { SoCryptError } from '../errors.js';
import type { OpenFile } from '../open-file.js';
import { FileTransfer } from '../send-file.js';
import type { Socket } from '../socket.js';
import { kPlace, kState } from '../socket-internals.js';
import { closed, type Reply } from './reply.js';

/** Bytes that are read at once for a stream. */
const PIECE = 65_536;

/** Up to here a file is read at once. */
const WHOLE = 131_072;

/**
 * The file as the body of a response of http on a socket of ours: an empty Buffer that http writes in its turn, behind the header, takes
 * the file's place, and the socket sends the file when it comes to it.
 */
export function sendBySocket(
  socket: Socket,
  reply: Reply,
  file: OpenFile,
  start: number,
  length: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const onEnd = (error?: Error): void => (error ? reject(error) : resolve());
    const end = start + length - 1;
    const transfer = new FileTransfer(file, { start, end }, { mustComplete: true, onEnd });
    const place = socket[kPlace](transfer);
    try {
      reply.end(place, length);
    } catch (error) {
      socket[kState]!.files?.delete(place);
      transfer.cancel();
      reject(error as Error);
    }
  });
}

/** The same by whatever streams are there: http2, sockets of others, responses that a middleware has changed. */
export async function sendByStream(
  reply: Reply,
  file: OpenFile,
  start: number,
  length: number,
): Promise<void> {
  const { sink } = reply;
  try {
    if (length > WHOLE) {
      await pipeline(contentOf(file, start, length), sink);
    } else {
      // What is wrong with the file destroys the response, as it does in a pipeline.
      const content = await readWhole(file, start, length).catch((error) => {
        sink.destroy(error);
        throw error;
      });
      sink.end(content);
      await finished(sink, { readable: false });
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET' ? closed() : error;
  } finally {
    file.close();
  }
}

function read(file: OpenFile, buffer: Buffer, offset: number): Promise<number> {
  return new Promise((resolve, reject) => {
    file.read(buffer, buffer.length, offset, (error, count) => {
      if (error) reject(error);
      // Its end must not be taken for that of the response.
      else if (count === 0) reject(cutShort(offset));
      else resolve(count);
    });
  });
}

async function readWhole(file: OpenFile, start: number, length: number): Promise<Buffer> {
  const content = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; ) at += await read(file, content.subarray(at), start + at);
  return content;
}

async function* contentOf(file: OpenFile, start: number, length: number): AsyncGenerator<Buffer> {
  for (let sent = 0; sent < length; ) {
    const buffer = Buffer.allocUnsafe(Math.min(PIECE, length - sent));
    const count = await read(file, buffer, start + sent);
    sent += count;
    yield buffer.subarray(0, count);
  }
}

function cutShort(size: number): SoCryptError {
  return new SoCryptError('ERR_SO_CRYPT_FILE_TRUNCATED', `The file was cut short at ${size}`);
}
