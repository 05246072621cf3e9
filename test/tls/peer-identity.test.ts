import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import type nodeTls from 'node:tls';
import { createSecureContext } from '../../lib/tls.js';
import { certificates } from '../support/certificates.js';
import { waitFor } from '../support/sockets.js';
import {
  libraryPairs,
  type TlsSocket,
  tested,
  tlsClient,
  tlsListener,
  tlsPair,
} from '../support/tls-ends.js';

const versions = ['TLSv1.2', 'TLSv1.3'] as const;
const { ca, client: clientCredential, server: serverCredential, rsaServer } = certificates();

for (const libraries of libraryPairs)
  for (const version of versions) {
    const name = `${libraries.join(' to ')}, ${version}`;
    const both = { minVersion: version, maxVersion: version };

    test(`certificates of both sides: ${name}`, async () => {
      const { client, peer } = await tlsPair(libraries, {
        both,
        client: { cert: clientCredential.cert, key: clientCredential.key },
        server: { ca: ca.cert, requestCert: true },
      });
      assert.deepEqual([client.authorized, peer.authorized], [true, true]);
      assert.deepEqual([client.authorizationError, peer.authorizationError], [null, null]);
      const shown = new X509Certificate(clientCredential.cert);
      const seen = peer.getPeerCertificate(true) as nodeTls.DetailedPeerCertificate;
      assert.equal(seen.fingerprint256, shown.fingerprint256);
      assert.equal(seen.issuerCertificate.fingerprint256, new X509Certificate(ca.cert).fingerprint256);
      const plain = peer.getPeerCertificate() as nodeTls.DetailedPeerCertificate;
      assert.deepEqual([plain.fingerprint256, plain.issuerCertificate], [shown.fingerprint256, undefined]);
      assert.equal(peer.getPeerX509Certificate()?.fingerprint256, shown.fingerprint256);
      const own = (peer.getCertificate() as nodeTls.PeerCertificate).fingerprint256;
      assert.equal((client.getPeerCertificate() as nodeTls.PeerCertificate).fingerprint256, own);
      assert.equal(peer.getX509Certificate()?.fingerprint256, own);
      assert.equal(client.getX509Certificate()?.fingerprint256, shown.fingerprint256);
    });

    test(`what both sides know is the same: ${name}`, async () => {
      const { client, peer } = await tlsPair(libraries, {
        both,
        client: { ALPNProtocols: ['b', 'a'] },
        server: { ALPNProtocols: ['a', 'b'] },
      });
      assert.equal(client.getProtocol(), version);
      assert.deepEqual(client.getCipher(), peer.getCipher());
      assert.deepEqual([client.alpnProtocol, peer.alpnProtocol], ['a', 'a']);
      assert.equal((peer as unknown as { servername: string }).servername, 'localhost');
      assert.deepEqual(client.getFinished(), peer.getPeerFinished());
      assert.deepEqual(client.getPeerFinished(), peer.getFinished());
      assert.ok(client.getFinished()!.length >= 12);
      assert.ok(peer.getSharedSigalgs().length > 0);
      assert.equal(client.isSessionReused(), false);
      assert.deepEqual(peer.getPeerCertificate(), {});
      for (const context of [undefined, Buffer.alloc(0), Buffer.from('context')]) {
        const exported = [client, peer].map((socket) =>
          socket.exportKeyingMaterial(40, 'EXPORTER-test', context as Buffer).toString('hex'),
        );
        assert.equal(exported[0], exported[1]);
        assert.equal(exported[0]!.length, 80);
      }
      assert.notDeepEqual(
        client.exportKeyingMaterial(32, 'one', Buffer.alloc(1)),
        client.exportKeyingMaterial(32, 'two', Buffer.alloc(1)),
      );
    });
  }

test('an unknown client certificate: authorized false, or refused', async () => {
  const strange = { cert: serverCredential.cert, key: serverCredential.key };
  const { peer } = await tlsPair([tested, tested], {
    client: strange,
    server: { ca: rsaServer.cert, requestCert: true, rejectUnauthorized: false },
  });
  assert.equal(peer.authorized, false);
  assert.ok(String(peer.authorizationError).length > 0);

  const { server, port } = await tlsListener(tested, {
    ca: rsaServer.cert,
    requestCert: true,
    maxVersion: 'TLSv1.2',
  });
  const failed = waitFor(server, 'tlsClientError') as Promise<[Error]>;
  const client = tlsClient(tested, port, strange);
  client.on('error', () => {});
  await new Promise((resolve) => client.resume().once('close', resolve));
  assert.ok((await failed)[0] instanceof Error);
});

test('a server that can not be verified is refused, with the error that node:tls has', async () => {
  const { port } = await tlsListener(tested);
  const cases = [
    [{ ca: rsaServer.cert }, /UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY/],
    [{ servername: 'elsewhere.example' }, /ERR_TLS_CERT_ALTNAME_INVALID/],
    [{ checkServerIdentity: () => Object.assign(new Error('no'), { code: 'OWN' }) }, /OWN/],
  ] as const;
  for (const [options, code] of cases) {
    const client = tlsClient(tested, port, options);
    client.on('secureConnect', () => assert.fail('it was accepted'));
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => client.once('error', resolve));
    assert.match(String(error.code), code);
  }
  const trusting = tlsClient(tested, port, { ca: rsaServer.cert, rejectUnauthorized: false });
  await waitFor(trusting, 'secureConnect');
  assert.equal(trusting.authorized, false);
});

test('SNI chooses the context: addContext, and a callback that takes its time', async () => {
  const contexts = { rsa: createSecureContext(rsaServer) };
  for (const how of ['addContext', 'SNICallback'] as const) {
    const { server, port } = await tlsListener(tested, {
      ...(how === 'SNICallback' && {
        SNICallback: (name, done) =>
          setTimeout(() => done(null, name === 'rsa.test' ? contexts.rsa : undefined), 10),
      }),
      cert: serverCredential.cert,
      key: serverCredential.key,
    });
    if (how === 'addContext') server.addContext('rsa.test', rsaServer);
    const names: unknown[] = [];
    const seen: unknown[] = [];
    server.on('secureConnection', (socket: TlsSocket) => {
      const { servername } = socket as unknown as { servername: string };
      names.push(servername, socket.getX509Certificate()?.fingerprint256);
    });
    for (const servername of ['rsa.test', 'localhost']) {
      const client = tlsClient(tested, port, { servername, checkServerIdentity: () => undefined });
      await waitFor(client, 'secureConnect');
      seen.push(servername, client.getPeerX509Certificate()?.fingerprint256);
      await new Promise((resolve) => client.resume().once('close', resolve).end());
    }
    assert.deepEqual(names, seen);
  }
});

test("'keylog' on both sides tells the same secrets", async () => {
  const { server, port } = await tlsListener(tested);
  const lines: Record<string, string[]> = { server: [], client: [] };
  server.on('keylog', (line: Buffer, socket: TlsSocket) => {
    assert.ok(socket);
    lines.server!.push(String(line));
  });
  const client = tlsClient(tested, port);
  client.on('keylog', (line: Buffer) => lines.client!.push(String(line)));
  await Promise.all([waitFor(client, 'secureConnect'), waitFor(server, 'secureConnection')]);
  assert.ok(lines.server!.length >= 5);
  assert.deepEqual(lines.server!.sort(), lines.client!.sort());
});
