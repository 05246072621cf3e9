import { createCipheriv, randomBytes } from 'node:crypto';
import { mainCipher } from './ciphers.js';
import type { CipherSpeed, CipherWay } from './document.js';
import { applicationData, createRecordLayer } from './record-layer.js';
import { round } from './statistics.js';
import { jobOf, report } from './worker.js';

export interface CipherSpeedJob {
  readonly msPerWay: number;
  /** Whether the addon is there. */
  readonly sealer: boolean;
}

const job = jobOf<CipherSpeedJob>();

/** MB/s of a call over so many bytes: the best of short spans, so that a pause spoils only one. */
function measure(bytes: number, call: () => void): number {
  const spanMs = job.msPerWay / 20;
  let best = 0;
  for (const end = performance.now() + job.msPerWay; performance.now() < end; ) {
    const start = performance.now();
    let calls = 0;
    let elapsed = 0;
    while (elapsed < spanMs) {
      // A batch per look at the clock: the look costs as much as some of the calls.
      for (let i = 0; i < 16; i++) call();
      calls += 16;
      elapsed = performance.now() - start;
    }
    best = Math.max(best, (calls * bytes) / 1e3 / elapsed);
  }
  return round(best);
}

const ways: CipherWay[] = [];
// Small blocks pay for the call from JavaScript, large ones for fresh memory.
for (const bytes of [16384, 65536, 262144]) {
  const block = randomBytes(bytes);
  const cipher = createCipheriv('aes-128-gcm', randomBytes(16), randomBytes(12));
  ways.push({ by: 'node:crypto', bytes, mbPerSecond: measure(bytes, () => cipher.update(block)) });
}
if (job.sealer) {
  const { sealer } = await createRecordLayer(mainCipher);
  for (const bytes of [16384, 65536]) {
    const block = randomBytes(bytes);
    const out = Buffer.allocUnsafeSlow(bytes + 4096);
    const seal = () => sealer.seal(applicationData, block, out);
    ways.push({ by: 'sealer', bytes, mbPerSecond: measure(bytes, seal) });
  }
}
// The best of them is nearest to what OpenSSL itself can do, and the strictest yardstick.
const mbPerSecond = Math.max(...ways.map((way) => way.mbPerSecond));
report('result', {
  json: JSON.stringify({ cipher: mainCipher.name, mbPerSecond, ways } satisfies CipherSpeed),
});
