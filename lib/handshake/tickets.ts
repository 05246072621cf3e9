import type tls from 'node:tls';
import { TLS_MAX_FRAGMENT } from '../frame-layouts.js';
import type { Sealer } from '../native/records.js';
import { native } from '../native.js';
import { specOf } from './hand-over.js';
import { suiteOf } from './suite.js';

/** Seals tickets that reached the engine for OpenSSL, which waits for them under the first read key. */
export function ticketSealer(ssl: tls.TLSSocket, secret: Uint8Array): Sealer {
  const { cipher } = suiteOf(ssl.getProtocol() ?? '', ssl.getCipher().standardName);
  return new native.Sealer({
    ...specOf(cipher, secret),
    maxFragment: TLS_MAX_FRAGMENT,
    padTo: 0,
    splitFirst: false,
  });
}
