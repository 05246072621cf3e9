import type net from 'node:net';
import { afterEach } from 'node:test';
import nodeTls from 'node:tls';
import type { EngineName } from '../../lib/index.js';
import * as ours from '../../lib/tls.js';
import { certificates } from './certificates.js';
import { waitFor } from './sockets.js';

/** Whose node:tls an end of a connection uses. */
export type Library = 'so-crypt' | 'node';

export type TlsSocket = ours.TLSSocket | nodeTls.TLSSocket;

/** The library under test. With TEST_LIBRARY=node what tests expect can be held against node:tls itself. */
export const tested: Library = process.env.TEST_LIBRARY === 'node' ? 'node' : 'so-crypt';

/** The pairs of libraries that a test should run: client, server. */
export const libraryPairs: readonly (readonly [client: Library, server: Library])[] = [
  [tested, 'node'],
  ['node', tested],
  [tested, tested],
];

/** The engine that all tests of TLS use: SO_CRYPT_ENGINE, else evp. */
export const engine = (process.env.SO_CRYPT_ENGINE || 'evp') as EngineName;

const { TEST_HANDSHAKE_WORKERS: workers, TEST_NATIVE_HANDSHAKES: nativeHandshakes } = process.env;

/** Of all servers: TEST_HANDSHAKE_WORKERS=2 has their handshakes done in so many threads, TEST_NATIVE_HANDSHAKES=no in none without JavaScript. */
export const onWorkers: ours.TlsOptions =
  workers || nativeHandshakes
    ? { handshakeWorkers: { threads: Number(workers ?? 0), native: nativeHandshakes !== 'no' } }
    : {};

interface Closable {
  destroy?(): unknown;
  close?(): unknown;
  once?(event: 'close', listener: () => void): unknown;
}

const open = new Set<Closable>();

// Whatever a test leaves open, a failed one above all, must not keep the process alive.
afterEach(() => {
  for (const one of open) (one.destroy ?? one.close)?.call(one);
  open.clear();
});

/** Destroyed or closed after the test; forgotten before when it closes by itself. */
export function closeAfterTest<T extends Closable>(one: T): T {
  open.add(one);
  one.once?.('close', () => open.delete(one));
  return one;
}

/** Listens on a free port of 127.0.0.1; closed after the test. */
export async function listen(server: net.Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await waitFor(server, 'listening');
  closeAfterTest(server);
  return (server.address() as net.AddressInfo).port;
}

export interface TlsListener {
  readonly server: ours.Server | nodeTls.Server;
  readonly port: number;
}

/** A listening tls.Server with both certificates, P-256 and RSA. Its connections are destroyed after the test. */
export async function tlsListener(
  library: Library,
  options: ours.TlsOptions = {},
  onSocket: (socket: TlsSocket) => void = () => {},
): Promise<TlsListener> {
  const { server: ec, rsaServer: rsa } = certificates();
  const all = { cert: [ec.cert, rsa.cert], key: [ec.key, rsa.key], ...options };
  const server =
    library === 'node' ? nodeTls.createServer(all) : ours.createServer({ engine, ...onWorkers, ...all });
  // Not the connection below: node:tls does not survive its being destroyed under a TLSSocket.
  server.on('secureConnection', (socket: TlsSocket) => {
    closeAfterTest(socket);
    onSocket(socket);
  });
  return { server, port: await listen(server) };
}

/** Connects to 127.0.0.1, trusting the test CA; destroyed after the test. */
export function tlsClient(library: Library, port: number, options: ours.ConnectionOptions = {}): TlsSocket {
  const all = { port, host: '127.0.0.1', servername: 'localhost', ca: certificates().ca.cert, ...options };
  return closeAfterTest(library === 'node' ? nodeTls.connect(all) : ours.connect({ engine, ...all }));
}

export interface TlsPair extends TlsListener {
  readonly client: TlsSocket;
  /** The server's end of the connection. */
  readonly peer: TlsSocket;
}

/** Options of both ends and of each. */
export interface TlsPairOptions {
  readonly both?: nodeTls.SecureContextOptions;
  readonly client?: ours.ConnectionOptions;
  readonly server?: ours.TlsOptions;
}

/** A connection whose handshake is done on both ends. */
export async function tlsPair(
  [clientLibrary, serverLibrary]: readonly [Library, Library],
  { both, client: clientOptions, server: serverOptions }: TlsPairOptions = {},
): Promise<TlsPair> {
  const listener = await tlsListener(serverLibrary, { ...both, ...serverOptions });
  const secured = waitFor(listener.server, 'secureConnection') as Promise<[TlsSocket]>;
  const client = tlsClient(clientLibrary, listener.port, { ...both, ...clientOptions });
  const [[peer]] = await Promise.all([secured, waitFor(client, 'secureConnect')]);
  return { ...listener, client, peer };
}

/** The same socket with its type, when it is one of ours. */
export function asOurs(socket: TlsSocket): ours.TLSSocket {
  if ((socket as ours.TLSSocket).crypt === undefined)
    throw new TypeError(`not of so-crypt: ${socket.constructor.name}`);
  return socket as ours.TLSSocket;
}
