import type tls from 'node:tls';

/** What a handshake has agreed on, as TLSSocket's properties of the same names tell. */
export interface Agreed {
  authorized: boolean;
  authorizationError: Error | null;
  alpnProtocol: string | false | null;
  servername: string | false | null;
}

/** @param ssl whose handshake is done */
export function agreedBy(ssl: tls.TLSSocket): Agreed {
  const { authorized, alpnProtocol } = ssl;
  const { servername } = ssl as unknown as { servername: string | false };
  return { authorized, authorizationError: ssl.authorizationError ?? null, alpnProtocol, servername };
}
