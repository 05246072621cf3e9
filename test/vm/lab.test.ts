import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

// The lab checks the kernel engines, so it is checked itself: that what a command says and how it ends come through as they were.
const program = fileURLToPath(new URL('../../../test/vm/vm.mjs', import.meta.url));
const UNAVAILABLE = 69;

interface Run {
  status: number | null;
  stdout: Buffer;
  stderr: string;
}

/** @param interrupt the milliseconds after which it gets a SIGINT */
async function lab(args: string[], { interrupt }: { interrupt?: number } = {}): Promise<Run> {
  // Without modules: whether those of this checkout can be built is a question of its own.
  const child = spawn(process.execPath, [program, '--no-modules', ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => {});
  child.stdin.end('nothing of this arrives');
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const timer = interrupt === undefined ? undefined : setTimeout(() => child.kill('SIGINT'), interrupt);
  const [status] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return { status, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() };
}

let reason: string | undefined;

/** Ends a test on a machine that can't have the lab: as a failure where SO_CRYPT_LAB is `required`, else as skipped, and saying why. */
function available(t: TestContext): boolean {
  if (reason === undefined) return true;
  if (process.env.SO_CRYPT_LAB === 'required')
    assert.fail(`SO_CRYPT_LAB=required, but there is no lab: ${reason}`);
  t.skip(`NO LAB ON THIS MACHINE: ${reason}`);
  return false;
}

test('a command runs under Debian’s kernel, with TLS and AF_ALG in it; status and both outputs come through', async (t) => {
  const script = 'cat; uname -r; cut -d" " -f1 /proc/modules; echo complaint >&2; exit 7';
  const { status, stdout, stderr } = await lab(['sh', '-c', script]);
  if (status === UNAVAILABLE) reason = stderr.trim();
  if (!available(t)) return;
  const [release, ...modules] = stdout.toString().trimEnd().split('\n');
  assert.equal(status, 7, stderr);
  assert.match(release!, /^6\.1\..*-amd64$/);
  for (const name of ['tls', 'af_alg', 'algif_aead', 'algif_hash', 'algif_skcipher'])
    assert.ok(modules.includes(name), `${name} is missing among ${modules.join(' ')}`);
  assert.equal(
    stderr
      .split('\n')
      .filter((line) => !line.startsWith('vm: '))
      .join('\n'),
    'complaint\n',
  );
});

test('a signal that ends the command is told, and no byte before it is lost', async (t) => {
  if (!available(t)) return;
  const folder = mkdtempSync(join(tmpdir(), 'so-crypt-lab-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const bytes = randomBytes(8_000_001);
  writeFileSync(join(folder, 'bytes'), bytes);
  const { status, stdout, stderr } = await lab([
    'sh',
    '-c',
    'cat "$0"; kill -SEGV $$',
    join(folder, 'bytes'),
  ]);
  assert.equal(status, 128 + 11, stderr);
  assert.ok(stdout.equals(bytes), `${stdout.length} bytes of ${bytes.length}`);
});

test('a kernel that crashes is no command that failed', async (t) => {
  if (!available(t)) return;
  const { status, stderr } = await lab(['sh', '-c', 'echo c >/proc/sysrq-trigger; sleep 60']);
  assert.equal(status, 70, stderr);
  assert.match(stderr, /sysrq triggered crash.*the guest crashed/s);
});

test('a timeout and an interrupt end the guest', async (t) => {
  if (!available(t)) return;
  const late = await lab(['--timeout', '1', 'sleep', '1000']);
  assert.equal(late.status, 124, late.stderr);
  assert.match(late.stderr, /timeout after 1 s/);
  const interrupted = await lab(['sleep', '1000'], { interrupt: 1500 });
  assert.equal(interrupted.status, 130, interrupted.stderr);
});
