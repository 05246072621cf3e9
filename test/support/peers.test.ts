import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { certificates } from './certificates.js';
import { keylogSecret, parseKeylog } from './keylog.js';
import { patient } from './patience.js';
import { curl, handshakeDone, oldTls, opensslClient, opensslServer, Peer } from './peers.js';

test('s_client talks to s_server, and both write key logs', async (t) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'so-crypt-peers-'));
  t.after(() => fs.rmSync(dir, { recursive: true }));
  const keylog = path.join(dir, 'keys');
  const { peer: server, port } = await opensslServer(['-keylogfile', keylog]);
  t.after(() => server.stop());
  const client = opensslClient(port, ['-verify_return_error', '-servername', 'localhost']);
  t.after(() => client.stop());
  client.write('to the server\n');
  await server.printed('to the server\n');
  server.write('to the client\n');
  assert.equal((await client.printed(14)).toString(), 'to the client\n');
  client.end();
  assert.equal((await client.exit()).code, 0);
  const lines = parseKeylog(fs.readFileSync(keylog, 'utf8'));
  assert.equal(keylogSecret(lines, 'CLIENT_TRAFFIC_SECRET_0').length, 48);
});

test('s_client takes command letters, and TLS 1.0 works', async (t) => {
  const { peer: server, port } = await opensslServer();
  t.after(() => server.stop());
  const client = opensslClient(port, [], { quiet: false });
  t.after(() => client.stop());
  await client.printed(handshakeDone);
  client.write('K\n');
  await client.complained('KEYUPDATE');
  client.write('Q\n');
  assert.equal((await client.exit()).code, 0);

  const old = await opensslServer(['-tls1', ...oldTls]);
  t.after(() => old.peer.stop());
  const oldClient = opensslClient(old.port, ['-tls1', ...oldTls], { quiet: false });
  t.after(() => oldClient.stop());
  await oldClient.printed('Protocol  : TLSv1\n');
});

test('curl fetches from s_server -WWW with either certificate', async (t) => {
  const { rsaServer } = certificates();
  for (const args of [[], ['-cert', rsaServer.certFile, '-key', rsaServer.keyFile]]) {
    const { peer: server, port } = await opensslServer(['-www', ...args]);
    t.after(() => server.stop());
    const { code, stdout, stderr } = await curl([`https://localhost:${port}/`]);
    assert.equal(code, 0, stderr);
    assert.match(stdout.toString(), /TLSv1\.3/);
  }
});

test('a peer that takes too long is killed, and the error says which and why', async () => {
  const { peer, port } = await opensslServer([], { timeout: 1000 });
  assert.ok(port > 0);
  await assert.rejects(
    peer.exit(),
    new RegExp(`openssl s_server .*did not end within ${patient(1000)} ms`, 's'),
  );
});

test('a missing command is named with its package', async () => {
  const peer = new Peer('curl', [], { env: { PATH: '/nonexistent' } });
  await assert.rejects(peer.exit(), /apt-get install curl/);
});

test('what s_server complains about is in the error', async () => {
  await assert.rejects(
    opensslServer(['-cipher', 'no-such-cipher']),
    /it listens; stderr: .*no cipher match/s,
  );
});
