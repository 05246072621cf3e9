import { mainCipher } from './ciphers.js';
import type { BenchDocument, BulkResult, Target } from './document.js';
import { ratio } from './statistics.js';

// What so-crypt promises of its evp engine, against node:tls with AES-128-GCM in TLS 1.3. Each ratio is one of two
// medians of the same run; it says nothing about any other machine.

type Measurements = Pick<BenchDocument, 'rows' | 'cipherSpeed' | 'handshakes' | 'memory' | 'https' | 'many'>;

const engine = 'evp';

function target(
  name: string,
  relation: '>=' | '<=',
  limit: number,
  measured: number | null,
  unit = '',
): Target {
  const met = measured === null ? null : relation === '>=' ? measured >= limit : measured <= limit;
  return { name, asked: `${relation} ${limit}${unit}`, measured, met };
}

export function judge({ rows, cipherSpeed, handshakes, memory, https, many }: Measurements): Target[] {
  const find = (name: string, cipher: string | null, buffer: number): BulkResult | undefined =>
    rows.find((row) => row.engine === name && row.cipher === cipher && row.buffer === buffer);
  const cpu = (row: BulkResult | undefined, side: 'sender' | 'receiver'): number | undefined =>
    row && row[side].userSecondsPerGB + row[side].systemSecondsPerGB;

  const targets: Target[] = [];
  for (const [buffer, label, factor] of [
    [65536, '64k', 1.5],
    [16384, '16k', 1.5],
    [4096, '4k', 1.5],
    [256, '256 B', 1.2],
  ] as const) {
    const own = find(engine, mainCipher.name, buffer);
    targets.push(target(`throughput to node:tls, ${label}`, '>=', factor, own?.ratioToNodeTls ?? null));
  }
  for (const [side, limit] of [
    ['receiver', 0.5],
    ['sender', 0.85],
  ] as const) {
    for (const [buffer, label] of [
      [65536, '64k'],
      [16384, '16k'],
      [4096, '4k'],
    ] as const) {
      const own = cpu(find(engine, mainCipher.name, buffer), side);
      const base = cpu(find('node:tls', mainCipher.name, buffer), side);
      targets.push(target(`${side} CPU per GB to node:tls, ${label}`, '<=', limit, ratio(own, base)));
    }
  }

  // The time for a byte can't be less than plain TCP's and the cipher's together, if one thread does both.
  const plain = find('net', null, 65536)?.mbPerSecond;
  const bound = plain && cipherSpeed ? 1 / (1 / plain + 1 / cipherSpeed.mbPerSecond) : null;
  const own = find(engine, mainCipher.name, 65536)?.mbPerSecond;
  targets.push(target('throughput to 1/(1/net + 1/aes), 64k', '>=', 0.9, ratio(own, bound)));

  const handshake = handshakes.find((row) => row.engine === engine && row.kind === 'full');
  targets.push(
    target('full handshakes per second to node:tls', '>=', 0.95, handshake?.rateToNodeTls ?? null),
  );
  // The same on one thread that does nothing but handshakes: the rate above may be the load generator's.
  const perThread = ratio(1, handshake?.cpuToNodeTls);
  targets.push(target("full handshakes per second of the server's CPU to node:tls", '>=', 0.95, perThread));

  const idle = memory.find((row) => row.engine === engine);
  for (const [name, measured] of [
    ['memory of an idle server connection', idle?.rssKBPerConnection],
    ['memory of each further idle connection', idle?.furtherRssKBPerConnection],
  ] as const)
    targets.push(target(name, '<=', 14, measured ?? null, ' KB'));

  for (const [content, toNode, toNginx] of [
    ['1 KB', 1.1, null],
    ['100 KB file', 2.5, 0.75],
    ['1 MB file', 1.6, 0.8],
    ['1 KB, http2', 1, null],
    ['100 KB file, http2', 1, null],
  ] as const) {
    const row = https.find((one) => one.way === engine && one.content === content);
    // By the server's CPU time, too: the rate may be the load generator's.
    const rates = (what: string, limit: number, rate?: number | null, cpu?: number | null): void => {
      targets.push(target(`https ${content} per second to ${what}`, '>=', limit, rate ?? null));
      const perSecondOfCpu = target(
        `https ${content} per second of CPU to ${what}`,
        '>=',
        limit,
        ratio(1, cpu),
      );
      targets.push(perSecondOfCpu);
    };
    rates('node', toNode, row?.rateToNode, row?.cpuToNode);
    if (toNginx !== null) rates('nginx', toNginx, row?.rateToNginx, row?.cpuToNginx);
  }
  const busy = many.find((row) => row.engine === engine);
  targets.push(target('many busy connections that fail', '<=', 0, busy?.errors ?? null));
  return targets;
}
