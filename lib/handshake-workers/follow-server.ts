import type tls from 'node:tls';
import type { NamedContext } from './messages.js';
import { type AnyServer, namedContext } from './setup.js';

export interface Follower {
  /** By addContext(). Undefined: its options are not wanted. */
  contextAdded(context: NamedContext | undefined): void;
  /** By setSecureContext(). `all`: also those that are not given, as undefined. */
  secureContextSet(given: object, all: object): void;
  ticketKeysSet(): void;
}

/**
 * Tells of what is changed on a server later, when the server has it.
 *
 * @param wantsOptions those of a context, which a thread makes again. A context that can't be made again is refused then.
 */
export function followServer(server: AnyServer, wantsOptions: boolean, follower: Follower): void {
  const { addContext, setSecureContext, setTicketKeys } = server;
  const define = (name: string, value: (...args: never[]) => void): void => {
    Object.defineProperty(server, name, { value, configurable: true, writable: true });
  };
  define('addContext', (servername: string, given: tls.SecureContextOptions) => {
    const isContext = typeof servername === 'string' && typeof given === 'object' && given !== null;
    const context = wantsOptions && isContext ? namedContext(servername, given) : undefined;
    addContext.call(server, servername, given);
    if (context !== undefined || !wantsOptions) follower.contextAdded(context);
  });
  define('setSecureContext', (given: tls.SecureContextOptions) => {
    setSecureContext.call(server, given);
    follower.secureContextSet(given, { ...NO_CONTEXT, ...given });
  });
  define('setTicketKeys', (keys: Buffer) => {
    setTicketKeys.call(server, keys);
    follower.ticketKeysSet();
  });
}

// setSecureContext() replaces all of these, also by nothing.
const NO_CONTEXT = Object.fromEntries(
  [
    ...[
      'pfx',
      'key',
      'passphrase',
      'cert',
      'clientCertEngine',
      'ca',
      'minVersion',
      'maxVersion',
      'secureProtocol',
    ],
    ...['crl', 'sigalgs', 'ciphers', 'ecdhCurve', 'dhparam', 'honorCipherOrder', 'secureOptions'],
    ...['privateKeyIdentifier', 'privateKeyEngine'],
  ].map((name) => [name, undefined]),
);
