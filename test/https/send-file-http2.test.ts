import assert from 'node:assert/strict';
import { truncateSync } from 'node:fs';
import nodeHttp2 from 'node:http2';
import nodeHttps from 'node:https';
import { test } from 'node:test';
import http2, { sendFile } from '../../lib/http2.js';
import { certificates } from '../support/certificates.js';
import { Folder, serverOptions } from '../support/file-server.js';
import { pause } from '../support/patience.js';
import { curl } from '../support/peers.js';
import { collect, sha256, until, waitFor } from '../support/sockets.js';
import { closeAfterTest, listen } from '../support/tls-ends.js';

const folder = new Folder();
const { ca } = certificates();
const long = folder.make('long', 1_000_017);
folder.make('empty', 0);
const errors: string[] = [];
const note = ({ code }: NodeJS.ErrnoException): unknown => errors.push(`${code}`);

/** Answers by the request and response of the compatibility API, and below /stream by the stream. */
async function serve(): Promise<number> {
  const options = { ...serverOptions, allowHTTP1: true };
  const server = http2.createSecureServer(options, (request, response) => {
    if (request.url.startsWith('/stream')) return;
    sendFile(request, response, folder.of(request.url.slice(1)), { contentType: 'text/x' }).catch((error) => {
      note(error);
      if (!response.headersSent) response.writeHead(404).end();
    });
  });
  server.on('stream', (stream, headers) => {
    const path = `${headers[':path']}`;
    if (!path.startsWith('/stream/')) return;
    stream.on('error', () => {});
    sendFile(headers, stream, folder.of(path.slice(8)), { contentType: 'text/x' }).catch((error) => {
      note(error);
      if (!stream.headersSent) stream.respond({ ':status': 404 }, { endStream: true });
    });
  });
  return listen(server);
}

async function ask(session: nodeHttp2.ClientHttp2Session, path: string, headers: object = {}) {
  const stream = session.request({ ':path': path, ...headers });
  const [answer] = (await waitFor(stream, 'response', 20_000)) as [nodeHttp2.IncomingHttpHeaders];
  return { answer, body: await collect(stream) };
}

for (const prefix of ['', '/stream'])
  test(`http2, ${prefix ? 'streams' : 'the compatibility API'}: the same answers as over https`, async () => {
    const port = await serve();
    const session = closeAfterTest(nodeHttp2.connect(`https://localhost:${port}`, { ca: ca.cert }));
    const { answer, body } = await ask(session, `${prefix}/long`);
    assert.equal(sha256(body), sha256(long));
    assert.equal(answer['content-length'], `${long.length}`);
    assert.equal(answer['content-type'], 'text/x');
    const etag = answer.etag!;
    const several = await Promise.all(Array.from({ length: 6 }, () => ask(session, `${prefix}/long`)));
    for (const one of several) assert.equal(sha256(one.body), sha256(long));
    for (const [headers, status, expected] of [
      [{ range: 'bytes=1000-70000' }, 206, long.subarray(1000, 70_001)],
      [{ range: 'bytes=9999999-' }, 416, Buffer.alloc(0)],
      [{ 'if-none-match': etag }, 304, Buffer.alloc(0)],
      [{ ':method': 'HEAD' }, 200, Buffer.alloc(0)],
    ] as const) {
      const part = await ask(session, `${prefix}/long`, headers);
      assert.equal(part.answer[':status'], status);
      assert.equal(sha256(part.body), sha256(expected));
    }
    assert.equal((await ask(session, `${prefix}/empty`)).body.length, 0);
    errors.length = 0;
    assert.equal((await ask(session, `${prefix}/missing`)).answer[':status'], 404);
    assert.deepEqual(errors, ['ENOENT']);

    // A client that goes away, and a file that is cut short: the stream is reset.
    const gone = session.request({ ':path': `${prefix}/long` });
    await waitFor(gone, 'response', 20_000);
    gone.close(nodeHttp2.constants.NGHTTP2_CANCEL);
    await until(() => errors.length === 2, 'the promise of the stream that was reset');
    assert.equal(errors[1], 'ERR_SO_CRYPT_CLOSED');
    folder.make('shrinking', 20_000_000);
    const cut = session.request({ ':path': `${prefix}/shrinking` });
    await waitFor(cut, 'response', 20_000);
    await pause(100);
    truncateSync(folder.of('shrinking'), 1000);
    await assert.rejects(collect(cut), { code: 'ERR_HTTP2_STREAM_ERROR' });
    assert.equal(errors[2], 'ERR_SO_CRYPT_FILE_TRUNCATED');
    await until(() => folder.open === 0, 'all files are closed');
  });

test('a server with allowHTTP1 sends files to both kinds of clients', async () => {
  const port = await serve();
  for (const version of ['--http1.1', '--http2']) {
    const { code, stdout } = await curl([version, `https://localhost:${port}/long`]);
    assert.deepEqual([code, sha256(stdout)], [0, sha256(long)]);
  }
  const request = nodeHttps.get({ port, host: 'localhost', ca: ca.cert, path: '/long', agent: false });
  const [response] = await waitFor(request, 'response');
  assert.equal(sha256(await collect(response as never)), sha256(long));
});
