import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from '../../lib/ssh.js';
import { opensshServer, ssh, username } from '../support/openssh.js';
import { Random } from '../support/random.js';
import { sha256, until } from '../support/sockets.js';
import { exec, execute, libraryPairs, sshClient, sshListener } from '../support/ssh-ends.js';
import { onlySuite, type SshSuite, sshSuite, suiteName } from '../support/ssh-suites.js';

// One of each kind: sequence numbers in the nonce, in the MAC, and a key stream and a chain that run on.
const kinds: readonly SshSuite[] = [
  { cipher: 'chacha20-poly1305@openssh.com', mac: undefined },
  { cipher: 'aes256-gcm@openssh.com', mac: undefined },
  { cipher: 'aes128-ctr', mac: 'hmac-sha2-256-etm@openssh.com' },
  { cipher: 'aes128-cbc', mac: 'hmac-sha1' },
];
const content = new Random(6).bytes(8 * 1_048_576);
const expected = sha256(content);

const protocolOf = (connection: object): { rekey(): void } =>
  (connection as { _protocol: { rekey(): void } })._protocol;

for (const suite of kinds) {
  test(`sshd changes keys each MB: ${suiteName(suite)}`, async () => {
    const port = await opensshServer([
      'RekeyLimit 1M',
      'Ciphers +aes128-cbc',
      'MACs +hmac-sha1', //
    ]);
    const client = await sshClient('so-crypt', port, { username, algorithms: onlySuite(suite) });
    let handshakes = 0;
    client.on('handshake', () => handshakes++);
    const { code, stdout } = await execute(client, 'cat', content);
    assert.equal(sha256(stdout), expected);
    assert.equal(code, 0);
    assert.ok(handshakes >= 8, `${handshakes} key exchanges`);
    client.end();
  });

  test(`ssh changes keys each MB: ${suiteName(suite)}`, async () => {
    let rekeys = 0;
    const onConnection = (connection: Connection): void => void connection.on('rekey', () => rekeys++);
    const listener = await sshListener('so-crypt', { algorithms: onlySuite(suite) }, { onConnection });
    const peer = ssh(listener.port, ['cat'], [...sshSuite(suite), '-o', 'RekeyLimit=1M']);
    peer.end(content);
    const { code, stdout, stderr } = await peer.exit();
    assert.equal(sha256(stdout), expected, stderr);
    assert.equal(code, 0);
    assert.ok(rekeys >= 8, `${rekeys} key exchanges`);
    assert.deepEqual(listener.errors, []);
  });
}

test('we change keys while sshd sends and receives', async () => {
  const client = await sshClient('so-crypt', await opensshServer(), { username });
  let rekeys = 0;
  client.on('handshake', () => rekeys++);
  const channel = await exec(client, 'cat');
  const echoed: Buffer[] = [];
  let received = 0;
  channel.on('data', (bytes: Buffer) => {
    echoed.push(bytes);
    received += bytes.length;
  });
  const piece = content.length / 8;
  for (let i = 1; i <= 8; i++) {
    channel.write(content.subarray((i - 1) * piece, i * piece));
    await until(() => received > (i - 1) * piece, 'the first of the piece');
    protocolOf(client).rekey();
    await until(() => rekeys === i && received === i * piece, `piece ${i} and its key exchange`);
  }
  assert.equal(sha256(Buffer.concat(echoed)), expected);
  client.end();
});

test('we change keys while ssh sends and receives', async () => {
  let rekeys = 0;
  let timer: NodeJS.Timeout | undefined;
  // (ssh takes none before it is let in.)
  const onConnection = (connection: Connection): void =>
    void connection.on('ready', () => {
      timer = setInterval(() => connection.rekey(() => rekeys++), 10);
    });
  const listener = await sshListener('so-crypt', {}, { onConnection });
  const peer = ssh(listener.port, ['cat']);
  peer.end(content);
  const { stdout, stderr } = await peer.exit();
  clearInterval(timer);
  assert.equal(sha256(stdout), expected, stderr);
  assert.ok(rekeys >= 2, `${rekeys} key exchanges`);
  // One may have begun when ssh was gone.
  const isLate = ({ code }: NodeJS.ErrnoException): boolean => code === 'EPIPE' || code === 'ECONNRESET';
  assert.ok(listener.errors.every(isLate), `${listener.errors}`);
});

test('keys are exchanged by themselves after so many packets', async () => {
  const port = await opensshServer();
  const client = await sshClient('so-crypt', port, { username, rekeyAfter: 1000 });
  let handshakes = 0;
  client.on('handshake', () => handshakes++);
  const { stdout } = await execute(client, 'cat', Buffer.concat(Array(8).fill(content)));
  assert.equal(stdout.length, 8 * content.length);
  assert.ok(handshakes >= 2, `${handshakes} key exchanges`);
  client.end();
});

for (const [clientLibrary, serverLibrary] of libraryPairs)
  for (const suite of kinds)
    test(`both ends change keys all the time, client ${clientLibrary}, server ${serverLibrary}: ${suiteName(suite)}`, async () => {
      let rekeys = 0;
      const algorithms = onlySuite(suite);
      const onConnection = (connection: Connection): void => void connection.on('rekey', () => rekeys++);
      const listener = await sshListener(serverLibrary, { algorithms }, { onConnection });
      const client = await sshClient(clientLibrary, listener.port, { algorithms });
      const timer = setInterval(() => {
        protocolOf(client).rekey();
        listener.connections[0]!.rekey();
      }, 1);
      const { stdout } = await execute(client, 'cat', content);
      clearInterval(timer);
      assert.equal(sha256(stdout), sha256(content));
      assert.ok(rekeys >= 2, `${rekeys} key exchanges`);
      assert.deepEqual(listener.errors, []);
      client.end();
    });
