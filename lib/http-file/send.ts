import type { OutgoingHttpHeaders } from 'node:http';
import { type FileSource, OpenFile } from '../open-file.js';
import { sendBySocket, sendByStream } from './body.js';
import { decide, type Validators } from './conditions.js';
import { type FileRequest, type FileResponse, Reply } from './reply.js';
import { versionOf } from './version.js';

/** Options of {@link sendFile}. A header that the application has set on the response is left as it is. */
export interface HttpFileOptions {
  /** Default 200. With any other there are neither preconditions nor ranges. */
  status?: number;
  /** Content-Type. There is no table of types here: without it, and without the header set, none is sent. */
  contentType?: string;
  /** Cache-Control. */
  cacheControl?: string;
  /** An entity tag, quoted (RFC 9110 8.8.3); false: none. Default: of the file's size and time, and weak if it has changed just now. */
  etag?: string | false;
  /** Last-Modified. Default true. */
  lastModified?: boolean;
  /** Range requests. Default true. */
  ranges?: boolean;
  /** More headers, by lower-case names. */
  headers?: OutgoingHttpHeaders;
}

/** What a request was answered with. */
export interface HttpFileResult {
  /** 200 or the option, 206, 304, 412, 416. */
  status: number;
  /** Of the file. */
  bytesSent: number;
}

/** A file that has changed so lately may change again within the resolution of its time. */
const SETTLED_MS = 2000;

/**
 * Answers a request with a file: ranges (one; several are answered with all of the file), preconditions, HEAD. On a socket of ours the
 * file goes as by {@link Socket.sendFile}, by sendfile(2) where a kernel engine carries the connection or can take it over; over http2
 * and through middleware that has changed the response it goes by streams.
 *
 * The response is ended by this: the application must not write to it. When it rejects before anything was sent, the response is as it
 * was and the application can answer otherwise; after that the connection is destroyed (http2: the stream is reset), so that the client
 * does not take what it has for all.
 *
 * @param source a path, which must be one that this client may have, or an open file, which stays open
 * @returns when the kernel (http2: the stream) has all of it
 * @throws (rejects with) what fs says (ENOENT, EISDIR …), ERR_HTTP_HEADERS_SENT; SoCryptError ERR_SO_CRYPT_CLOSED: the client is gone,
 *   ERR_SO_CRYPT_FILE_TRUNCATED: the file was cut short meanwhile; the socket's error
 */
export function sendFile(
  request: FileRequest,
  response: FileResponse,
  source: FileSource,
  options: HttpFileOptions = {},
): Promise<HttpFileResult> {
  let file: OpenFile | undefined;
  try {
    const reply = new Reply(request, response);
    reply.assertFresh();
    file = OpenFile.openCached(source);
    if (file !== undefined) return answer(reply, file, options);
    return OpenFile.open(source).then((opened) => {
      try {
        reply.assertFresh();
        return answer(reply, opened, options);
      } catch (error) {
        opened.close();
        throw error;
      }
    });
  } catch (error) {
    file?.close();
    return Promise.reject(error);
  }
}

function answer(reply: Reply, file: OpenFile, options: HttpFileOptions): Promise<HttpFileResult> {
  const { status = 200, contentType, cacheControl, ranges = true } = options;
  Object.assign(reply.own, options.headers);
  // The length is known, and the file is not in chunks.
  reply.remove('transfer-encoding', 'content-length');
  if (contentType !== undefined) reply.offer('content-type', contentType);
  if (cacheControl !== undefined) reply.offer('cache-control', cacheControl);
  const validators = validatorsOf(reply, file, options);
  if (ranges && status === 200) reply.offer('accept-ranges', 'bytes');
  let decision = status === 200 ? decide(reply.method, reply.headers, validators, file.size) : undefined;
  if (!ranges && (decision?.status === 206 || decision?.status === 416)) decision = undefined;
  switch (decision?.status) {
    case 304:
    case 412:
    case 416:
      reply.remove('content-type', 'content-encoding', 'content-language');
      if (decision.status !== 304) reply.own['content-length'] = 0;
      if (decision.status === 416) reply.own['content-range'] = `bytes */${file.size}`;
      return sendNothing(reply, file, decision.status);
    case 206:
      reply.own['content-range'] = `bytes ${decision.start}-${decision.end}/${file.size}`;
      return send(reply, file, 206, decision.start, decision.end - decision.start + 1);
    default:
      return send(reply, file, status, 0, file.size);
  }
}

function validatorsOf(reply: Reply, file: OpenFile, options: HttpFileOptions): Validators {
  const now = Date.now();
  const changed = file.seconds * 1000;
  const isSettled = Math.abs(now - changed) > SETTLED_MS;
  const { etag, lastModified = true } = options;
  if (typeof etag === 'string') reply.offer('etag', etag);
  else if (etag !== false && reply.get('etag') === undefined)
    reply.own.etag = `${isSettled ? '' : 'W/'}"${versionOf(file).tag}"`;
  let told: number | undefined;
  const date = reply.get('last-modified');
  if (date !== undefined) {
    told = Date.parse(date);
  } else if (lastModified) {
    // A time to come is not told (RFC 9110 8.8.2.1).
    told = Math.min(changed, Math.trunc(now / 1000) * 1000);
    reply.own['last-modified'] = told === changed ? versionOf(file).date : new Date(told).toUTCString();
  }
  return {
    etag: reply.get('etag'),
    lastModified: told === undefined || Number.isNaN(told) ? undefined : told,
    isDateStrong: isSettled,
  };
}

function sendNothing(reply: Reply, file: OpenFile, status: number): Promise<HttpFileResult> {
  file.close();
  reply.begin(status, true);
  return Promise.resolve({ status, bytesSent: 0 });
}

function send(
  reply: Reply,
  file: OpenFile,
  status: number,
  start: number,
  length: number,
): Promise<HttpFileResult> {
  reply.own['content-length'] = length;
  if (length === 0 || reply.method === 'HEAD') return sendNothing(reply, file, status);
  reply.begin(status, false);
  const { socket } = reply;
  const sent =
    socket === undefined
      ? sendByStream(reply, file, start, length)
      : sendBySocket(socket, reply, file, start, length);
  return sent.then(() => ({ status, bytesSent: length }));
}
