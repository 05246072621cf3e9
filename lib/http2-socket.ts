import { duplexHandle } from './duplex-handle.js';
import { http2Writer } from './http2-writer.js';
import { Relay } from './relay/relay.js';
import type { TLSSocket } from './tls-socket.js';

/**
 * A TLSSocket as http2 wants it: its handle is one that http2 can read and write by itself. (Without one http2 puts a socket of its own
 * in between, and knows nothing more of ALPN, of certificates and addresses.)
 */
export function http2Socket(socket: TLSSocket): TLSSocket {
  let known: object | undefined;
  const handleOf = (): object => {
    if (socket.secureConnecting) return notYet;
    if (known === undefined) {
      known = Relay.attach(socket)?.handle ?? handleOver(socket);
      // http2 takes the handle over before the next tick, and expects one that is reading.
      socket.resume();
    }
    return known;
  };
  const bound = new Map<unknown, unknown>();
  return new Proxy(socket, {
    get(target, name): unknown {
      if (name === '_handle') return target.destroyed ? null : handleOf();
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

/** What http2 looks at until the handshake is done. */
const notYet = { isStreamBase: true };

function handleOver(socket: TLSSocket): object {
  const handle = duplexHandle(socket, (error) => socket.destroy(error), http2Writer(socket));
  // Before http2 reads by it, and after.
  return Object.assign(handle, { onread: () => {} });
}
