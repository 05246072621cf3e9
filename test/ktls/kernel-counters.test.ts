import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pause } from '../support/patience.js';
import { until } from '../support/sockets.js';
import { tlsPair } from '../support/tls-ends.js';

/** /proc/net/tls_stat (Documentation/networking/tls.rst). */
function tlsStat(): Record<string, number> {
  const lines = readFileSync('/proc/net/tls_stat', 'utf8').trim().split('\n');
  return Object.fromEntries(
    lines.map((line) => line.split(/\s+/)).map(([name, value]) => [name, Number(value)]),
  );
}

test('the kernel counts our sessions, no decrypt error, and none is left', async () => {
  const before = tlsStat();
  for (let i = 0; i < 5; i++) {
    const { client, peer } = await tlsPair(['so-crypt', 'so-crypt'], {
      client: { engine: 'ktls' },
      server: { engine: 'ktls' },
    });
    peer.pipe(peer);
    client.end('through the kernel');
    let echo = '';
    client.on('data', (chunk: Buffer) => {
      echo += chunk;
    });
    await until(() => client.closed && peer.closed, 'closed');
    assert.equal(echo, 'through the kernel');
  }
  await pause(100);
  const after = tlsStat();
  const grown = (name: string) => after[name]! - before[name]!;
  assert.deepEqual(
    ['TlsTxSw', 'TlsRxSw', 'TlsDecryptError', 'TlsCurrTxSw', 'TlsCurrRxSw'].map(grown),
    [10, 10, 0, 0, 0],
  );
});

const sender = fileURLToPath(new URL('./sender.js', import.meta.url));

/** System calls of a process that sends 8 MB in writes of 16 KB, by name. */
async function systemCalls(how: string): Promise<Record<string, number>> {
  assert.ok(existsSync(sender));
  const { stderr } = await promisify(execFile)('strace', [
    '-f',
    '-c',
    '-U',
    'calls,name',
    process.execPath,
    sender,
    how,
  ]);
  const calls: Record<string, number> = {};
  for (const [, count, name] of stderr.matchAll(/^\s*(\d+)\s+(\w+)\s*$/gm)) calls[name!] = Number(count);
  return calls;
}

test('one write system call for each 16 KB, and one of sendfile for many', async () => {
  const none = await systemCalls('nothing');
  const sending = (calls: Record<string, number>) =>
    (calls.write ?? 0) + (calls.writev ?? 0) + (calls.sendmsg ?? 0);
  const writes = await systemCalls('write');
  const count = sending(writes) - sending(none);
  // 512 writes of 16 KB; a full socket buffer cuts some in two.
  assert.ok(count >= 500 && count <= 650, `${count} system calls for 512 records`);
  const file = await systemCalls('sendFile');
  const sendfiles = file.sendfile ?? 0;
  assert.ok(sendfiles >= 1 && sendfiles <= 150, `${sendfiles} of sendfile for 8 MB`);
  assert.ok(sending(file) - sending(none) < 20, 'the file comes by sendfile alone');
});
