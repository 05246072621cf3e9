// A gigabyte through connections of every kind, and what the kernel holds before and behind it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

const megabytes = Number(process.env.SO_CRYPT_SOAK_MB ?? 1000);

const soak = (size: number, seed: number) =>
  execFileSync(`${process.env.SO_CRYPT_BIN}/soak`, [String(size), String(seed)], {
    encoding: 'utf8',
    timeout: 3_000_000,
  }).trim();

/** Bytes in use per slab cache. */
function slabs(): Map<string, number> {
  const lines = readFileSync('/proc/slabinfo', 'utf8').split('\n').slice(2).filter(Boolean);
  return new Map(
    lines.map((line) => {
      const [name, active, , size] = line.split(/\s+/);
      return [name!, Number(active) * Number(size)];
    }),
  );
}

const number = (file: string, pattern: RegExp) => Number(pattern.exec(readFileSync(file, 'utf8'))?.[1]);

/** Sockets that are still TCP's hold the module. */
async function idle(): Promise<void> {
  for (let i = 0; i < 90 && readFileSync('/sys/module/so_crypt/refcnt', 'utf8').trim() !== '0'; i++)
    await sleep(1000);
  assert.equal(readFileSync('/sys/module/so_crypt/refcnt', 'utf8').trim(), '0');
  // What RCU frees, and the caches of each processor
  await sleep(3000);
  // KASAN keeps what was freed for a while, and counts it as used: up to 1/32 of the memory.
  const caches = '/sys/kernel/slab';
  for (const name of readdirSync(caches)) writeFileSync(`${caches}/${name}/shrink`, '1');
}

async function held() {
  await idle();
  return {
    slabs: slabs(),
    unreclaimable: 1024 * number('/proc/meminfo', /^SUnreclaim:\s+(\d+)/m),
    vmalloc: 1024 * number('/proc/meminfo', /^VmallocUsed:\s+(\d+)/m),
    tcpPages: number('/proc/net/sockstat', /^TCP:.* mem (\d+)/m),
    tcpSockets: number('/proc/net/protocols', /^TCP\s+\d+\s+(\d+)/m),
  };
}

test(`${megabytes} MB`, async (t) => {
  // Once, so that caches are as they will be.
  soak(Math.min(30, megabytes), 1);
  const before = await held();
  const begin = Date.now();
  t.diagnostic(soak(megabytes, 2));
  t.diagnostic(`${Math.round((Date.now() - begin) / 1000)} s`);
  const after = await held();

  const grown = [...after.slabs]
    .map(([name, bytes]) => ({ name, bytes: bytes - (before.slabs.get(name) ?? 0) }))
    .sort((a, b) => b.bytes - a.bytes);
  t.diagnostic(`slab: ${JSON.stringify(grown.slice(0, 5))}`);
  t.diagnostic(`${JSON.stringify({ ...before, slabs: 0 })} → ${JSON.stringify({ ...after, slabs: 0 })}`);
  // One leaked record in a thousand would be more than this.
  const most = Math.max(300_000, megabytes * 1000);
  for (const { name, bytes } of grown) assert.ok(bytes < most, `${name} has grown by ${bytes} bytes`);
  assert.ok(after.unreclaimable - before.unreclaimable < 4 * most);
  assert.ok(after.vmalloc - before.vmalloc < most);
  // Each CPU keeps up to 1 MB in reserve (SK_MEMORY_PCPU_RESERVE), which counts.
  assert.ok(after.tcpPages - before.tcpPages < 100 + 256 * cpus().length);
  assert.equal(after.tcpSockets, before.tcpSockets);
});
