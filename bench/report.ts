import { buffers } from './buffers.js';
import type { BenchDocument } from './document.js';
import { engines } from './engines.js';
import { markdown, plainText, type Table } from './table.js';

const label = (name: string): string => engines.find((engine) => engine.name === name)?.label ?? name;

const fixed = (value: number | null, digits: number): string =>
  value === null ? '-' : value.toFixed(digits);

/** Large numbers without decimals, small ones with some. */
const amount = (value: number | null): string =>
  fixed(value, value !== null && Math.abs(value) >= 100 ? 0 : 1);

const bufferName = (bytes: number): string =>
  buffers.find((buffer) => buffer.bytes === bytes)?.name ?? String(bytes);

function bulkTable({ rows }: BenchDocument): Table {
  return {
    title: 'Throughput',
    legend:
      'xtls, xnet: MB/s to node:tls and to net. u, s: user and system CPU seconds per GB. c: system calls per MB.',
    left: 3,
    header: ['cipher', 'write', 'engine', 'MB/s', 'xtls', 'xnet', 'send u', 's', 'c', 'recv u', 's', 'c'],
    rows: rows.map(({ sender, receiver, ...row }) => [
      row.cipher ?? '-',
      bufferName(row.buffer),
      label(row.engine),
      row.mbPerSecond.toFixed(0),
      fixed(row.ratioToNodeTls, 2),
      fixed(row.ratioToNet, 2),
      ...[sender, receiver].flatMap((side) => [
        fixed(side.userSecondsPerGB, 2),
        fixed(side.systemSecondsPerGB, 2),
        amount(side.syscallsPerMB),
      ]),
    ]),
  };
}

function cipherTable({ cipherSpeed }: BenchDocument): Table {
  return {
    title: 'OpenSSL alone (EVP without a socket, one thread)',
    left: 2,
    header: ['cipher', 'by', 'bytes a call', 'MB/s'],
    rows: (cipherSpeed?.ways ?? []).map(({ by, bytes, mbPerSecond }) => [
      cipherSpeed?.cipher ?? '-',
      by,
      String(bytes),
      mbPerSecond.toFixed(0),
    ]),
  };
}

function handshakeTable({ handshakes }: BenchDocument): Table {
  return {
    title: 'Handshakes (TLS 1.3, ECDSA P-256, 8 clients of node:tls, one thread of the server)',
    left: 2,
    header: ['engine', 'kind', 'per second', 'xtls', 'server CPU ms', 'xtls', 'resumed'],
    rows: handshakes.map((row) => [
      label(row.engine),
      row.kind,
      row.perSecond.toFixed(0),
      fixed(row.rateToNodeTls, 2),
      fixed(row.serverCpuMs, 3),
      fixed(row.cpuToNodeTls, 2),
      `${(row.resumedShare * 100).toFixed(0)} %`,
    ]),
  };
}

function workerTable({ workerHandshakes }: BenchDocument): Table {
  return {
    title:
      'A storm of handshakes (TLS 1.3, clients of node:tls at once); main: the thread that has the application, p99 its loop delay, wait that of an event (ms)',
    left: 4,
    header: [
      'engine',
      'threads',
      'key',
      'kind',
      'clients',
      '/s',
      'x tls',
      'CPU ms',
      'main ms',
      'x tls',
      'p99 ms',
      'x tls',
      'wait p90',
      'x tls',
      'wait p99',
      'x tls',
    ],
    rows: workerHandshakes.map((row) => [
      label(row.engine),
      row.workers === 0 ? '1' : `1 + ${row.workers}`,
      row.certificate,
      row.kind,
      String(row.clients),
      row.perSecond.toFixed(0),
      fixed(row.rateToNodeTls, 2),
      fixed(row.serverCpuMs, 3),
      fixed(row.mainCpuMs, 3),
      fixed(row.mainCpuToNodeTls, 2),
      fixed(row.loopDelayP99Ms, 1),
      fixed(row.loopDelayToNodeTls, 2),
      fixed(row.eventWaitMs.p90, 2),
      fixed(row.eventWaitToNodeTls, 2),
      fixed(row.eventWaitMs.p99, 2),
      fixed(row.eventWaitP99ToNodeTls, 2),
    ]),
  };
}

function memoryTable({ memory }: BenchDocument): Table {
  return {
    title: 'Memory of an idle server connection',
    left: 1,
    header: ['engine', 'connections', 'RSS KB each', 'each further one', 'heap KB each'],
    rows: memory.map((row) => [
      label(row.engine),
      String(row.connections),
      row.rssKBPerConnection.toFixed(1),
      row.furtherRssKBPerConnection.toFixed(1),
      row.heapKBPerConnection.toFixed(1),
    ]),
  };
}

function manyTable({ many }: BenchDocument): Table {
  return {
    title: 'Many connections, all of them busy',
    left: 1,
    header: ['engine', 'connections', 'errors', 'MB/s'],
    rows: many.map((row) => [
      label(row.engine),
      String(row.connections),
      String(row.errors),
      row.mbPerSecond.toFixed(0),
    ]),
  };
}

function httpsTable({ https }: BenchDocument): Table {
  return {
    title: 'https responses (TLS 1.3, 32 connections; http2: 8 with 16 streams), one process of the server',
    legend:
      'xnode, xnginx: to node (files: createReadStream().pipe()) and to nginx; CPU: of the server, all threads.',
    left: 2,
    header: ['content', 'server', 'per second', 'xnode', 'xnginx', 'CPU us', 'xnode', 'xnginx'],
    rows: https.map((row) => [
      row.content,
      row.way,
      row.perSecond.toFixed(0),
      fixed(row.rateToNode, 2),
      fixed(row.rateToNginx, 2),
      row.cpuUs.toFixed(1),
      fixed(row.cpuToNode, 2),
      fixed(row.cpuToNginx, 2),
    ]),
  };
}

function smallTable({ small }: BenchDocument): Table {
  return {
    title: 'Small operations (medians of tinybench)',
    left: 3,
    header: ['operation', 'engine', 'cipher', 'bytes', 'ns', 'per second', 'MB/s'],
    rows: small.map((row) => [
      row.operation,
      label(row.engine),
      row.cipher ?? '-',
      row.bytes === null ? '-' : String(row.bytes),
      row.medianNs.toFixed(0),
      row.perSecond.toFixed(0),
      fixed(row.mbPerSecond, 0),
    ]),
  };
}

function sshTable({ ssh }: BenchDocument): Table {
  return {
    title: 'SSH',
    legend:
      "xssh2: to ssh2. cpu: the client's seconds per GB (user, system); the server's where it is no sshd. OpenSSH's own client is the reference.",
    left: 5,
    header: [
      'cipher',
      'MAC',
      'operation',
      'server',
      'client',
      'MB/s',
      'xssh2',
      'cpu u',
      's',
      'xssh2',
      'srv u',
      's',
    ],
    rows: ssh.map((row) => [
      row.cipher.replace('@openssh.com', ''),
      row.mac?.replace('@openssh.com', '') ?? '-',
      row.operation,
      row.peer,
      label(row.by),
      row.mbPerSecond.toFixed(0),
      fixed(row.rateToSsh2, 2),
      fixed(row.client.userSecondsPerGB, 2),
      fixed(row.client.systemSecondsPerGB, 2),
      fixed(row.cpuToSsh2, 2),
      fixed(row.server?.userSecondsPerGB ?? null, 2),
      fixed(row.server?.systemSecondsPerGB ?? null, 2),
    ]),
  };
}

function targetTable({ targets }: BenchDocument): Table {
  return {
    title: 'Targets (so-crypt evp, AES-128-GCM, TLS 1.3)',
    left: 1,
    header: ['target', 'asked', 'measured', 'met'],
    rows: targets.map(({ name, asked, measured, met }) => [
      name,
      asked,
      fixed(measured, 2),
      met === null ? '-' : met ? 'yes' : 'NO',
    ]),
  };
}

/** The document for people: as plain text that fits 110 columns, or in Markdown. */
export function present(document: BenchDocument, style: 'text' | 'markdown'): string {
  const { machine, options } = document;
  const judged = document.targets.some(({ measured }) => measured !== null);
  const tables = [
    bulkTable,
    cipherTable,
    handshakeTable,
    workerTable,
    memoryTable,
    smallTable,
    sshTable,
    httpsTable,
    manyTable,
    ...(judged ? [targetTable] : []),
  ]
    .map((make) => make(document))
    .filter(({ rows }) => rows.length > 0);
  const unavailable = document.engines
    .filter((engine) => engine.unavailable !== null)
    .map(({ name, unavailable: reason }) => `Not measured: ${label(name)}, ${reason}`);
  const head = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.kernel}, TCP with ${machine.congestionControl ?? 'an unknown congestion control'}`,
    `Node ${machine.node}, OpenSSL ${machine.openssl}, commit ${machine.commit ?? 'unknown'}, ${machine.date}`,
    `${options.sizeMB} MB a trial, medians of ${options.repeat} rounds${options.quick ? ', --quick' : ''}; ` +
      `1 MB is 10^6 bytes; ${document.seconds} s`,
    ...unavailable,
    ...document.notes.map((note) => `Note: ${note}`),
  ];
  const separator = style === 'text' ? '\n' : '  \n';
  return `${head.join(separator)}\n\n${tables.map(style === 'text' ? plainText : markdown).join('\n')}`;
}
