// What a frame makes the kernel do for the sender, counted: SO_CRYPT against /dev/crypto, on an accelerator (bench/paper).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';

const frames = 128;

interface Counts {
  calls: number;
  switches: number;
  copied: number;
}

function count(way: string, size: number): Counts {
  const file = '/dev/shm/paper';
  writeFileSync(file, randomBytes(size * frames));
  const env = { ...process.env, COUNT: '1', DRIVER: 'virtio_crypto_aes_cbc' };
  const program = `${process.env.SO_CRYPT_BIN}/transfer`;
  const output = execFileSync(program, [way, String(size), file], {
    encoding: 'utf8',
    timeout: 300_000,
    env,
  });
  const [first, second] = output.trim().split('\n');
  assert.equal(Number(first!.split(' ')[1]), frames);
  const [calls, switches, , copied] = second!.split(' ').map((word) => Number(word) / frames);
  return { calls: calls!, switches: switches!, copied: copied! };
}

for (const size of [4096, 16_384])
  test(`a frame of ${size} bytes`, (t) => {
    const device = count('cryptodev-copy', size);
    const kernel = count('so_crypt', size);
    t.diagnostic(`/dev/crypto ${JSON.stringify(device)}, in-kernel ${JSON.stringify(kernel)}`);
    // Two calls, one call; and what the transfer as a whole needs.
    assert.ok(device.calls >= 2 && kernel.calls >= 1);
    assert.ok(kernel.calls <= 0.52 * device.calls, 'system calls');
    assert.ok(kernel.switches <= 0.5 * device.switches, 'context switches');
    // The data goes in, out and to the socket; or only to the socket.
    assert.ok(device.copied >= 3 * size && kernel.copied >= size);
    assert.ok(kernel.copied <= 0.34 * device.copied, 'bytes copied');
  });
