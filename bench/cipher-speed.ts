import { Child, withChildren } from './child.js';
import type { CipherSpeedJob } from './cipher-speed-worker.js';
import type { CipherSpeed } from './document.js';
import type { Progress } from './progress.js';

/** How fast OpenSSL itself encrypts in this run, without any socket. */
export async function runCipherSpeed(
  sealer: boolean,
  isQuick: boolean,
  progress: Progress,
): Promise<CipherSpeed> {
  progress.plan(1);
  progress.step('speed of aes-128-gcm alone');
  const job: CipherSpeedJob = { msPerWay: isQuick ? 250 : 1000, sealer };
  const worker = new Child('cipher-speed-worker', job);
  return withChildren([worker], async () => JSON.parse((await worker.expect('result')).json) as CipherSpeed);
}
