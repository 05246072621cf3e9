import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from './child.js';
import type { HttpsResult } from './document.js';
import type { HttpsJob } from './https-job.js';
import { cpuTimeOf, h2load, wrk } from './https-load.js';
import { Nginx } from './nginx.js';
import type { Progress } from './progress.js';
import { median, ratio, round } from './statistics.js';

/** What is asked for; `memory` is made by the program (nginx: a file), the others are files. */
const contents = [
  { name: '1 KB', path: 'memory', bytes: 1000, isHttp2: false },
  { name: '100 KB file', path: 'file-100k', bytes: 100_000, isHttp2: false },
  { name: '1 MB file', path: 'file-1m', bytes: 1_000_000, isHttp2: false },
  { name: '1 KB, http2', path: 'memory', bytes: 1000, isHttp2: true },
  { name: '100 KB file, http2', path: 'file-100k', bytes: 100_000, isHttp2: true },
] as const;

const WARM_REQUESTS = 10_000;

interface Server {
  readonly way: string;
  readonly isHttp2: boolean;
  readonly pid: number;
  readonly port: number;
}

interface Sample {
  readonly perSecond: number;
  readonly cpuUs: number;
}

/**
 * Responses of https servers to a load generator on the same machine: node:https with createReadStream().pipe(), so-crypt with sendFile(),
 * nginx with one process. Short rounds in turn, after a warm-up of each.
 */
export async function runHttps(
  ways: readonly string[],
  isQuick: boolean,
  progress: Progress,
): Promise<HttpsResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'so-crypt-bench-'));
  for (const { path, bytes } of contents) writeFileSync(join(folder, path), randomBytes(bytes));
  const children: Child[] = [];
  let nginx: Nginx | undefined;
  try {
    const servers: Server[] = [];
    for (const way of ways)
      for (const isHttp2 of [false, true]) {
        const child = new Child('https-server', { way, isHttp2, folder } satisfies HttpsJob, {
          timeLimit: 600_000,
        });
        children.push(child);
        servers.push({ way, isHttp2, pid: child.pid, port: (await child.expect('listening')).port });
      }
    nginx = await Nginx.start(folder);
    servers.push({ way: 'nginx', isHttp2: false, pid: nginx.pid, port: nginx.port });
    return await measure(servers, isQuick, progress);
  } finally {
    nginx?.stop();
    await Promise.all(children.map((child) => child.stop()));
    rmSync(folder, { recursive: true });
  }
}

async function measure(
  servers: readonly Server[],
  isQuick: boolean,
  progress: Progress,
): Promise<HttpsResult[]> {
  const rounds = isQuick ? 2 : 7;
  const rows = contents.flatMap((content) =>
    servers
      .filter(({ isHttp2 }) => isHttp2 === content.isHttp2)
      .map((server) => ({ content, server, samples: [] as Sample[] })),
  );
  progress.plan(rows.length * (rounds + 1));
  const ask = ({ content, server }: (typeof rows)[number]) =>
    (content.isHttp2 ? h2load : wrk)(`https://127.0.0.1:${server.port}/${content.path}`, isQuick ? 1 : 2);
  for (const { name } of contents) {
    const own = rows.filter(({ content }) => content.name === name);
    for (const row of own) {
      progress.step(`https ${name}, ${row.server.way}, warm-up`);
      // As many as it takes V8 to compile what matters; on a busy machine seconds say little.
      for (let asked = 0, i = 0; asked < WARM_REQUESTS && i < 5; i++) asked += (await ask(row)).requests;
    }
    for (let i = 1; i <= rounds; i++)
      for (const row of own) {
        progress.step(`https ${name}, ${row.server.way}, round ${i} of ${rounds}`);
        const before = cpuTimeOf(row.server.pid);
        const { requests, seconds } = await ask(row);
        const cpuUs = (cpuTimeOf(row.server.pid) - before) / requests;
        row.samples.push({ perSecond: round(requests / seconds), cpuUs: round(cpuUs) });
      }
  }
  const medians = rows.map(({ content, server, samples }) => ({
    trial: 'https' as const,
    content: content.name,
    way: server.way,
    perSecond: median(samples.map(({ perSecond }) => perSecond)),
    cpuUs: median(samples.map(({ cpuUs }) => cpuUs)),
    samples,
  }));
  return medians.map(({ samples, ...row }) => {
    const other = (way: string) => medians.find((one) => one.way === way && one.content === row.content);
    const [node, nginx] = [other('node'), other('nginx')];
    return {
      ...row,
      rateToNode: ratio(row.perSecond, node?.perSecond),
      cpuToNode: ratio(row.cpuUs, node?.cpuUs),
      rateToNginx: ratio(row.perSecond, nginx?.perSecond),
      cpuToNginx: ratio(row.cpuUs, nginx?.cpuUs),
      samples,
    };
  });
}
