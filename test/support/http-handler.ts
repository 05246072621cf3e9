import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { Random } from './random.js';

/** The body that GET answers: 1 MB. */
export const page = new Random(77).bytes(1_000_003);

/**
 * A request listener of http and http2: GET answers {@link page}, POST echoes the request's body. The answer's header `socket` numbers
 * the connections.
 */
export function requestListener(): (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
) => void {
  const sockets: unknown[] = [];
  return (request, response) => {
    const connection = 'stream' in request ? request.stream.session : request.socket;
    if (!sockets.includes(connection)) sockets.push(connection);
    response.setHeader('socket', sockets.indexOf(connection));
    if (request.method === 'GET') response.end(page);
    else request.pipe(response as ServerResponse);
  };
}
