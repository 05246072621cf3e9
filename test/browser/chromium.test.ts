import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import http2 from '../../lib/http2.js';
import https, { sendFile } from '../../lib/https.js';
import { Folder, serverOptions } from '../support/file-server.js';
import { patient } from '../support/patience.js';
import { asOurs, engine, listen } from '../support/tls-ends.js';

// A page with what a page has, loaded by Chromium over a server of ours. `npm run test:browser` installs Chromium and runs this.

const isThere = spawnSync('chromium', ['--version']).status === 0;
const skip =
  isThere || process.env.SO_CRYPT_BROWSER === 'required' ? false : 'no chromium: npm run test:browser';

const folder = new Folder();
const profile = mkdtempSync(path.join(os.tmpdir(), 'so-crypt-chromium-'));
after(() => rmSync(profile, { recursive: true, force: true }));

const SIZE = 3_000_000;
const image =
  '<svg xmlns="http://www.w3.org/2000/svg" width="70" height="30"><rect width="70" height="30"/></svg>';
const page = `<!doctype html><title>before</title><link rel="stylesheet" href="/style.css"><img id="image" src="/image.svg">
<script type="module">
  import { answer } from '/module.js';
  const big = await (await fetch('/big.bin')).arrayBuffer();
  const part = await fetch('/big.bin', { headers: { range: 'bytes=10-19' } });
  const echo = await (await fetch('/echo', { method: 'POST', body: 'x'.repeat(100000) })).text();
  const image = document.getElementById('image');
  await image.decode();
  const sum = new Uint8Array(big).reduce((a, b) => (a + b) >>> 0, 0);
  const own = performance.getEntriesByType('navigation')[0];
  // An entry comes some time after its response.
  for (let i = 0; i < 200 && performance.getEntriesByType('resource').length < 6; i++) await new Promise((resolve) => setTimeout(resolve, 10));
  const others = performance.getEntriesByType('resource');
  document.title = JSON.stringify({
    answer, bytes: big.byteLength, sum, range: [part.status, (await part.arrayBuffer()).byteLength], echo: echo.length,
    color: getComputedStyle(document.body).color, width: image.naturalWidth,
    protocols: [...new Set([own, ...others].map((entry) => entry.nextHopProtocol))],
    resources: others.length,
  });
</script><body>`;
const files: Record<string, [type: string, content: string]> = {
  '/': ['text/html', page],
  '/style.css': ['text/css', 'body { color: rgb(1, 2, 3) }'],
  '/image.svg': ['image/svg+xml', image],
  '/module.js': ['text/javascript', 'export const answer = 6 * 7;'],
};
for (const [name, [, content]] of Object.entries(files))
  writeFileSync(folder.of(name === '/' ? 'index.html' : name.slice(1)), content);
const sum = folder.make('big.bin', SIZE).reduce((a, b) => (a + b) >>> 0, 0);

const engines = new Set<unknown>();

function onRequest(request: IncomingMessage, response: ServerResponse): void {
  const session = (request as unknown as { stream?: { session: { socket: object } } }).stream?.session;
  engines.add(asOurs((session ? session.socket : request.socket) as never).crypt?.engine);
  const url = request.url!;
  if (url === '/echo') return void request.pipe(response);
  const name = url === '/' ? 'index.html' : url.slice(1);
  sendFile(request, response, folder.of(name), {
    contentType: files[url]?.[0] ?? 'application/octet-stream',
  }).catch(() => response.writeHead(404).end());
}

/** The title that the page's script has set. */
async function load(port: number): Promise<unknown> {
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'];
  const child = spawn('chromium', [
    ...args,
    '--disable-background-networking',
    '--ignore-certificate-errors',
    `--user-data-dir=${profile}`,
    `--virtual-time-budget=${patient(20_000)}`,
    '--dump-dom',
    `https://localhost:${port}/`,
  ]);
  const timer = setTimeout(() => child.kill('SIGKILL'), patient(90_000));
  let [dom, complaints] = ['', ''];
  child.stdout.on('data', (data) => {
    dom += data;
  });
  child.stderr.on('data', (data) => {
    complaints += data;
  });
  await new Promise((resolve) => child.on('close', resolve));
  clearTimeout(timer);
  const title = /<title>(\{.*\})<\/title>/.exec(dom)?.[1];
  assert.ok(title, `the script has not run: ${dom.slice(0, 500)} ${complaints.slice(-2000)}`);
  return JSON.parse(title);
}

const expected = {
  answer: 42,
  bytes: SIZE,
  sum,
  range: [206, 10],
  echo: 100_000,
  color: 'rgb(1, 2, 3)',
  width: 70,
};

for (const [name, protocol, serve] of [
  ['https', 'http/1.1', () => https.createServer(serverOptions, onRequest)],
  ['http2', 'h2', () => http2.createSecureServer({ ...serverOptions, allowHTTP1: true }, onRequest as never)],
] as const)
  test(`Chromium loads a page over ${name}`, { skip, timeout: patient(120_000) }, async () => {
    engines.clear();
    const { resources, protocols, ...seen } = (await load(await listen(serve() as never))) as Record<
      string,
      unknown
    >;
    assert.deepEqual(seen, expected);
    assert.deepEqual(protocols, [protocol]);
    assert.ok((resources as number) >= 6, `${resources} resources`);
    assert.deepEqual([...engines], [engine]);
  });
