import assert from 'node:assert/strict';
import fs from 'node:fs';
import https from 'node:https';
import type net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { startNginx, webRoot } from '../support/nginx.js';
import { Random } from '../support/random.js';
import { collect, sha256, waitFor } from '../support/sockets.js';
import { tested, tlsClient } from '../support/tls-ends.js';

const content = new Random(8).bytes(20 * 1_048_576);
fs.writeFileSync(path.join(webRoot, 'file'), content);

for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
  test(`20 MB from nginx, twice on one connection, ${version}`, async (t) => {
    const port = await startNginx(t);
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    let connections = 0;
    agent.createConnection = () => {
      connections++;
      return tlsClient(tested, port, { minVersion: version, maxVersion: version }) as net.Socket;
    };
    for (let i = 0; i < 2; i++) {
      const request = https.get({ agent, port, host: 'localhost', path: '/file' });
      const [response] = (await waitFor(request, 'response', 20_000)) as [
        import('node:http').IncomingMessage,
      ];
      assert.equal(response.statusCode, 200);
      assert.equal(sha256(await collect(response)), sha256(content));
    }
    assert.equal(connections, 1);
    agent.destroy();
  });
