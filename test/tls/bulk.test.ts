import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Random } from '../support/random.js';
import { sha256, until, waitFor } from '../support/sockets.js';
import { libraryPairs, tlsPair } from '../support/tls-ends.js';
import { readSlowly, writeAtRandom } from '../support/transfer.js';

const [up, down] = [randomBytes(20_000_003), randomBytes(20_000_003)];

for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
  libraryPairs.forEach((libraries, i) => {
    test(`20 MB each way at the same time: ${libraries.join(' to ')}, ${version}`, async () => {
      const both = { minVersion: version, maxVersion: version };
      const { client, peer } = await tlsPair(libraries, { both });
      const [atPeer, atClient] = [readSlowly(peer, new Random(i)), readSlowly(client, new Random(10 + i))];
      await Promise.all([
        writeAtRandom(client, up, new Random(20 + i)),
        writeAtRandom(peer, down, new Random(30 + i)),
      ]);
      await until(() => atPeer.length >= up.length && atClient.length >= down.length, 'all has come', 15_000);
      assert.equal(atPeer.hex(), sha256(up));
      assert.equal(atClient.hex(), sha256(down));
      const closed = Promise.all([waitFor(client, 'close'), waitFor(peer, 'close')]);
      client.end();
      await closed;
      assert.deepEqual([atClient.ended, atPeer.ended], [true, true]);
      assert.deepEqual([atPeer.length, atClient.length], [up.length, down.length]);
    });
  });
