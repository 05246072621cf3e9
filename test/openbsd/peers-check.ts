// SPDX-License-Identifier: MIT
// The kernel's records on real connections with openssl s_server and s_client, which echo: argv[2] is so_crypt_test.
import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { certificates } from '../support/certificates.js';
import { listeningPort } from '../support/listening-port.js';

const program = process.argv[2]!;
const { server } = certificates();
const seclevel = '@SECLEVEL=0';

/** Resolves with stdout; the child is killed after a time, and its output is the error. */
function finished(child: ChildProcessWithoutNullStreams, what: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(Buffer.concat(out).toString());
      else reject(new Error(`${what}: ${code ?? signal}\n${Buffer.concat(out)}${Buffer.concat(err)}`));
    });
  });
}

function echo(args: readonly string[]): ChildProcessWithoutNullStreams {
  const child = spawn('openssl', args);
  child.stdin.on('error', () => {});
  child.stdout.pipe(child.stdin);
  child.stderr.resume();
  return child;
}

interface Case {
  protocol: number;
  suite: string;
  etm?: boolean;
  updates?: number;
}

const versions = ['', '-tls1', '-tls1_1', '-tls1_2', '-tls1_3'];
const bytes = 300_000;
// CCM is not among those that openssl offers by itself.
const suites13 = [
  '-ciphersuites',
  `TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256`,
];

async function withServer({ protocol, suite, etm = false, updates = 0 }: Case): Promise<string> {
  const peer = echo([
    's_server',
    '-accept',
    '127.0.0.1:0',
    '-cert',
    server.certFile,
    '-key',
    server.keyFile,
    '-quiet',
    versions[protocol]!,
    '-cipher',
    `ALL:${seclevel}`,
    ...suites13,
  ]);
  try {
    let port: number | undefined;
    for (let tries = 0; port === undefined && tries < 1000; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      port = listeningPort(peer.pid!);
    }
    const args = ['connect', port, protocol, suite, etm ? 1 : 0, updates, bytes].map(String);
    return await finished(spawn(program, args), args.join(' '));
  } finally {
    peer.kill('SIGKILL');
  }
}

async function withClient({ protocol, suite, etm = false, updates = 0 }: Case): Promise<string> {
  const args = ['accept', 0, protocol, suite, etm ? 1 : 0, updates, bytes].map(String);
  const child = spawn(program, args, { env: { ...process.env, CERT: server.certFile, KEY: server.keyFile } });
  const done = finished(child, args.join(' '));
  const port = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      const match = /port (\d+)/.exec(chunk.toString());
      if (match) resolve(match[1]!);
    });
    done.catch(reject);
  });
  const peer = echo([
    's_client',
    '-connect',
    `127.0.0.1:${port}`,
    '-quiet',
    versions[protocol]!,
    '-cipher',
    `ALL:${seclevel}`,
    ...suites13,
  ]);
  try {
    return await done;
  } finally {
    peer.kill('SIGKILL');
  }
}

const cases: Case[] = [
  { protocol: 4, suite: 'TLS_AES_128_GCM_SHA256', updates: 3 },
  { protocol: 4, suite: 'TLS_AES_256_GCM_SHA384', updates: 3 },
  { protocol: 4, suite: 'TLS_CHACHA20_POLY1305_SHA256', updates: 3 },
  { protocol: 4, suite: 'TLS_AES_128_CCM_SHA256', updates: 3 },
  { protocol: 4, suite: 'TLS_AES_128_CCM_8_SHA256', updates: 3 },
  { protocol: 3, suite: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
  { protocol: 3, suite: 'ECDHE-ECDSA-AES128-CCM' },
  { protocol: 3, suite: 'ECDHE-ECDSA-AES256-CCM8' },
  { protocol: 3, suite: 'ECDHE-ECDSA-AES256-GCM-SHA384' },
  { protocol: 3, suite: 'ECDHE-ECDSA-CHACHA20-POLY1305' },
  { protocol: 3, suite: 'ECDHE-ECDSA-AES128-SHA' },
  { protocol: 3, suite: 'ECDHE-ECDSA-AES128-SHA', etm: true },
  { protocol: 3, suite: 'ECDHE-ECDSA-AES128-SHA256', etm: true },
  { protocol: 3, suite: 'ECDHE-ECDSA-AES256-SHA384' },
  { protocol: 3, suite: 'ECDHE-ECDSA-AES256-SHA384', etm: true },
  { protocol: 2, suite: `ECDHE-ECDSA-AES256-SHA:${seclevel}` },
  { protocol: 1, suite: `ECDHE-ECDSA-AES128-SHA:${seclevel}` },
  { protocol: 1, suite: `ECDHE-ECDSA-AES128-SHA:${seclevel}`, etm: true },
];
for (const one of cases) {
  for (const run of [withServer, withClient]) {
    const out = await run(one);
    const counted = /done updates=(\d+) tickets=(\d+)/.exec(out);
    assert.ok(counted, out);
    // Our KeyUpdates ask for one each; s_server sends two tickets.
    assert.equal(Number(counted[1]) > 0, one.protocol === 4, 'updates');
    assert.equal(Number(counted[2]), one.protocol === 4 && run === withServer ? 2 : 0, 'tickets');
  }
}
process.stdout.write(`ok - ${cases.length * 2} connections with openssl, ${bytes} bytes each way\n`);
