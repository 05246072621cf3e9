import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const program = (name: string) => fileURLToPath(new URL(`./${name}.js`, import.meta.url));

const folder = mkdtempSync(path.join(os.tmpdir(), 'so-crypt-counters-'));
after(() => rmSync(folder, { recursive: true }));
const size = 8 * 1_048_576;
const file = path.join(folder, 'file');
writeFileSync(file, Buffer.alloc(size, 7));

/** /proc/net/tls_stat (Documentation/networking/tls.rst). */
function tlsStat(text: string): Record<string, number> {
  const lines = text.trim().split('\n');
  return Object.fromEntries(
    lines.map((line) => line.split(/\s+/)).map(([name, value]) => [name, Number(value)]),
  );
}

test('the kernel counts our sessions, no decrypt error, and none is left', async () => {
  // In a network of its own, where nobody else is counted.
  const script = `ip link set lo up && '${process.execPath}' '${program('sessions')}' && sleep 1 && cat /proc/net/tls_stat`;
  const { stdout } = await run('unshare', ['-n', 'sh', '-c', script]);
  const stat = tlsStat(stdout);
  assert.deepEqual(
    [stat.TlsTxSw, stat.TlsRxSw, stat.TlsDecryptError, stat.TlsCurrTxSw, stat.TlsCurrRxSw],
    [11, 11, 0, 0, 0], // with those of the probe
    stdout,
  );
});

/** System calls of a process that sends 8 MB, by name. */
async function systemCalls(how: string): Promise<Record<string, number>> {
  const args = ['-f', '-c', '-U', 'calls,name', process.execPath, program('sender'), how, file];
  const { stderr } = await run('strace', args);
  const calls: Record<string, number> = {};
  for (const [, count, name] of stderr.matchAll(/^\s*(\d+)\s+(\w+)\s*$/gm)) calls[name!] = Number(count);
  return calls;
}

test('one write system call for each 16 KB, and one of sendfile for many', async () => {
  const sending = (calls: Record<string, number>) =>
    (calls.write ?? 0) + (calls.writev ?? 0) + (calls.sendmsg ?? 0);
  const none = sending(await systemCalls('nothing'));
  const writes = sending(await systemCalls('write')) - none;
  // 512 writes of 16 KB; a full socket buffer cuts some in two.
  assert.ok(writes >= 500 && writes <= 650, `${writes} system calls for 512 records`);
  const calls = await systemCalls('sendFile');
  const { sendfile = 0 } = calls;
  assert.ok(sendfile >= 1 && sendfile <= 150, `${sendfile} of sendfile for 8 MB`);
  // (Threads of the pool that opens the file are told by write(2), too.)
  assert.ok(sending(calls) - none < 60, `${sending(calls) - none} others, where writes take 512`);
});
