// A real asynchronous device: QEMU's virtio-crypto, asked for by its driver's name, at the depths that the paper's design has (1) and ours.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { after, test } from 'node:test';

const bulk = `${process.env.SO_CRYPT_BIN}/bulk`;

/** Whether CPUs share the MACs beside a device. */
const spread = (on: boolean) => writeFileSync('/sys/module/so_crypt/parameters/spread', on ? '1' : '0');
after(() => spread(true));

for (const size of [4096, 16_384])
  for (const depth of [1, 2, 4, 8, 16, 32])
    test(`virtio-crypto, ${size} bytes, depth ${depth}`, (t) => {
      spread(false);
      const args = ['virtio_crypto_aes_cbc', 'hmac(sha1)', 3, 16, size, depth, 8].map(String);
      t.diagnostic(execFileSync(bulk, args, { encoding: 'utf8', timeout: 120_000 }).trim());
    });

for (const size of [4096, 16_384])
  for (const depth of [16, 64])
    test(`MACs on all CPUs, ${size} bytes, depth ${depth}`, (t) => {
      spread(true);
      const args = ['virtio_crypto_aes_cbc', 'hmac(sha1)', 3, 16, size, depth, 16].map(String);
      t.diagnostic(execFileSync(bulk, args, { encoding: 'utf8', timeout: 120_000 }).trim());
    });

for (const size of [4096, 16_384])
  for (const depth of [1, 16])
    test(`both ends on the device, ${size} bytes, depth ${depth}: what is read is what was written`, (t) => {
      const args = ['virtio_crypto_aes_cbc', 'hmac(sha1)', 3, 16, size, depth, 4, 'read'].map(String);
      t.diagnostic(execFileSync(bulk, args, { encoding: 'utf8', timeout: 240_000 }).trim());
    });
