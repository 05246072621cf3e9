import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../support/random.js';
import { sha256, until } from '../support/sockets.js';
import { asOurs, engine, libraryPairs, type TlsSocket, tlsPair } from '../support/tls-ends.js';
import { suiteOnly, type TlsSuite, tlsSuites } from '../support/tls-suites.js';
import { cut, Digest, oddSizes, writeAll } from '../support/transfer.js';

const data = new Random(1).bytes(200_003);
const digest = sha256(data);

function checkFacts(socket: TlsSocket, { suite, version }: TlsSuite): void {
  assert.equal(socket.getProtocol(), version);
  assert.equal((socket.getCipher() as { name: string }).name, suite);
  assert.equal(socket.alpnProtocol, 'echo');
}

function checkEngine(socket: TlsSocket, { version, cipher, mac }: TlsSuite): void {
  const crypt = asOurs(socket).crypt!;
  const protocol = version === 'TLSv1' ? 'tls1.0' : version.toLowerCase().replace('v', '');
  assert.deepEqual(
    { engine: crypt.engine, protocol: crypt.protocol, cipher: crypt.cipher, mac: crypt.mac },
    { engine, protocol, cipher, mac },
  );
  assert.ok(crypt.write!.records > 0n && crypt.read!.records > 0n);
}

for (const pair of libraryPairs)
  for (const suite of tlsSuites)
    test(`${pair.join(' to ')}: ${suite.name}`, async () => {
      const { client, peer } = await tlsPair(pair, {
        both: { ...suiteOnly(suite) },
        client: { ALPNProtocols: ['other', 'echo'] },
        server: { ALPNProtocols: ['echo'] },
      });
      for (const socket of [client, peer]) checkFacts(socket, suite);
      assert.equal(client.authorized, true);
      peer.pipe(peer);
      const echoed = new Digest(client);
      await writeAll(client, cut(data, oddSizes));
      await until(() => echoed.length === data.length, 'all is echoed');
      pair.forEach((library, i) => {
        if (library === 'so-crypt') checkEngine([client, peer][i]!, suite);
      });
      client.end();
      await until(() => echoed.ended, 'the echo has ended');
      assert.deepEqual([echoed.length, echoed.hex()], [data.length, digest]);
    });
