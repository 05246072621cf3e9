import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { certificates } from './certificates.js';
import { listeningPort } from './listening-port.js';
import { Peer } from './peers.js';
import { waitFor } from './sockets.js';

/** What nginx serves below `/`; removed after the tests of the file. */
export const webRoot = fs.mkdtempSync(path.join(os.tmpdir(), 'so-crypt-nginx-'));
after(() => fs.rmSync(webRoot, { recursive: true }));

// nginx takes no port 0.
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await waitFor(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

interface Options {
  /** Whether nginx speaks TLS to its clients; else plain http. */
  readonly ssl?: boolean;
  /** More directives of the block `server`. */
  readonly more?: string;
}

/** An nginx on a free port that serves webRoot, by TLS 1.0 to 1.3 with any suite that OpenSSL has. */
export async function startNginx(
  t: { after(run: () => Promise<void>): void },
  { ssl = true, more = '' }: Options = {},
): Promise<number> {
  const { server, rsaServer } = certificates();
  const port = await freePort();
  const names = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const pairs = [server, rsaServer].map(
    ({ certFile, keyFile }) => `ssl_certificate ${certFile}; ssl_certificate_key ${keyFile};`,
  );
  const configuration = `daemon off; master_process off; pid ${webRoot}/pid; error_log stderr; events {}
http {
  ${names.map((name) => `${name}_temp_path ${webRoot}/${name};`).join(' ')}
  access_log off; sendfile on; client_max_body_size 0;
  server {
    listen 127.0.0.1:${port} ${ssl ? 'ssl' : ''}; root ${webRoot};
    ${pairs.join(' ')} ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_ciphers ALL:@SECLEVEL=0;
    ${more}
  }
}`;
  const file = path.join(webRoot, `nginx-${port}.conf`);
  fs.writeFileSync(file, configuration);
  const env = { PATH: `${process.env.PATH}:/usr/sbin` };
  const nginx = new Peer('nginx', ['-p', webRoot, '-c', file, '-e', 'stderr'], { timeout: 60_000, env });
  t.after(() => nginx.stop());
  await nginx.until(() => listeningPort(nginx.pid!) !== undefined, 'nginx listens');
  return port;
}
