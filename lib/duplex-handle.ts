import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import { type JSStream, newJSStream, UV_ECANCELED, UV_EPIPE } from './js-stream.js';

/** Writes chunks of so many bytes together; the callback may come before this returns if nothing has gone wrong. */
export type WriteChunks = (
  chunks: readonly Buffer[],
  length: number,
  callback: (error?: Error | null) => void,
) => void;

/**
 * A handle that reads and writes a Duplex. `failed` hears of a stream that brings no bytes.
 *
 * @param writeChunks by which it writes for http2, which may hear of a write's end before that returns; undefined: for a net.Socket
 */
export function duplexHandle(
  stream: Duplex,
  failed: (error: Error) => void,
  writeChunks?: WriteChunks,
): JSStream {
  const handle = newJSStream();
  let closed = false;
  let write: object | null = null;
  let queued = 0;
  let shutdown: object | null = null;

  const finishWrite = (request: object, status: number): void => {
    if (write !== request) return;
    write = null;
    queued = 0;
    handle.finishWrite(request, status);
    if (shutdown !== null && !closed) startShutdown(shutdown);
  };
  const finishShutdown = (request: object, status: number): void => {
    if (shutdown !== request) return;
    shutdown = null;
    handle.finishShutdown(request, status);
  };
  const startShutdown = (request: object): void => {
    process.nextTick(() => stream.end(() => finishShutdown(request, 0)));
  };

  Object.defineProperty(handle, 'writeQueueSize', { get: () => queued });
  handle.isClosing = () => closed || !stream.readable || !stream.writable;
  handle.onreadstart = () => {
    stream.resume();
    return 0;
  };
  handle.onreadstop = () => {
    stream.pause();
    return 0;
  };
  handle.onwrite = (request, chunks) => {
    if (closed) return UV_ECANCELED;
    write = request;
    queued = chunks.reduce((sum, { length }) => sum + length, 0);
    if (writeChunks !== undefined) {
      writeChunks(chunks, queued, (error) => finishWrite(request, error ? numberOf(error) : 0));
      return 0;
    }
    const done = (error?: Error | null): void => {
      // Not at once: who writes has not been told yet that it takes time.
      setImmediate(() => finishWrite(request, error ? numberOf(error) : 0));
    };
    stream.write(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, queued), done);
    return 0;
  };
  handle.onshutdown = (request) => {
    shutdown = request;
    if (write === null) startShutdown(request);
    return 0;
  };
  handle.close = (callback) => {
    if (closed) return;
    closed = true;
    stream.destroy();
    setImmediate(() => {
      if (write !== null) finishWrite(write, UV_ECANCELED);
      if (shutdown !== null) finishShutdown(shutdown, UV_ECANCELED);
      callback?.();
    });
  };

  const onData = (chunk: unknown): void => {
    if (closed) return;
    if (chunk instanceof Uint8Array && !stream.readableObjectMode) return handle.readBuffer(chunk as Buffer);
    stream.removeListener('data', onData);
    stream.pause();
    const error = new Error('Stream has StringDecoder set or is in objectMode');
    failed(Object.assign(error, { code: 'ERR_STREAM_WRAP' }));
  };
  stream.pause();
  stream.on('data', onData);
  stream.once('end', () => {
    if (!closed) handle.emitEOF();
  });
  return handle;
}

function numberOf(error: NodeJS.ErrnoException): number {
  const name = error.code as keyof typeof constants.errno;
  return name in constants.errno ? -constants.errno[name] : UV_EPIPE;
}
