// nginx with suites of each kind, from both sides: a download from it, and an upload that it passes on to a server of ours.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import nodeHttps from 'node:https';
import type net from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { createServer } from '../../lib/https.js';
import type { TLSSocket } from '../../lib/tls.js';
import { certificates } from '../support/certificates.js';
import { startNginx, webRoot } from '../support/nginx.js';
import { Random } from '../support/random.js';
import { collect, sha256, waitFor } from '../support/sockets.js';
import { asOurs, engine, listen, tlsClient } from '../support/tls-ends.js';
import { suiteOnly, type TlsSuite, tlsSuites } from '../support/tls-suites.js';

const content = new Random(9).bytes(2_000_003);
fs.writeFileSync(path.join(webRoot, 'file'), content);

const kinds = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES128-SHA',
  'AES128-SHA',
  'ECDHE-ECDSA-AES128-SHA256',
  'ECDHE-ECDSA-AES256-SHA384',
];
const suites = tlsSuites.filter(({ suite, version }) => kinds.includes(suite) && version !== 'TLSv1.1');

function check(socket: TLSSocket, { cipher, mac, suite }: TlsSuite): void {
  const crypt = socket.crypt!;
  assert.deepEqual([crypt.engine, crypt.cipher, crypt.mac], [engine, cipher, mac]);
  assert.equal((socket.getCipher() as { name: string }).name, suite);
}

for (const suite of suites)
  test(`from nginx: ${suite.name}`, async (t) => {
    const port = await startNginx(t);
    const socket = asOurs(tlsClient('so-crypt', port, suiteOnly(suite)));
    await waitFor(socket, 'secureConnect');
    check(socket, suite);
    const agent = new nodeHttps.Agent();
    agent.createConnection = () => socket as unknown as net.Socket;
    const request = nodeHttps.get({ agent, host: 'localhost', port, path: '/file' });
    const [response] = (await waitFor(request, 'response', 20_000)) as [IncomingMessage];
    assert.equal(sha256(await collect(response)), sha256(content));
    agent.destroy();
  });

/** Answers an upload with the same bytes. */
async function startEcho(suite: TlsSuite, onSocket: (socket: TLSSocket) => void): Promise<number> {
  const { server: ec, rsaServer: rsa } = certificates();
  const options = { cert: [ec.cert, rsa.cert], key: [ec.key, rsa.key], engine, ...suiteOnly(suite) };
  const server = createServer(options, async (request, response) => {
    onSocket(request.socket as unknown as TLSSocket);
    response.end(await collect(request));
  });
  return listen(server);
}

/** nginx's directives for this suite to a server behind it. */
function upstream(port: number, { version, suite }: TlsSuite): string {
  const { ca } = certificates();
  const suites =
    version === 'TLSv1.3'
      ? `proxy_ssl_conf_command Ciphersuites ${suite};`
      : `proxy_ssl_ciphers ${suite}:@SECLEVEL=0;`;
  return `location /up {
    proxy_pass https://127.0.0.1:${port}; proxy_ssl_protocols ${version}; ${suites}
    proxy_ssl_trusted_certificate ${ca.certFile}; proxy_ssl_verify on; proxy_ssl_name localhost; proxy_http_version 1.1;
    proxy_request_buffering off;
  }`;
}

async function upload(t: TestContext, suite: TlsSuite): Promise<TLSSocket | undefined> {
  let seen: TLSSocket | undefined;
  const behind = await startEcho(suite, (socket) => {
    check(socket, suite);
    seen = socket;
  });
  const port = await startNginx(t, { ssl: false, more: upstream(behind, suite) });
  const request = http.request({ host: '127.0.0.1', port, path: '/up', method: 'POST' });
  request.end(content);
  const [response] = (await waitFor(request, 'response', 20_000)) as [IncomingMessage];
  assert.equal(response.statusCode, 200);
  assert.equal(sha256(await collect(response)), sha256(content));
  return seen;
}

for (const suite of suites)
  test(`by nginx to a server of ours: ${suite.name}`, async (t) => {
    assert.ok(await upload(t, suite));
  });
