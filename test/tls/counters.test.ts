import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../support/sockets.js';
import { libraryPairs, type TlsPair, type TlsSocket, tlsPair } from '../support/tls-ends.js';

const counters = (...sockets: TlsSocket[]) => sockets.map((s) => [s.bytesRead, s.bytesWritten]);

async function send({ client, peer }: TlsPair, length: number): Promise<void> {
  let arrived = 0;
  peer.on('data', (chunk: Buffer) => {
    arrived += chunk.length;
  });
  client.write(Buffer.alloc(length));
  await until(() => arrived === length, 'all has arrived');
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
  for (const libraries of [['node', 'node'] as const, ...libraryPairs])
    test(`bytesRead and bytesWritten are those of the application: ${libraries}, ${version}`, async () => {
      const pair = await tlsPair(libraries, { both: { minVersion: version, maxVersion: version } });
      const { client, peer } = pair;
      assert.deepEqual(counters(client, peer), [
        [0, 0],
        [0, 0],
      ]);
      await send(pair, 100_000);
      assert.deepEqual(counters(client, peer), [
        [0, 100_000],
        [100_000, 0],
      ]);
    });
