import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { isSoCrypt } from '../support/engine.js';
import { Random } from '../support/random.js';
import { sha256, until } from '../support/sockets.js';
import {
  closed,
  exec,
  libraryPairs,
  password,
  socketOf,
  sshClient,
  sshListener,
} from '../support/ssh-ends.js';
import { onlySuite, type SshSuite, suiteName } from '../support/ssh-suites.js';

// Channel data is sealed at once, and all of a turn is written together: what follows it in that turn must not overtake it, or get lost.
const kinds: readonly SshSuite[] = [
  { cipher: 'aes128-gcm@openssh.com', mac: undefined },
  { cipher: 'chacha20-poly1305@openssh.com', mac: undefined },
  { cipher: 'aes128-ctr', mac: 'hmac-sha2-256' },
];

const protocolOf = (connection: object): { rekey(): void } =>
  (connection as { _protocol: { rekey(): void } })._protocol;

for (const [client, server] of libraryPairs)
  for (const suite of kinds)
    test(`text and Buffers of all lengths in one turn, with key exchanges between: ${client} to ${server}, ${suiteName(suite)}`, async () => {
      const algorithms = onlySuite(suite);
      const listener = await sshListener(server, { algorithms });
      const connection = await sshClient(client, listener.port, { algorithms });
      const channel = await exec(connection, 'cat');
      const random = new Random(11);
      const sent: Buffer[] = [];
      const back: Buffer[] = [];
      let left = 0;
      channel.on('data', (bytes: Buffer) => {
        back.push(bytes);
        left -= bytes.length;
      });
      let handshakes = 0;
      connection.on('handshake', () => handshakes++);
      for (let turn = 0; turn < 24; turn++) {
        for (let i = random.integer(1, 12); i > 0; i--) {
          const bytes = random.bytes(random.size(150_000));
          const text = bytes.toString('hex').slice(0, 2000);
          const chunk = random.oneIn(3) ? text : bytes;
          sent.push(Buffer.from(chunk));
          left += sent.at(-1)!.length;
          channel.write(chunk);
        }
        if (turn % 4 === 2) protocolOf(connection).rekey();
        if (turn % 3 === 0) await new Promise(setImmediate);
        if (turn % 4 === 3) await until(() => left === 0, 'all came back');
      }
      channel.end();
      await closed(channel);
      assert.equal(sha256(Buffer.concat(back)), sha256(Buffer.concat(sent)));
      assert.ok(handshakes >= 6, `${handshakes} key exchanges`);
      assert.deepEqual(listener.errors, []);
      connection.end();
    });

for (const way of ['end', 'destroy'] as const)
  test(`what was written in the turn of ${way}() arrives`, async () => {
    const received: Buffer[] = [];
    const listener = await sshListener(
      'ssh2',
      {},
      {
        onSession: (session) =>
          session.on('shell', (accept) => accept().on('data', (bytes: Buffer) => received.push(bytes))),
      },
    );
    const connection = await sshClient('so-crypt', listener.port);
    const channel = await new Promise<NodeJS.WritableStream>((resolve, reject) => {
      connection.shell(false, (error, shell) => (error ? reject(error) : resolve(shell)));
    });
    const content = new Random(12).bytes(500_000);
    channel.write(content);
    socketOf(connection)[way]();
    await until(() => Buffer.concat(received).length === content.length, 'all arrives');
    assert.equal(sha256(Buffer.concat(received)), sha256(content));
  });

// The kernel's engine has nothing that waits for the iteration's end.
if (!isSoCrypt)
  test('what was written before process.exit() in the same iteration of the event loop arrives', async () => {
    const received: Buffer[] = [];
    const listener = await sshListener(
      'ssh2',
      {},
      {
        onSession: (session) =>
          session.on('shell', (accept) => accept().on('data', (bytes: Buffer) => received.push(bytes))),
      },
    );
    const script = `
    import { Client } from ${JSON.stringify(new URL('../../lib/ssh.js', import.meta.url).href)};
    const client = new Client();
    client.on('ready', () => client.shell(false, (error, channel) => {
      for (const text of ['one ', 'two ', 'three'])
        setImmediate(() => channel.write(Buffer.from(text)));
      setImmediate(() => process.exit(7));
    }));
    client.connect({ host: '127.0.0.1', port: ${listener.port}, username: 'tester', password: ${JSON.stringify(password)} });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
    const [code] = await once(child, 'exit');
    assert.equal(code, 7);
    await until(() => Buffer.concat(received).toString() === 'one two three', 'all arrives');
  });

test('a peer that does not read for a while gets all of it', async () => {
  const listener = await sshListener('ssh2');
  const connection = await sshClient('so-crypt', listener.port);
  const [peer] = listener.connections as [object];
  const channel = await exec(connection, 'cat');
  const back: Buffer[] = [];
  channel.on('data', (bytes: Buffer) => back.push(bytes));
  socketOf(peer).pause();
  const content = new Random(13).bytes(3_000_000);
  // Many turns of a packet each, while the kernel takes nothing more at some point.
  for (let at = 0; at < content.length; at += 30_000) {
    channel.write(content.subarray(at, at + 30_000));
    await new Promise(setImmediate);
  }
  channel.end();
  socketOf(peer).resume();
  await closed(channel);
  assert.equal(sha256(Buffer.concat(back)), sha256(content));
  connection.end();
});
