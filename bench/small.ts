import { Child, withChildren } from './child.js';
import { mainCipher } from './ciphers.js';
import type { SmallResult } from './document.js';
import type { HandshakeJob } from './handshake-job.js';
import type { Progress } from './progress.js';
import type { SmallJob } from './small-job.js';

/** The operations that are too small for a transfer to show: of so-crypt's userland engine. */
export async function runSmall(
  engine: string,
  ciphers: readonly string[],
  isQuick: boolean,
  progress: Progress,
): Promise<SmallResult[]> {
  progress.plan(1);
  progress.step(`small operations of ${engine}`);
  const job: SmallJob = isQuick
    ? { engine, ciphers: [mainCipher.name], ms: 200, connections: 100 }
    : { engine, ciphers, ms: 400, connections: 500 };
  const worker = new Child('small-worker', job);
  const clientJob: HandshakeJob = { engine, cipher: mainCipher.name, resume: false, concurrency: 1 };
  const client = new Child('handshake-client', clientJob);
  return withChildren([client, worker], async () => {
    client.send('connect', await worker.expect('listening'));
    return JSON.parse((await worker.expect('result')).json) as SmallResult[];
  });
}
