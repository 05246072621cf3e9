import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import http, { type IncomingMessage } from 'node:http';
import nodeHttps from 'node:https';
import net from 'node:net';
import { test } from 'node:test';
import { fetch, Agent as UndiciAgent } from 'undici';
import https, { sendFile } from '../../lib/https.js';
import soCrypt from '../../lib/index.js';
import { certificates } from '../support/certificates.js';
import { Folder, fileServer, serverOptions } from '../support/file-server.js';
import { patient, pause } from '../support/patience.js';
import { curl } from '../support/peers.js';
import { Random } from '../support/random.js';
import { collect, sha256, until, waitFor } from '../support/sockets.js';
import { closeAfterTest, listen, tlsClient } from '../support/tls-ends.js';

const folder = new Folder();
const { ca } = certificates();

interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

/** By node:https, without keep-alive if no agent is given. */
async function ask(port: number, path: string, options: nodeHttps.RequestOptions = {}): Promise<Answer> {
  const given = { port, host: 'localhost', ca: ca.cert, path, agent: false as const, ...options };
  const request = nodeHttps.request(given);
  request.end();
  const [response] = (await waitFor(request, 'response', 20_000)) as [IncomingMessage];
  return { status: response.statusCode!, headers: response.headers, body: await collect(response) };
}

const long = folder.make('long', 1_200_017);
utimesSync(folder.of('long'), 1_700_000_000, 1_700_000_000.25);
const DATE = new Date(1_700_000_000_000).toUTCString();

test('files of all sizes around those of records and pieces, on one connection', async () => {
  const { port, results } = await fileServer(folder, { contentType: 'application/x-test' });
  const agent = closeAfterTest(new nodeHttps.Agent({ keepAlive: true, maxSockets: 1 }));
  const sizes = [
    0, 1, 2, 16_383, 16_384, 16_385, 32_768, 130_900, 131_071, 131_072, 131_073, 262_144, 524_288,
  ];
  for (const size of [...sizes, 700_000]) {
    const content = folder.make(`size-${size}`, size);
    const { status, headers, body } = await ask(port, `/size-${size}`, { agent });
    assert.equal(status, 200);
    assert.equal(headers['content-length'], `${size}`);
    assert.equal(headers['transfer-encoding'], undefined);
    assert.equal(headers['content-type'], 'application/x-test');
    assert.equal(sha256(body), sha256(content), `${size} bytes`);
  }
  for (const result of results) assert.equal((await result).status, 200);
  assert.equal((await results.at(-1)!).bytesSent, 700_000);
  assert.equal(Object.values(agent.freeSockets).flat().length, 1, 'one connection served all');
  assert.equal(folder.open, 0);
});

test('100 MB arrive as they are', async () => {
  const { port } = await fileServer(folder);
  const content = folder.make('big', patient(1) > 1 ? 10_000_000 : 100_000_000);
  const { body } = await ask(port, '/big');
  assert.equal(sha256(body), sha256(content));
});

test('validators, and what a request may ask about them', async () => {
  const { port } = await fileServer(folder, { cacheControl: 'max-age=60' });
  const { headers } = await ask(port, '/long');
  const { etag } = headers as { etag: string };
  assert.match(etag, /^"[^"]+"$/, 'strong, because the file has not changed lately');
  assert.equal(headers['last-modified'], DATE);
  assert.equal(headers['cache-control'], 'max-age=60');
  assert.equal(headers['accept-ranges'], 'bytes');
  for (const [asked, status] of [
    [{ 'if-none-match': etag }, 304],
    [{ 'if-none-match': `"other", W/${etag}` }, 304],
    [{ 'if-none-match': '*' }, 304],
    [{ 'if-none-match': '"other"' }, 200],
    [{ 'if-none-match': '"other"', 'if-modified-since': DATE }, 200],
    [{ 'if-modified-since': DATE }, 304],
    [{ 'if-modified-since': 'Mon, 01 Jan 2001 00:00:00 GMT' }, 200],
    [{ 'if-modified-since': 'no date' }, 200],
    [{ 'if-match': etag }, 200],
    [{ 'if-match': '"other"' }, 412],
    [{ 'if-match': `W/${etag}` }, 412],
    [{ 'if-unmodified-since': 'Mon, 01 Jan 2001 00:00:00 GMT' }, 412],
    [{ 'if-unmodified-since': DATE }, 200],
    [{ range: 'bytes=0-9', 'if-range': etag }, 206],
    [{ range: 'bytes=0-9', 'if-range': DATE }, 206],
    [{ range: 'bytes=0-9', 'if-range': `W/${etag}` }, 200],
    [{ range: 'bytes=0-9', 'if-range': 'Mon, 01 Jan 2001 00:00:00 GMT' }, 200],
    [{ range: 'bytes=0-9', 'if-none-match': etag }, 304],
  ] as const) {
    const answer = await ask(port, '/long', { headers: asked });
    assert.equal(answer.status, status, JSON.stringify(asked));
    assert.equal(answer.headers.etag, etag);
    assert.equal(answer.body.length, { 200: long.length, 206: 10, 304: 0, 412: 0 }[status]);
    assert.equal(answer.headers['content-length'], status === 304 ? undefined : `${answer.body.length}`);
  }
  folder.make('new', 10);
  const fresh = await ask(port, '/new');
  assert.match(fresh.headers.etag!, /^W\//, 'it may change again within the same moment');
  const head = await ask(port, '/long', { method: 'HEAD', headers: { range: 'bytes=0-9' } });
  assert.deepEqual(
    [head.status, head.headers['content-length'], head.body.length],
    [200, `${long.length}`, 0],
  );
});

test('ranges', async () => {
  const { port } = await fileServer(folder);
  const size = long.length;
  const range = async (text: string) => ask(port, '/long', { headers: { range: text } });
  for (const [text, start, end] of [
    ['bytes=0-0', 0, 0],
    ['bytes=5-1000004', 5, 1_000_004],
    ['bytes=-1', size - 1, size - 1],
    [`bytes=${size - 10}-`, size - 10, size - 1],
    [`bytes=10-${size + 1000}`, 10, size - 1],
    [`bytes=-${size + 5}`, 0, size - 1],
    ['Bytes=16384-32767', 16_384, 32_767],
  ] as const) {
    const { status, headers, body } = await range(text);
    assert.equal(status, 206, text);
    assert.equal(headers['content-range'], `bytes ${start}-${end}/${size}`);
    assert.equal(headers['content-length'], `${end - start + 1}`);
    assert.equal(sha256(body), sha256(long.subarray(start, end + 1)), text);
  }
  for (const text of [`bytes=${size}-`, 'bytes=-0', 'bytes=99999999999-']) {
    const { status, headers, body } = await range(text);
    assert.deepEqual([status, headers['content-range'], body.length], [416, `bytes */${size}`, 0], text);
  }
  // What is no range, or several, is answered with all.
  for (const text of ['bytes=9-5', 'bytes=', 'bytes=-', 'lines=1-2', 'bytes=a-b', 'bytes=0-1,5-9'])
    assert.equal((await range(text)).status, 200, text);
});

test('what the application has set is left as it is; an error page has no ranges', async () => {
  const { port } = await fileServer(folder, { status: 404, headers: { 'x-more': 'yes' } }, (_, response) => {
    response.setHeader('ETag', '"own"');
    response.setHeader('Content-Type', 'text/plain');
    response.setHeader('Last-Modified', 'Mon, 01 Jan 2001 00:00:00 GMT');
    response.setHeader('Transfer-Encoding', 'chunked');
    response.setHeader('Content-Length', '1');
  });
  const { status, headers, body } = await ask(port, '/long', {
    headers: { range: 'bytes=0-9', 'if-none-match': '"own"' },
  });
  assert.deepEqual([status, body.length], [404, long.length]);
  assert.equal(headers.etag, '"own"');
  assert.equal(headers['content-type'], 'text/plain');
  assert.equal(headers['last-modified'], 'Mon, 01 Jan 2001 00:00:00 GMT');
  assert.equal(headers['transfer-encoding'], undefined);
  assert.equal(headers['x-more'], 'yes');
});

test('curl: ranges, resuming, HEAD, HTTP/1.0, conditions, Expect', async () => {
  const { port, results } = await fileServer(folder);
  const url = `https://localhost:${port}/long`;
  const [target, etagFile] = [folder.of('curl-out'), folder.of('curl-etag')];
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await curl([...args, url]);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  assert.equal(sha256(await run('-r', '1000-999999')), sha256(long.subarray(1000, 1_000_000)));
  assert.equal(sha256(await run('-r', '-77')), sha256(long.subarray(-77)));
  writeFileSync(target, long.subarray(0, 712_345));
  await run('-C', '-', '-o', target);
  assert.equal(sha256(readFileSync(target)), sha256(long));
  assert.deepEqual(
    await results.at(-1),
    { status: 206, bytesSent: long.length - 712_345 },
    'only the rest was sent',
  );
  assert.match(
    String(await run('-I')),
    new RegExp(`^HTTP/1.1 200 OK\r\n[^]*Content-Length: ${long.length}`, 'i'),
  );
  assert.equal(sha256(await run('--http1.0', '--no-alpn')), sha256(long));
  assert.equal(sha256(await run('-H', 'Expect: 100-continue')), sha256(long));
  await run('--etag-save', etagFile, '-o', target);
  assert.equal(String(await run('--etag-compare', etagFile, '-w', '%{http_code}', '-o', target)), '304');
  assert.equal(String(await run('-z', target, '-w', '%{http_code}', '-o', '/dev/null')), '304');
  const { code } = await curl(['-f', `https://localhost:${port}/missing`]);
  assert.equal(code, 22);
});

test('undici', async () => {
  const { port } = await fileServer(folder);
  const dispatcher = new UndiciAgent({ connect: { ca: ca.cert }, pipelining: 4 });
  const url = `https://localhost:${port}/long`;
  const answers = await Promise.all(Array.from({ length: 8 }, () => fetch(url, { dispatcher })));
  for (const answer of answers) assert.equal(sha256(Buffer.from(await answer.arrayBuffer())), sha256(long));
  const part = await fetch(url, { dispatcher, headers: { range: 'bytes=7-' } });
  assert.equal(part.status, 206);
  assert.equal(sha256(Buffer.from(await part.arrayBuffer())), sha256(long.subarray(7)));
  await dispatcher.close();
});

test('requests in one packet are answered in their order', async () => {
  const content = folder.make('pipelined', 400_000);
  const server = https.createServer(serverOptions, (request, response) => {
    const [, kind, text] = request.url!.split('/');
    if (kind === 'file') void sendFile(request, response, folder.of(text!));
    else if (kind === 'later') setTimeout(() => response.end(text), 50);
    else response.end(text);
  });
  const port = await listen(server);
  const client = tlsClient('node', port);
  const paths = [
    'later/A',
    'file/pipelined',
    'now/B',
    'file/size-1',
    'later/C',
    'file/pipelined',
    'file/size-0',
  ];
  const close = (index: number) => (index === paths.length - 1 ? 'Connection: close\r\n' : '');
  client.write(paths.map((one, index) => `GET /${one} HTTP/1.1\r\nHost: a\r\n${close(index)}\r\n`).join(''));
  let rest = await collect(client);
  const bodies: Buffer[] = [];
  while (rest.length > 0) {
    const end = rest.indexOf('\r\n\r\n') + 4;
    const head = rest.toString('latin1', 0, end);
    assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
    const length = Number(/content-length: (\d+)/i.exec(head)![1]);
    bodies.push(rest.subarray(end, end + length));
    rest = rest.subarray(end + length);
  }
  const one = readFileSync(folder.of('size-1'));
  const expected = [
    Buffer.from('A'),
    content,
    Buffer.from('B'),
    one,
    Buffer.from('C'),
    content,
    Buffer.alloc(0),
  ];
  assert.deepEqual(bodies.map(sha256), expected.map(sha256));
});

test('100 transfers at the same time', async () => {
  const { port } = await fileServer(folder);
  const content = folder.make('of-100', 300_000);
  const answers = await Promise.all(Array.from({ length: 100 }, () => ask(port, '/of-100')));
  for (const { body } of answers) assert.equal(sha256(body), sha256(content));
  await until(() => folder.open === 0, 'all files are closed');
});

test('clients that go away: each promise tells, and no file stays open', async () => {
  const { port, results } = await fileServer(folder);
  const random = new Random(11);
  folder.make('abort', 20_000_000);
  const rounds = patient(1) > 1 ? 15 : 60;
  for (let i = 0; i < rounds; i++) {
    const below = closeAfterTest(net.connect(port, '127.0.0.1'));
    const client = tlsClient('node', port, { socket: below });
    for (const socket of [below, client]) socket.on('error', () => {});
    const most = random.oneIn(4) ? 0 : random.integer(0, 1_500_000);
    let got = 0;
    client.write('GET /abort HTTP/1.1\r\nHost: a\r\n\r\nGET /abort HTTP/1.1\r\nHost: a\r\n\r\n');
    client.on('data', (data: Buffer) => {
      got += data.length;
      if (got >= most) random.oneIn(2) ? client.destroy() : below.resetAndDestroy();
    });
    if (i % 3 === 0) await waitFor(client, 'close');
  }
  await until(() => results.length >= rounds, 'requests', 20_000);
  for (const result of results)
    await assert.rejects(result, ({ code }: { code: string }) =>
      ['ERR_SO_CRYPT_CLOSED', 'EPIPE', 'ECONNRESET', 'ECANCELED'].includes(code),
    );
  await until(() => folder.open === 0, 'all files are closed');
});

test('a file that is cut short destroys the connection', async () => {
  for (const [size, left] of [
    [40_000_000, 100_000],
    [40_000_000, 0],
  ] as const) {
    folder.make('shrinking', size);
    const { port, results } = await fileServer(folder);
    const request = nodeHttps.get({ port, host: 'localhost', ca: ca.cert, path: '/shrinking', agent: false });
    const [response] = (await waitFor(request, 'response')) as [IncomingMessage];
    response.pause();
    await pause(100);
    truncateSync(folder.of('shrinking'), left);
    const told = assert.rejects(results[0]!, { code: 'ERR_SO_CRYPT_FILE_TRUNCATED' });
    const cut = assert.rejects(collect(response), { code: 'ECONNRESET' });
    response.resume();
    await cut;
    await told;
  }
});

test('what is no file is told before anything is sent', async () => {
  execFileSync('mkfifo', [folder.of('fifo')]);
  const { port, results } = await fileServer(folder);
  for (const [name, code] of [
    ['missing', 'ENOENT'],
    ['', 'EISDIR'],
    ['fifo', 'ERR_INVALID_ARG_VALUE'],
    ['long/below', 'ENOTDIR'],
  ] as const) {
    const { status, body } = await ask(port, `/${name}`);
    assert.deepEqual([status, String(body)], [name === 'missing' ? 404 : 500, code]);
    await assert.rejects(results.at(-1)!, { code });
  }
  assert.equal(folder.open, 0);
});

test('the response is an ended one: no other writer comes in between, and its events come', async () => {
  const events: unknown[] = [];
  const server = https.createServer(serverOptions, (request, response) => {
    response.strictContentLength = true;
    const result = sendFile(request, response, folder.of('long'));
    // Where the kernel has the file's name at hand, that was all; else (in the lab) it is being opened.
    const isBegun = response.writableEnded;
    events.push(isBegun ? 'ended' : 'opening');
    if (isBegun) response.write('x', (error) => events.push((error as NodeJS.ErrnoException)?.code));
    response.on('error', () => {});
    response.on('finish', () => events.push('finish', response.writableFinished));
    response.on('close', () => events.push('close'));
    void result.then(() => events.push('sent'));
    if (isBegun) void sendFile(request, response, folder.of('long')).catch(({ code }) => events.push(code));
  });
  const { body } = await ask(await listen(server), '/long');
  assert.equal(sha256(body), sha256(long));
  await until(() => events.includes('close'), 'close');
  if (events.shift() === 'ended')
    for (const code of ['ERR_STREAM_WRITE_AFTER_END', 'ERR_HTTP_HEADERS_SENT'])
      assert.ok(events.splice(events.indexOf(code), 1).includes(code), code);
  assert.deepEqual([...events].sort(), ['close', 'finish', 'sent', true].sort());
});

test('an open file stays open', async () => {
  const handle = await open(folder.of('long'));
  const server = https.createServer(serverOptions, (request, response) => {
    void sendFile(request, response, handle);
  });
  const port = await listen(server);
  for (let i = 0; i < 2; i++) assert.equal(sha256((await ask(port, '/long')).body), sha256(long));
  assert.equal((await handle.read(Buffer.alloc(1), 0, 1)).bytesRead, 1);
  await handle.close();
  assert.equal(folder.open, 0);
});

test('middleware that has changed the response sees the body; servers and sockets of Node are served', async () => {
  const handler: http.RequestListener = (request, response) => {
    const { write, end } = response;
    let seen = 0;
    const count = (chunk: unknown): void => {
      if (chunk instanceof Buffer) seen += chunk.length;
    };
    if (request.url === '/wrapped') {
      response.write = function (this: http.ServerResponse, ...args: unknown[]): boolean {
        count(args[0]);
        return write.apply(this, args as never);
      } as never;
      response.end = function (this: http.ServerResponse, ...args: unknown[]) {
        count(args[0]);
        return end.apply(this, args as never);
      } as never;
    }
    void sendFile(request, response, folder.of('long')).then(() => {
      if (request.url === '/wrapped') assert.equal(seen, long.length);
    });
  };
  for (const server of [
    https.createServer(serverOptions, handler),
    nodeHttps.createServer(serverOptions, handler),
  ]) {
    const port = await listen(server as net.Server);
    for (const path of ['/wrapped', '/plain'])
      assert.equal(sha256((await ask(port, path)).body), sha256(long), path);
  }
  const own = http.createServer(handler);
  const below = soCrypt.createServer((socket) => own.emit('connection', socket));
  for (const plain of [below, http.createServer(handler)]) {
    const port = await listen(plain as net.Server);
    const request = http.get({ port, host: '127.0.0.1', agent: false });
    const [response] = (await waitFor(request, 'response')) as [IncomingMessage];
    assert.equal(sha256(await collect(response)), sha256(long));
  }
  await until(() => folder.open === 0, 'all files are closed');
  assert.ok(existsSync(folder.of('long')));
});
