import assert from 'node:assert/strict';
import http2 from 'node:http2';
import { test } from 'node:test';
import { page, requestListener } from '../support/http-handler.js';
import { curl } from '../support/peers.js';
import { Random } from '../support/random.js';
import { collect, sha256, waitFor } from '../support/sockets.js';
import {
  closeAfterTest,
  type Library,
  libraryPairs,
  tested,
  tlsClient,
  tlsListener,
} from '../support/tls-ends.js';

const body = new Random(4).bytes(1_000_003);

async function http2Server(library: Library): Promise<number> {
  const web = http2.createServer(requestListener());
  const { port } = await tlsListener(library, { ALPNProtocols: ['h2'] }, (socket) => {
    assert.equal(socket.alpnProtocol, 'h2');
    web.emit('connection', socket);
  });
  return port;
}

for (const [clientLibrary, serverLibrary] of libraryPairs)
  test(`http2 from ${clientLibrary} to ${serverLibrary}, eight requests at once`, async () => {
    const port = await http2Server(serverLibrary);
    const socket = tlsClient(clientLibrary, port, { ALPNProtocols: ['h2'] });
    await waitFor(socket, 'secureConnect');
    const session = http2.connect('https://localhost', { createConnection: () => socket });
    closeAfterTest(session);
    const requests = Array.from({ length: 8 }, async (_, i) => {
      const method = i % 2 ? 'POST' : 'GET';
      const stream = session.request({ ':method': method, ':path': '/' });
      stream.end(method === 'POST' ? body : undefined);
      const [headers] = (await waitFor(stream, 'response')) as [
        http2.IncomingHttpHeaders & { socket: string },
      ];
      assert.equal(headers.socket, '0');
      assert.equal(sha256(await collect(stream)), sha256(method === 'POST' ? body : page));
    });
    await Promise.all(requests);
    const closed = waitFor(session, 'close');
    session.close();
    await closed;
  });

for (const flag of ['--tlsv1.3', '--tls-max=1.2'] as const)
  test(`curl --http2, several requests at once, ${flag}`, async () => {
    const url = `https://localhost:${await http2Server(tested)}/`;
    const args = ['--http2', '--write-out', '%{http_version}', ...flag.split('=')];
    const { code, stdout, stderr } = await curl([
      ...args,
      '--parallel',
      '--parallel-immediate',
      url,
      url,
      url,
    ]);
    assert.equal(code, 0, stderr);
    assert.equal(stdout.length, 3 * (page.length + 1));
  });
