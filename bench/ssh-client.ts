import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Client, ClientChannel, SFTPWrapper } from '../lib/ssh.js';
import type { SshJob } from './ssh-job.js';
import { libraryOf, optionsOf, readKey } from './ssh-library.js';
import { expect, jobOf, report, startCpu } from './worker.js';

const CHUNK = 65_536;

/** One pass; resolves when the last byte is where it belongs. */
type Pass = () => Promise<void>;

async function execPass(client: Client, command: string, write: number, read: number): Promise<void> {
  const channel = await promisify<string, ClientChannel>(client.exec.bind(client) as never)(command);
  let received = 0;
  channel.on('data', (bytes: Buffer) => {
    received += bytes.length;
  });
  const chunk = Buffer.alloc(CHUNK, 'so-crypt');
  let left = write;
  const pump = (): void => {
    while (left > 0) {
      const more = channel.write(left < CHUNK ? chunk.subarray(0, left) : chunk);
      left -= CHUNK;
      if (!more) return void channel.once('drain', pump);
    }
    channel.end();
  };
  pump();
  await once(channel, 'close');
  if (received !== read) throw new Error(`${command}: ${received} bytes came, not ${read}`);
}

async function sftpPass(client: Client, { operation, folder, bytes }: SshJob): Promise<Pass> {
  const sftp = await promisify<SFTPWrapper>(client.sftp.bind(client) as never)();
  const [local, remote] = [join(folder, 'local'), join(folder, 'remote')];
  writeFileSync(operation === 'sftp get' ? remote : local, Buffer.alloc(bytes, 'so-crypt'));
  if (operation === 'sftp get') return () => promisify(sftp.fastGet).call(sftp, remote, local);
  return () => promisify(sftp.fastPut).call(sftp, local, remote);
}

const job = jobOf<SshJob>();
const { port } = await expect('connect');
const { Client: Class } = libraryOf(job);
const client = new Class();
client.connect({
  host: '127.0.0.1',
  port,
  username: userInfo().username,
  privateKey: readKey(job, 'user_key'),
  ...optionsOf(job),
});
await once(client, 'ready');
const { operation, bytes } = job;
const pass: Pass =
  operation === 'exec receive'
    ? () => execPass(client, `head -c ${bytes} /dev/zero`, 0, bytes)
    : operation === 'exec send'
      ? () => execPass(client, 'cat > /dev/null', bytes, 0)
      : await sftpPass(client, job);

for (let i = 0; i < job.warmup; i++) await pass();
report('warm', {});
for (;;) {
  await expect('start');
  const cpu = startCpu();
  const start = performance.now();
  for (let i = 0; i < job.passes; i++) await pass();
  report('sent', { seconds: (performance.now() - start) / 1000, cpu: cpu() });
}
