import type { AddressInfo } from 'node:net';
import type { ServerChannel } from '../lib/ssh.js';
import type { SshJob } from './ssh-job.js';
import { libraryOf, optionsOf, readKey } from './ssh-library.js';
import { expect, jobOf, report, startCpu } from './worker.js';

const CHUNK = Buffer.alloc(65_536, 'so-crypt');

/** `head -c N /dev/zero`, and `cat > /dev/null`: what the client asks sshd for, too. */
function run(command: string, channel: ServerChannel): void {
  const leave = (): void => {
    channel.exit(0);
    channel.end();
  };
  let left = Number(/^head -c (\d+)/.exec(command)?.[1] ?? 0);
  if (left === 0) return void channel.on('data', () => {}).once('end', leave);
  const pump = (): void => {
    while (left > 0) {
      const more = channel.write(left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK);
      left -= CHUNK.length;
      if (!more) return void channel.once('drain', pump);
    }
    leave();
  };
  pump();
}

const job = jobOf<SshJob>();
const { Server } = libraryOf(job);
const server = new Server({ hostKeys: [readKey(job, 'host_key')], ...optionsOf(job) });
server.on('connection', (connection) => {
  connection.on('authentication', (context) => context.accept());
  connection.on('session', (accept) => {
    accept().on('exec', (open, _reject, { command }) => run(command, open()));
  });
});
server.listen(0, '127.0.0.1', () => {
  report('listening', { port: (server.address() as AddressInfo).port });
});
for (;;) {
  await expect('start');
  const cpu = startCpu();
  report('started', {});
  await expect('stop');
  report('received', { cpu: cpu() });
}
