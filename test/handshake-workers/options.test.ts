import assert from 'node:assert/strict';
import { test } from 'node:test';
import nodeTls, { type ConnectionOptions } from 'node:tls';
import http2 from '../../lib/http2.js';
import https from '../../lib/https.js';
import * as tls from '../../lib/tls.js';
import { certificates } from '../support/certificates.js';
import { waitFor } from '../support/sockets.js';
import { type TlsSocket, tlsClient, tlsListener } from '../support/tls-ends.js';

const { server: ec, rsaServer: rsa } = certificates();
const ecOnly = { cert: ec.cert, key: ec.key };
// (OpenSSL prefers an EC certificate, and SNI adds one to the server's.)
const rsaOnly = { cert: rsa.cert, key: rsa.key };

const refusal = (code: string, text: string) => (error: unknown) =>
  (error as NodeJS.ErrnoException).code === code && String(error).includes(text);

test('what threads can not do is refused at once, by its name', () => {
  const makers = [tls.createServer, https.createServer, http2.createSecureServer] as ((
    o: object,
  ) => unknown)[];
  for (const make of makers) {
    for (const name of ['ALPNCallback', 'pskCallback'])
      assert.throws(
        () => make({ ...ecOnly, handshakeWorkers: 1, [name]: () => undefined }),
        refusal('ERR_SO_CRYPT_UNSUPPORTED', name),
      );
    for (const wrong of [
      -1,
      1.5,
      '2',
      Number.NaN,
      true,
      { threads: -1 },
      { threads: 1, mostInFlight: 0 },
      null,
    ])
      assert.throws(
        () => make({ ...ecOnly, handshakeWorkers: wrong }),
        refusal('ERR_SO_CRYPT_INVALID_OPTION', 'handshakeWorkers'),
      );
    for (const none of [0, { threads: 0 }, { threads: 0, native: false }])
      make({ ...ecOnly, handshakeWorkers: none, ALPNCallback: () => undefined });
  }
});

test("a context of node:tls, which can't go to a thread", async () => {
  const foreign = nodeTls.createSecureContext(ecOnly);
  const { server, port } = await tlsListener('so-crypt', {
    handshakeWorkers: 1,
    SNICallback: (_name, done) => done(null, foreign),
  });
  assert.throws(
    () => (server as tls.Server).addContext('other', foreign as never),
    refusal('ERR_SO_CRYPT_UNSUPPORTED', 'createSecureContext'),
  );
  const failed = waitFor(server, 'tlsClientError', 20_000);
  tlsClient('node', port).on('error', () => {});
  const [error] = await failed;
  assert.ok(refusal('ERR_SO_CRYPT_UNSUPPORTED', 'createSecureContext')(error));
});

test('SNICallback: its errors, no answer in time, contexts many times', async () => {
  const contexts = [tls.createSecureContext(ecOnly), tls.createSecureContext(rsaOnly)];
  const { server, port } = await tlsListener('so-crypt', {
    ...rsaOnly,
    handshakeWorkers: 2,
    handshakeTimeout: 1000,
    SNICallback: (name, done) => {
      if (name === 'error.test') done(new Error('no such name'));
      else if (name !== 'silent.test') done(null, contexts[name === 'ec.test' ? 0 : 1]);
    },
  });
  for (const [servername, expected] of [
    ['error.test', /no such name/],
    ['silent.test', /ERR_TLS_HANDSHAKE_TIMEOUT/],
  ] as const) {
    const failed = waitFor(server, 'tlsClientError', 20_000) as Promise<[NodeJS.ErrnoException, TlsSocket]>;
    tlsClient('node', port, { servername }).on('error', () => {});
    const [error, socket] = await failed;
    assert.match(`${error.code} ${error.message}`, expected);
    socket.destroy();
  }
  for (let i = 0; i < 8; i++) {
    const servername = i % 3 === 0 ? 'ec.test' : 'rsa.test';
    const client = tlsClient('node', port, { servername, checkServerIdentity: () => undefined });
    await waitFor(client, 'secureConnect', 20_000);
    const { asymmetricKeyType } = client.getPeerX509Certificate()!.publicKey;
    assert.equal(asymmetricKeyType, i % 3 === 0 ? 'ec' : 'rsa');
    client.destroy();
  }
});

test('setSecureContext, addContext and setTicketKeys reach all threads', async () => {
  const { server, port } = await tlsListener('so-crypt', { ...rsaOnly, handshakeWorkers: 2 });
  const typeFor = async (servername: string): Promise<string | undefined> => {
    const client = tlsClient('node', port, { servername, checkServerIdentity: () => undefined });
    await waitFor(client, 'secureConnect', 20_000);
    const { asymmetricKeyType } = client.getPeerX509Certificate()!.publicKey;
    client.destroy();
    return asymmetricKeyType;
  };
  const both = async (servername: string): Promise<(string | undefined)[]> =>
    Promise.all([typeFor(servername), typeFor(servername)]);
  assert.deepEqual(await both('localhost'), ['rsa', 'rsa']);
  server.addContext('later.test', tls.createSecureContext(ecOnly) as never);
  assert.deepEqual(await both('later.test'), ['ec', 'ec']);
  assert.deepEqual(await both('localhost'), ['rsa', 'rsa']);
  server.setSecureContext(ecOnly);
  assert.deepEqual(await both('localhost'), ['ec', 'ec']);

  const resumes = async (session: Buffer): Promise<boolean> => {
    const client = tlsClient('node', port, { session });
    await waitFor(client, 'secureConnect', 20_000);
    const reused = client.isSessionReused();
    client.destroy();
    return reused;
  };
  const first = tlsClient('node', port);
  const [ticket] = (await waitFor(first, 'session')) as [Buffer];
  first.destroy();
  assert.equal(await resumes(ticket), true);
  const keys = server.getTicketKeys();
  server.setTicketKeys(Buffer.alloc(48, 7));
  assert.equal(await resumes(ticket), false);
  server.setTicketKeys(keys);
  assert.equal(await resumes(ticket), true);
});

test('OCSP: the application is asked, and its answer goes to the client', async () => {
  const { server, port } = await tlsListener('so-crypt', { ...ecOnly, handshakeWorkers: 1 });
  server.on(
    'OCSPRequest',
    (certificate: Buffer, _issuer: unknown, done: (error: null, answer: Buffer) => void) => {
      assert.ok(Buffer.isBuffer(certificate) && certificate.length > 100);
      setTimeout(() => done(null, Buffer.from('stapled')), 5);
    },
  );
  const client = tlsClient('node', port, { requestOCSP: true } as ConnectionOptions);
  const [answer] = await waitFor(client, 'OCSPResponse', 20_000);
  assert.equal(String(answer), 'stapled');
});

test('the program’s defaults hold in the threads', async () => {
  const before = tls.default.DEFAULT_MAX_VERSION;
  tls.default.DEFAULT_MAX_VERSION = 'TLSv1.2';
  try {
    const { port } = await tlsListener('so-crypt', { ...ecOnly, handshakeWorkers: 1 });
    const client = tlsClient('node', port, { maxVersion: 'TLSv1.3' });
    await waitFor(client, 'secureConnect', 20_000);
    assert.equal(client.getProtocol(), 'TLSv1.2');
  } finally {
    tls.default.DEFAULT_MAX_VERSION = before;
  }
});

test('more contexts and protocols than are remembered', async () => {
  const count = 270;
  const names = Array.from({ length: count }, (_, i) => `n${i}.test`);
  const contexts = names.map(() => tls.createSecureContext(ecOnly));
  const { port } = await tlsListener(
    'so-crypt',
    {
      ...rsaOnly,
      handshakeWorkers: 1,
      ALPNProtocols: names,
      SNICallback: (name, done) => done(null, contexts[names.indexOf(name)]),
    },
    (socket) => {
      const { servername } = socket as unknown as { servername: string };
      const { asymmetricKeyType } = socket.getX509Certificate()!.publicKey;
      socket.end(`${servername} ${socket.alpnProtocol} ${asymmetricKeyType}`);
    },
  );
  const visit = async (name: string): Promise<void> => {
    const options = { servername: name, ALPNProtocols: [name], checkServerIdentity: () => undefined };
    const client = tlsClient('node', port, options);
    assert.equal(String((await waitFor(client, 'data', 60_000))[0]), `${name} ${name} ec`);
    client.destroy();
  };
  // Each once, and the first ones again, which are forgotten by then.
  for (let i = 0; i < count + 20; i += 10)
    await Promise.all(Array.from({ length: 10 }, (_, j) => visit(names[(i + j) % count]!)));
});
