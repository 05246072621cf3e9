import { duplexHandle } from './duplex-handle.js';
import { http2Writer } from './http2-writer.js';
import type { TLSSocket } from './tls-socket.js';

/**
 * A TLSSocket as http2 wants it: its handle is one that http2 can read and write by itself. (Without one http2 puts a socket of its own
 * in between, and knows nothing more of ALPN, of certificates and addresses.)
 */
export function http2Socket(socket: TLSSocket): TLSSocket {
  const handle = duplexHandle(socket, (error) => socket.destroy(error), http2Writer(socket));
  // Before http2 reads by it, and after.
  Object.assign(handle, { onread: () => {} });
  // It takes the handle over before the next tick, and expects one that is reading.
  socket.resume();
  const bound = new Map<unknown, unknown>();
  return new Proxy(socket, {
    get(target, name): unknown {
      if (name === '_handle') return target.destroyed ? null : handle;
      // http2 would take what has arrived by read(), which brings it by the handle, too.
      if (name === 'readableLength') return 0;
      const value = Reflect.get(target, name);
      if (typeof value !== 'function' || name === 'constructor') return value;
      // The private members of TLSSocket are not the proxy's.
      if (!bound.has(value)) bound.set(value, value.bind(target));
      return bound.get(value);
    },
    set: (target, name, value) => Reflect.set(target, name, value),
  });
}
