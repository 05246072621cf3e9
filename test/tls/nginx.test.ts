import assert from 'node:assert/strict';
import fs from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { certificates } from '../support/certificates.js';
import { listeningPort } from '../support/listening-port.js';
import { Peer } from '../support/peers.js';
import { Random } from '../support/random.js';
import { collect, sha256, waitFor } from '../support/sockets.js';
import { tested, tlsClient } from '../support/tls-ends.js';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'so-crypt-nginx-'));
after(() => fs.rmSync(folder, { recursive: true }));
const content = new Random(8).bytes(20 * 1_048_576);
fs.writeFileSync(path.join(folder, 'file'), content);

// nginx takes no port 0.
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await waitFor(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** An nginx that serves the folder by https on a free port. */
async function startNginx(t: { after(run: () => Promise<void>): void }): Promise<number> {
  const { server } = certificates();
  const port = await freePort();
  const names = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const configuration = `daemon off; master_process off; pid ${folder}/pid; error_log stderr; events {}
http {
  ${names.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  access_log off; sendfile on;
  server {
    listen 127.0.0.1:${port} ssl; root ${folder};
    ssl_certificate ${server.certFile}; ssl_certificate_key ${server.keyFile}; ssl_protocols TLSv1.2 TLSv1.3;
  }
}`;
  fs.writeFileSync(path.join(folder, 'nginx.conf'), configuration);
  const env = { PATH: `${process.env.PATH}:/usr/sbin` };
  const nginx = new Peer('nginx', ['-p', folder, '-c', path.join(folder, 'nginx.conf'), '-e', 'stderr'], {
    timeout: 60_000,
    env,
  });
  t.after(() => nginx.stop());
  await nginx.until(() => listeningPort(nginx.pid!) !== undefined, 'nginx listens');
  return port;
}

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
