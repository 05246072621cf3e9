import http, { type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import http2, {
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Stream,
  type IncomingHttpHeaders as StreamHeaders,
} from 'node:http2';
import type { Writable } from 'node:stream';
import { SoCryptError } from '../errors.js';
import type { Socket } from '../socket.js';
import { kState } from '../socket-internals.js';

/** A request of http, https or http2, or the headers of a stream of http2. */
export type FileRequest = IncomingMessage | Http2ServerRequest | StreamHeaders;
/** A response of http, https or http2, or a stream of http2. */
export type FileResponse = http.ServerResponse | Http2ServerResponse | ServerHttp2Stream;

/** Node's name of the bytes that a response has written; the same for all. */
let counter: symbol | undefined;

const ordinary = http.OutgoingMessage.prototype;

/** A response of any of these kinds, before its header is sent. */
export class Reply {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** Of the response, beside those that the application has set on it. */
  readonly own: OutgoingHttpHeaders = {};
  readonly #request: FileRequest;
  readonly #response: FileResponse;

  constructor(request: FileRequest, response: FileResponse) {
    this.#request = request;
    this.#response = response;
    const isMessage = request instanceof http.IncomingMessage || request instanceof http2.Http2ServerRequest;
    this.method = `${isMessage ? request.method : request[':method']}`;
    this.headers = isMessage ? request.headers : request;
  }

  /** @throws ERR_HTTP_HEADERS_SENT, ERR_SO_CRYPT_CLOSED */
  assertFresh(): void {
    const response = this.#response;
    // (A stream whose request is HEAD has ended.)
    if (response.headersSent || ('writeHead' in response && response.writableEnded))
      throw Object.assign(new Error('The response has begun already: sendFile makes all of it'), {
        code: 'ERR_HTTP_HEADERS_SENT',
      });
    const below = 'stream' in response ? response.stream : response;
    const isGone = 'method' in this.#request && (this.#request as IncomingMessage).socket?.destroyed;
    if ((below as { destroyed?: boolean } | undefined)?.destroyed !== false || isGone) throw closed();
  }

  get(name: string): string | undefined {
    const response = this.#response;
    const value = this.own[name] ?? ('getHeader' in response ? response.getHeader(name) : undefined);
    return value === undefined ? undefined : String(value);
  }

  /** Unless the application has set it. */
  offer(name: string, value: string): void {
    if (this.get(name) === undefined) this.own[name] = value;
  }

  remove(...names: string[]): void {
    const response = this.#response;
    for (const name of names) {
      delete this.own[name];
      if ('removeHeader' in response) response.removeHeader(name);
    }
  }

  /** The socket of ours that http writes this response to by itself, without somebody's wrapper in between. */
  get socket(): Socket | undefined {
    const response = this.#response;
    if (!(response instanceof http.ServerResponse)) return undefined;
    if (response.end !== ordinary.end || response.write !== ordinary.write) return undefined;
    const { socket } = this.#request as IncomingMessage;
    // (Not by instanceof, for which Node's sockets are instances, too.)
    return kState in socket ? (socket as Socket) : undefined;
  }

  /** Sends the header, or has it sent with the body if there is one. */
  begin(status: number, isEmpty: boolean): void {
    const response = this.#response;
    if ('writeHead' in response) {
      if (response instanceof http.ServerResponse) response.writeHead(status, this.own);
      else response.writeHead(status, this.own);
      if (isEmpty) response.end();
    } else {
      response.respond({ ...this.own, ':status': status }, { endStream: isEmpty });
    }
  }

  /** All of the body; its length is told by Content-Length, whatever the Buffer's is. */
  end(body: Buffer, length: number): void {
    const response = this.#response as http.ServerResponse & Record<symbol, unknown>;
    // For the option strictContentLength, which counts what passes write() and end().
    counter ??= Object.getOwnPropertySymbols(response).find(
      ({ description }) => description === 'kBytesWritten',
    );
    if (counter !== undefined) response[counter] = length;
    response.end(body);
  }

  /** Takes the body. With http2 the stream itself, which tells whether it got all of it. */
  get sink(): Writable {
    const response = this.#response;
    return 'stream' in response ? response.stream : response;
  }
}

export function closed(): SoCryptError {
  return new SoCryptError('ERR_SO_CRYPT_CLOSED', 'The client has closed the connection');
}
