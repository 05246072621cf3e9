// What serving a file costs the server: CPU time for 20 MB to a node:tls client in another process. Meant for the lab's instruction
// clock, where a nanosecond is an instruction: npm run -s vm -- --icount node dist/bench/lab-file.js
import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import nodeTls from 'node:tls';
import { fileURLToPath } from 'node:url';
import type { EngineChoice } from '../lib/crypt-options.js';
import * as tls from '../lib/tls.js';
import { benchCertificate, benchKey } from './certificate.js';
import { median } from './statistics.js';

const size = 20 * 1_048_576;
const program = fileURLToPath(import.meta.url);
const rounds = Number(process.env.SO_CRYPT_ROUNDS ?? 3);

interface Way {
  name: string;
  serve(file: string): Server;
}

const options = {
  key: benchKey,
  cert: benchCertificate,
  ciphers: 'TLS_AES_128_GCM_SHA256',
  minVersion: 'TLSv1.3',
} as const;

const pipe = (file: string) => (socket: NodeJS.WritableStream) => void createReadStream(file).pipe(socket);

function piped(name: string, engine: EngineChoice): Way {
  return { name: `${name}, pipe`, serve: (file) => tls.createServer({ ...options, engine }, pipe(file)) };
}

function sent(name: string, engine: EngineChoice): Way {
  const serve = (file: string): Server =>
    tls.createServer({ ...options, engine }, (socket) => {
      void socket.sendFile(file).then(() => socket.end());
    });
  return { name: `${name}, sendFile`, serve };
}

const ways: Way[] = [
  { name: 'node:tls, pipe', serve: (file) => nodeTls.createServer(options, pipe(file)) },
  piped('evp', { write: 'evp', read: 'evp' }),
  piped('ktls write, evp read', { write: 'ktls', read: 'evp' }),
  piped('ktls', { write: 'ktls', read: 'ktls' }),
  sent('evp', { write: 'evp', read: 'evp' }),
  sent('ktls write, evp read', { write: 'ktls', read: 'evp' }),
  sent('auto', {}),
];

/** A client of node:tls in a process of its own: answers with the SHA-256 of what came. */
function runClient(): void {
  process.on('message', (port: number) => {
    const hash = createHash('sha256');
    const socket = nodeTls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.on('data', (data: Buffer) => hash.update(data));
    socket.on('end', () => process.send!(hash.digest('hex')));
  });
}

async function trial(way: Way, file: string, digest: string, client: ChildProcess): Promise<number> {
  const server = way.serve(file);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  let begin: NodeJS.CpuUsage | undefined;
  server.once('secureConnection', () => {
    begin = process.cpuUsage();
  });
  client.send((server.address() as AddressInfo).port);
  const [answer] = (await once(client, 'message')) as [string];
  const { user, system } = process.cpuUsage(begin);
  server.close();
  if (answer !== digest) throw new Error(`${way.name}: the client got something else`);
  return (user + system) / 1000;
}

/** All rounds of a way, in a process of its own: what V8 has compiled for another way helps none. */
async function runServer(index: number, file: string, digest: string): Promise<void> {
  const client = fork(program, ['client']);
  const samples: number[] = [];
  for (let round = 0; round <= rounds; round++) samples.push(await trial(ways[index]!, file, digest, client));
  client.kill();
  process.send!(samples);
  process.disconnect();
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'so-crypt-bench-'));
  const file = join(folder, 'file');
  const content = Buffer.alloc(size, 'a file of 20 MB ');
  writeFileSync(file, content);
  const digest = createHash('sha256').update(content).digest('hex');
  const rows: { name: string; milliseconds: number; first: number; samples: number[] }[] = [];
  try {
    for (const [index, { name }] of ways.entries()) {
      const server = fork(program, ['server', String(index), file, digest]);
      const [[first, ...samples]] = (await once(server, 'message')) as [[number, ...number[]]];
      rows.push({ name, milliseconds: median(samples), first, samples });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  const reference = rows[0]!.milliseconds;
  const table = rows.map((row) => ({ ...row, ratio: row.milliseconds / reference }));
  process.stdout.write(`${JSON.stringify({ schema: 'so-crypt-lab-file/1', size, rows: table }, null, 1)}\n`);
}

const [role, ...rest] = process.argv.slice(2);
if (role === 'client') runClient();
else if (role === 'server') await runServer(Number(rest[0]), rest[1]!, rest[2]!);
else await main();
