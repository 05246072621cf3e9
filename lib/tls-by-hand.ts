import tls from 'node:tls';
import type { Handshake } from './handshake/handshake.js';
import { viewOf } from './tls-server-view.js';
import { kComplete, kSsl, type TLSSocket, type TLSSocketOptions } from './tls-socket.js';

/**
 * The handshake of a TLSSocket that was made by `new`, without connect() and without a tls.Server: Node's own TLSSocket by hand, whose
 * events are ours.
 */
export function handshakeByHand(socket: TLSSocket, handshake: Handshake, options: TLSSocketOptions): void {
  // What belongs to the connection below is ours.
  const {
    signal: _signal,
    onread: _onread,
    allowHalfOpen: _open,
    pauseOnConnect: _pause,
    ...forNode
  } = options;
  if (options.server) forNode.server = viewOf(options.server, handshake);
  const ssl = new tls.TLSSocket(handshake.wire as never, forNode as tls.TLSSocketOptions);
  socket[kSsl] = ssl;
  ssl.on('keylog', (line: Buffer) => {
    handshake.onKeylog(line);
    socket.emit('keylog', line);
  });
  ssl.on('session', (session: Buffer) => socket.emit('session', session));
  ssl.on('OCSPResponse', (response: Buffer) => socket.emit('OCSPResponse', response));
  ssl.on('_tlsError', (error: Error) => {
    if (!ssl.destroyed) socket.emit('_tlsError', error);
  });
  ssl.on('error', (error: Error) => {
    if (!socket.destroyed) socket.destroy(error);
  });
  ssl.once('secure', () => socket[kComplete](ssl, options.isServer === true, () => socket.emit('secure')));
}
