import assert from 'node:assert/strict';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { ClientChannel, Session } from '../../lib/ssh.js';
import { opensshServer, ssh, username } from '../support/openssh.js';
import { until, waitFor } from '../support/sockets.js';
import { sshClient, sshListener } from '../support/ssh-ends.js';

test('a shell on a terminal that changes its size, with sshd', async () => {
  const client = await sshClient('so-crypt', await opensshServer(), { username });
  const channel = await promisify<object, ClientChannel>(client.shell.bind(client) as never)({
    rows: 24,
    cols: 80,
    term: 'dumb',
  });
  let shown = '';
  channel.on('data', (bytes: Buffer) => {
    shown += bytes;
  });
  channel.write('stty size\n');
  await until(() => shown.includes('24 80'), 'the first size', 10_000);
  channel.setWindow(50, 132, 0, 0);
  channel.write('stty size\n');
  await until(() => shown.includes('50 132'), 'the second size', 10_000);
  channel.end('exit 5\n');
  assert.deepEqual(await waitFor(channel, 'exit', 10_000), [5]);
  client.end();
});

test('a terminal, with ssh', async () => {
  let asked: unknown;
  const onSession = (session: Session): void => {
    session.on('pty', (accept, _reject, info) => {
      asked = info.term;
      accept();
    });
    session.on('shell', (accept) => {
      const channel = accept();
      channel.on('data', (bytes: Buffer) => {
        channel.write(`you said ${bytes}`);
        channel.exit(3);
        channel.end();
      });
    });
  };
  const { port } = await sshListener('so-crypt', {}, { onSession });
  const peer = ssh(port, [], ['-tt'], { env: { TERM: 'vt100' } });
  peer.write('hello\n');
  const { code, stdout } = await peer.exit();
  assert.equal(asked, 'vt100');
  assert.match(`${stdout}`, /you said hello/);
  assert.equal(code, 3);
});
