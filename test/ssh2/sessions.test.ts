import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { Client, ClientChannel, Connection } from '../../lib/ssh.js';
import { opensshServer, ssh, strangerKey, username } from '../support/openssh.js';
import { collect, waitFor } from '../support/sockets.js';
import {
  closed,
  execute,
  outcome,
  password,
  sshClient,
  sshConnect,
  sshListener,
} from '../support/ssh-ends.js';
import { closeAfterTest, listen } from '../support/tls-ends.js';

/** Sends back what comes, in capitals. */
function shoutingServer(): Promise<number> {
  return listen(
    net.createServer((socket) => {
      closeAfterTest(socket);
      socket.on('data', (bytes) => socket.write(bytes.toString().toUpperCase()));
      socket.on('end', () => socket.end());
    }),
  );
}

test('commands and their exit codes, with sshd', async () => {
  const client = await sshClient('so-crypt', await opensshServer(), { username });
  const all = await Promise.all(
    [0, 1, 77].map((code) => execute(client, `echo out; echo err >&2; exit ${code}`)),
  );
  assert.deepEqual(
    all.map(({ code, stdout, stderr }) => [code, `${stdout}`, stderr]),
    [0, 1, 77].map((code) => [code, 'out\n', 'err\n']),
  );
  client.end();
  await waitFor(client, 'close');
});

test('commands and their exit codes, with ssh', async () => {
  const { port, errors } = await sshListener('so-crypt');
  const { code, stderr } = await ssh(port, ['exit', '77']).exit();
  assert.equal(code, 77);
  assert.match(stderr, /leaving/);
  assert.deepEqual(errors, []);
});

test('a forwarded port, with sshd', async () => {
  const target = await shoutingServer();
  const client = await sshClient('so-crypt', await opensshServer(), { username });
  const forward = (to: number): Promise<ClientChannel> =>
    promisify<string, number, string, number, ClientChannel>(client.forwardOut.bind(client) as never)(
      '127.0.0.1',
      1,
      '127.0.0.1',
      to,
    );
  const channel = await forward(target);
  channel.end('quiet please');
  assert.equal(`${await collect(channel)}`, 'QUIET PLEASE');
  await assert.rejects(forward(1), /Channel open failure/);
  client.end();
});

test('a forwarded port, with ssh', async () => {
  const target = await shoutingServer();
  const onConnection = (connection: Connection): void => {
    connection.on('tcpip', (accept, _reject, { destPort }) => {
      const channel = accept();
      const socket = net.connect(destPort, '127.0.0.1');
      socket.pipe(channel).pipe(socket);
    });
  };
  const { port } = await sshListener('so-crypt', {}, { onConnection });
  const peer = ssh(port, [], ['-W', `127.0.0.1:${target}`]);
  peer.end('quiet please');
  const { code, stdout } = await peer.exit();
  assert.equal(`${stdout}`, 'QUIET PLEASE');
  assert.equal(code, 0);
});

test('a port of sshd that is forwarded to us', async () => {
  const client = await sshClient('so-crypt', await opensshServer(), { username });
  client.on('tcp connection', (_info, accept) => {
    const channel = accept();
    channel.on('data', (bytes: Buffer) => channel.end(`${bytes}`.toUpperCase()));
  });
  const port = await promisify<string, number, number>(client.forwardIn.bind(client) as never)(
    '127.0.0.1',
    0,
  );
  const socket = closeAfterTest(net.connect(port, '127.0.0.1'));
  socket.write('quiet please');
  assert.equal(`${await collect(socket)}`, 'QUIET PLEASE');
  client.end();
});

test('passwords', async () => {
  const { port } = await sshListener('so-crypt');
  const client = await sshClient('so-crypt', port, { password });
  assert.equal((await execute(client, 'exit 4')).code, 4);
  client.end();
  assert.equal((await ssh(port, ['exit', '6'], [], { password }).exit()).code, 6);
  const refused = await ssh(port, ['exit', '6'], [], { password: 'wrong' }).exit();
  assert.equal(refused.code, 255);
  assert.match(refused.stderr, /Permission denied/);
});

test('a key that sshd does not know', async () => {
  const port = await opensshServer();
  const client = sshConnect('so-crypt', port, { username, privateKey: strangerKey.private });
  await assert.rejects(waitFor(client, 'ready', 10_000), /authentication methods failed/);
});

test('a key that our server does not know', async () => {
  const { port } = await sshListener('so-crypt');
  const { code, stderr } = await ssh(port, ['exit'], [], { identity: strangerKey }).exit();
  assert.equal(code, 255);
  assert.match(stderr, /Permission denied/);
});

test('a host key that is not the one expected', async () => {
  const port = await opensshServer();
  const seen: Buffer[] = [];
  const hostVerifier = (key: Buffer): boolean => {
    seen.push(key);
    return false;
  };
  const client = sshConnect('so-crypt', port, { username, hostVerifier });
  await assert.rejects(waitFor(client, 'ready', 10_000), /Host denied/);
  assert.equal(seen.length, 1);
  assert.equal((client as Client).crypt, null, 'no key was taken into use');
});

test('a host key whose verification takes its time', async () => {
  const port = await opensshServer();
  const hostVerifier = (_key: Buffer, verify: (ok: boolean) => void): void => {
    setTimeout(verify, 200, true); // sshd's NEWKEYS and more are here by then
  };
  const client = await sshClient('so-crypt', port, { username, hostVerifier });
  assert.equal((await execute(client, 'exit 9')).code, 9);
  client.end();
});

test('ssh refuses our server for its host key', async () => {
  const { port } = await sshListener('so-crypt', { hostKeys: [strangerKey.private] });
  const { code, stderr } = await ssh(port, ['exit']).exit();
  assert.equal(code, 255);
  assert.match(stderr, /Host key verification failed/);
});

// so_crypt opens packets ahead; which of them is SSH_MSG_NEWKEYS it could not see.
const engine =
  process.env.SO_CRYPT_ENGINE === 'so_crypt' ? ({ write: 'so_crypt', read: 'evp' } as const) : undefined;

test('compression', async () => {
  const port = await opensshServer(['Compression yes']);
  const text = Buffer.from('so it goes, '.repeat(300_000));
  const client = await sshClient('so-crypt', port, {
    username,
    engine,
    algorithms: { compress: ['zlib@openssh.com'] },
  });
  const { stdout } = await execute(client, 'cat', text);
  assert.ok(stdout.equals(text));
  client.end();
});

test('compression, with ssh', async () => {
  const { port, errors } = await sshListener('so-crypt', { engine });
  const text = Buffer.from('so it goes, '.repeat(300_000));
  const peer = ssh(port, ['cat'], ['-C', '-o', 'RekeyLimit=16K']);
  peer.end(text);
  const { code, stdout, stderr } = await peer.exit();
  assert.ok(stdout.equals(text), stderr);
  assert.equal(code, 0);
  assert.deepEqual(errors, []);
});

test('an sshd that goes away', async () => {
  const client = await sshClient('so-crypt', await opensshServer(), { username });
  client.on('error', () => {}); // it resets the connection if it has not read all
  const ended = closed(client, 10_000);
  const channel = await new Promise<ClientChannel>((resolve, reject) =>
    client.exec('kill -KILL $PPID; sleep 5', (error, one) => (error ? reject(error) : resolve(one))),
  );
  await Promise.all([outcome(channel), ended]);
});
