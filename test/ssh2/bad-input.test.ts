import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SoCryptError } from '../../lib/index.js';
import { ssh } from '../support/openssh.js';
import { proxyTo, type Relay } from '../support/proxy.js';
import { until, waitFor } from '../support/sockets.js';
import {
  closed,
  exec,
  execute,
  libraryPairs,
  type SshListener,
  socketOf,
  sshClient,
  sshConnect,
  sshListener,
} from '../support/ssh-ends.js';
import { onlySuite, type SshSuite, suiteName } from '../support/ssh-suites.js';

const kinds: readonly SshSuite[] = [
  { cipher: 'aes128-gcm@openssh.com', mac: undefined },
  { cipher: 'chacha20-poly1305@openssh.com', mac: undefined },
  { cipher: 'aes128-ctr', mac: 'hmac-sha2-256-etm@openssh.com' },
  { cipher: 'aes128-ctr', mac: 'hmac-sha2-512' },
  { cipher: 'aes128-cbc', mac: 'hmac-sha1' },
];

/** Changes what comes from some moment on, once. */
class Meddler {
  #change: ((bytes: Buffer) => Buffer[]) | undefined;
  readonly relay: Relay = (bytes) => {
    const change = this.#change;
    this.#change = undefined;
    return change === undefined ? [bytes] : change(bytes);
  };

  once(change: (bytes: Buffer) => Buffer[]): void {
    this.#change = change;
  }
}

const flip =
  (at: number) =>
  (bytes: Buffer): Buffer[] => {
    const index = at < 0 ? bytes.length + at : at;
    bytes[index]! ^= 0x10;
    return [bytes];
  };

const meddlings: readonly (readonly [name: string, change: (bytes: Buffer) => Buffer[]])[] = [
  ['a bit of the first packet is flipped', flip(20)],
  ['a bit of the last tag or MAC is flipped', flip(-1)],
  ['a byte is missing', (bytes) => [bytes.subarray(0, 30), bytes.subarray(31)]],
  ['a byte is inserted', (bytes) => [bytes.subarray(0, 30), Buffer.of(0), bytes.subarray(30)]],
  ['a read is repeated', (bytes) => [bytes, bytes]],
];

/** The codes that a packet that is not authentic may end in: with some ciphers what is wrong is seen at its length first. */
const codes = ['ERR_SO_CRYPT_BAD_RECORD_MAC', 'ERR_SO_CRYPT_BAD_RECORD', 'ERR_SO_CRYPT_RECORD_OVERFLOW'];

async function proxied(suite: SshSuite, toServer: Meddler, toClient: Meddler): Promise<SshListener> {
  const listener = await sshListener('so-crypt', { algorithms: onlySuite(suite) });
  const port = await proxyTo(listener.port, () => ({ toServer: toServer.relay, toClient: toClient.relay }));
  return Object.assign(listener, { port });
}

for (const suite of kinds)
  for (const [name, change] of meddlings) {
    test(`${name} on the way to the client: ${suiteName(suite)}`, async () => {
      const [toServer, toClient] = [new Meddler(), new Meddler()];
      const { port, errors: told } = await proxied(suite, toServer, toClient);
      const client = await sshClient('so-crypt', port, { algorithms: onlySuite(suite) });
      const errors: SoCryptError[] = [];
      client.on('error', (error) => errors.push(error as unknown as SoCryptError));
      const channel = await exec(client, 'cat');
      let received = '';
      channel.on('data', (bytes: Buffer) => {
        received += bytes;
      });
      toClient.once(change);
      channel.write('x'.repeat(1000));
      // A wrong length may ask for more than has come.
      const timer = setInterval(() => channel.writable && channel.write('x'.repeat(30_000)), 20);
      await closed(client).finally(() => clearInterval(timer));
      assert.ok(codes.includes(errors[0]!.code), `${errors[0]}`);
      assert.match(received, /^x*$/);
      // The other end has been told why, unless it has not read that far.
      await until(() => told.length > 0, 'the server hears of it');
      assert.ok([2, 5].includes(errors[0]!.disconnectReason!), `${errors[0]!.disconnectReason}`);
      assert.equal((told[0] as Error & { code: number }).code, errors[0]!.disconnectReason);
    });

    test(`${name} on the way to the server: ${suiteName(suite)}`, async () => {
      const [toServer, toClient] = [new Meddler(), new Meddler()];
      const { port, errors } = await proxied(suite, toServer, toClient);
      const client = await sshClient('so-crypt', port, { algorithms: onlySuite(suite) });
      client.on('error', () => {});
      const channel = await exec(client, 'cat');
      let received = '';
      channel.on('data', (bytes: Buffer) => {
        received += bytes;
      });
      toServer.once(change);
      channel.write('x'.repeat(1000));
      const timer = setInterval(() => channel.writable && channel.write('x'.repeat(30_000)), 20);
      await closed(client).finally(() => clearInterval(timer));
      const [error] = errors as SoCryptError[];
      assert.ok(codes.includes(error!.code), `${error}`);
      assert.match(received, /^x*$/);
    });
  }

test('a connection that ends in the middle of a packet', async () => {
  const listener = await sshListener('so-crypt');
  let cut = false;
  // The end of a read is lost, and all that would follow.
  const toClient: Relay = function* (bytes) {
    if (cut) yield bytes.subarray(0, 20);
    else yield bytes;
  };
  const client = await sshClient('so-crypt', await proxyTo(listener.port, () => ({ toClient })));
  const errors: SoCryptError[] = [];
  client.on('error', (error) => errors.push(error as unknown as SoCryptError));
  const channel = await exec(client, 'cat');
  let received = 0;
  channel.on('data', (bytes: Buffer) => {
    received += bytes.length;
  });
  channel.write('x'.repeat(1000));
  await until(() => received === 1000, 'the first bytes');
  cut = true;
  channel.write('x'.repeat(1000));
  setTimeout(() => socketOf(listener.connections[0]!).end(), 100);
  await closed(client);
  assert.equal(errors[0]!.code, 'ERR_SO_CRYPT_TRUNCATED');
  assert.equal(received, 1000);
});

for (const [clientLibrary, serverLibrary] of libraryPairs)
  test(`a packet before SSH_MSG_KEXINIT, client ${clientLibrary}, server ${serverLibrary}`, async () => {
    const { port } = await sshListener(serverLibrary);
    // SSH_MSG_IGNORE, in the plain (CVE-2023-48795): strict key exchange refuses it.
    const ignore = Buffer.from('0000000c0602000000000000000000000000', 'hex').subarray(0, 16);
    let first = true;
    const insert: Relay = function* (bytes) {
      if (first) {
        first = false;
        const at = bytes.indexOf('\n') + 1;
        yield Buffer.concat([bytes.subarray(0, at), ignore, bytes.subarray(at)]);
      } else yield bytes;
    };
    const client = sshConnect(clientLibrary, await proxyTo(port, () => ({ toClient: insert })));
    const failure = await waitFor(client, 'ready', 10_000).catch((error: Error) => error);
    assert.ok(failure instanceof Error, 'it must not be let in');
  });

test('SSH_MSG_NEWKEYS without a key exchange', async () => {
  const { port, connections, errors } = await sshListener('so-crypt');
  const client = await sshClient('so-crypt', port);
  client.on('error', () => {});
  socketWrite(client, Buffer.of(21));
  await closed(client);
  assert.equal((errors[0] as SoCryptError).code, 'ERR_SO_CRYPT_UNEXPECTED_RECORD');
  assert.equal(connections.length, 1);
});

test('packets behind SSH_MSG_NEWKEYS that are not encrypted', async () => {
  const { port, errors } = await sshListener('so-crypt');
  const newKeys = Buffer.from('0000000c0a15', 'hex');
  let isBehind = false;
  const replace: Relay = (bytes) => {
    const at = bytes.indexOf(newKeys);
    if (at < 0 && !isBehind) return [bytes];
    const end = isBehind ? 0 : at + 16;
    isBehind = true;
    return [bytes.subarray(0, end), Buffer.alloc(bytes.length - end, 0x42)];
  };
  const client = sshConnect('ssh2', await proxyTo(port, () => ({ toServer: replace })));
  client.on('error', () => {});
  await closed(client);
  assert.ok(codes.includes((errors[0] as SoCryptError).code), `${errors[0]}`);
});

test('ssh hears of a packet that is not authentic', async () => {
  const [toServer, toClient] = [new Meddler(), new Meddler()];
  const { port, errors } = await proxied(kinds[0]!, toServer, toClient);
  const peer = ssh(port, ['cat']);
  peer.write('hello');
  await peer.printed('hello');
  toServer.once(flip(-1));
  peer.write('goodbye');
  const { code, stdout, stderr } = await peer.exit();
  assert.equal(code, 255);
  assert.equal(`${stdout}`, 'hello');
  assert.match(stderr, /disconnect from 127\.0\.0\.1 port \d+:5/i);
  assert.equal((errors[0] as SoCryptError).code, 'ERR_SO_CRYPT_BAD_RECORD_MAC');
});

test('a client that keeps changing keys is served all the same', async () => {
  const { port } = await sshListener('so-crypt');
  const client = await sshClient('so-crypt', port);
  const { _protocol: protocol } = client as unknown as { _protocol: { rekey(): void } };
  client.on('handshake', () => setImmediate(() => protocol.rekey()));
  protocol.rekey();
  const { stdout } = await execute(client, 'cat', Buffer.alloc(300_000, 'y'));
  assert.equal(stdout.length, 300_000);
  client.removeAllListeners('handshake');
  client.end();
});

function socketWrite(client: object, payload: Buffer): void {
  (client as { _sock: { write(payload: Buffer): void } })._sock.write(payload);
}
