import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { page, requestListener } from '../support/http-handler.js';
import { curl } from '../support/peers.js';
import { Random } from '../support/random.js';
import { collect, sha256, waitFor } from '../support/sockets.js';
import { type Library, type TlsSocket, tested, tlsClient, tlsListener } from '../support/tls-ends.js';

const body = new Random(3).bytes(1_000_003);
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'so-crypt-curl-'));
const bodyFile = path.join(dir, 'body');
fs.writeFileSync(bodyFile, body);
after(() => fs.rmSync(dir, { recursive: true }));

async function httpsServer(library: Library = tested): Promise<{ port: number; sockets: TlsSocket[] }> {
  const web = http.createServer(requestListener());
  const sockets: TlsSocket[] = [];
  const { port } = await tlsListener(library, {}, (socket) => {
    sockets.push(socket);
    web.emit('connection', socket);
  });
  return { port, sockets };
}

const versions = [
  ['TLSv1.2', '--tls-max', '1.2'],
  ['TLSv1.3', '--tlsv1.3'],
] as const;

for (const [version, ...flags] of versions) {
  test(`curl gets and posts 1 MB, ${version}`, async () => {
    const { port, sockets } = await httpsServer();
    const url = `https://localhost:${port}/`;
    const got = await curl([...flags, url]);
    assert.deepEqual([got.code, sha256(got.stdout)], [0, sha256(page)], got.stderr);
    const posted = await curl([...flags, '--data-binary', `@${bodyFile}`, url]);
    assert.deepEqual([posted.code, sha256(posted.stdout)], [0, sha256(body)], posted.stderr);
    assert.equal(sockets.length, 2);
  });

  test(`curl asks several times on one connection, ${version}`, async () => {
    const { port, sockets } = await httpsServer();
    const urls = ['a', 'b', 'c'].map((name) => `https://localhost:${port}/${name}`);
    const { code, stdout, stderr } = await curl([...flags, ...urls]);
    assert.equal(code, 0, stderr);
    assert.equal(sha256(stdout), sha256(Buffer.concat([page, page, page])));
    assert.equal(sockets.length, 1);
    assert.equal(sockets[0]!.getProtocol(), version);
  });
}

test('curl uploads in chunks with Expect: 100-continue', async () => {
  const { port } = await httpsServer();
  const args = [
    '-T',
    bodyFile,
    '-X',
    'POST',
    '-H',
    'Transfer-Encoding: chunked',
    '-H',
    'Expect: 100-continue',
  ];
  const { code, stdout, stderr } = await curl([...args, `https://localhost:${port}/`]);
  assert.deepEqual([code, sha256(stdout)], [0, sha256(body)], stderr);
});

const clients = [
  [tested, 'node'],
  [tested, tested],
  ['node', tested],
] as const;

for (const [clientLibrary, serverLibrary] of clients)
  test(`https.request from ${clientLibrary} to ${serverLibrary}, three times on one connection`, async () => {
    const { port, sockets } = await httpsServer(serverLibrary);
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    agent.createConnection = () => tlsClient(clientLibrary, port) as unknown as net.Socket;
    for (const [method, expected] of [
      ['GET', page],
      ['POST', body],
      ['GET', page],
    ] as const) {
      const request = https.request({ port, host: 'localhost', method, agent });
      request.end(method === 'POST' ? body : undefined);
      const [response] = (await waitFor(request, 'response')) as [http.IncomingMessage];
      assert.equal(response.statusCode, 200);
      assert.equal(sha256(await collect(response)), sha256(expected));
    }
    assert.equal(sockets.length, 1);
    agent.destroy();
  });
