import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import plain from 'ssh2';
import { Socket } from '../../lib/index.js';
import ssh, * as named from '../../lib/ssh.js';
import { watchNoDelay } from '../support/no-delay.js';
import { folder, hostKey, opensshServer, username } from '../support/openssh.js';
import { collect, waitFor } from '../support/sockets.js';
import {
  execute,
  libraryPairs,
  password,
  socketOf,
  sshClient,
  sshConnect,
  sshListener,
} from '../support/ssh-ends.js';
import { closeAfterTest } from '../support/tls-ends.js';

const require = createRequire(import.meta.url);

test('the exports are those of ssh2', () => {
  assert.deepEqual(Object.keys(ssh).sort(), Object.keys(plain).sort());
  for (const name of Object.keys(plain)) assert.ok(name in named, `no ${name} among the named exports`);
  assert.ok(new named.Client() instanceof plain.Client);
  assert.ok(new named.Server({ hostKeys: [hostKey.private] }) instanceof plain.Server);
  assert.equal(named.utils, plain.utils);
});

for (const [clientLibrary, serverLibrary] of libraryPairs)
  test(`what carries the packets can be seen, client ${clientLibrary}, server ${serverLibrary}`, async () => {
    const algorithms = {
      cipher: ['aes256-ctr'],
      hmac: ['hmac-sha2-512-etm@openssh.com'],
    } as named.Algorithms;
    const { port, connections } = await sshListener(serverLibrary, { algorithms });
    const client = await sshClient(clientLibrary, port, { algorithms });
    await execute(client, 'exit 0');
    for (const [library, end] of [
      [clientLibrary, client],
      [serverLibrary, connections[0]!],
    ] as const) {
      if (library === 'ssh2') {
        assert.equal(end.crypt, undefined);
        assert.ok(!('crypt' in socketOf(end)));
        continue;
      }
      const { engine, protocol, cipher, mac, write, read } = end.crypt!;
      assert.deepEqual([protocol, cipher, mac], ['ssh', 'aes256-ctr', 'hmac-sha2-512-etm@openssh.com']);
      assert.equal(engine, process.env.SO_CRYPT_ENGINE || 'evp');
      assert.ok(write!.sequence > 3n && read!.sequence > 3n);
    }
    client.end();
  });

test('an engine that is unknown, or has no such driver', () => {
  const wrong = { username: 'nobody', engine: 'warp' as 'evp' };
  assert.throws(() => new named.Client().connect(wrong), { code: 'ERR_SO_CRYPT_UNKNOWN_ENGINE' });
  const driver = { hostKeys: [hostKey.private], engine: 'evp' as const, driver: 'fast' };
  assert.throws(() => new named.Server(driver), { code: 'ERR_SO_CRYPT_UNSUPPORTED' });
});

test('a number of packets that is out of range', () => {
  for (const rekeyAfter of [999, 2 ** 31 + 1, 1500.5])
    assert.throws(() => new named.Client().connect({ username: 'nobody', rekeyAfter }), {
      code: 'ERR_SO_CRYPT_INVALID_OPTION',
    });
});

test('what ssh2 refuses is refused, and nothing is left open', () => {
  assert.throws(() => new named.Client().connect({ host: '127.0.0.1' }), /Invalid username/);
});

test('a cipher that only ssh2 has stays its own, unless an engine is named', async () => {
  const algorithms = { cipher: ['aes128-ctr'], hmac: ['hmac-md5'] } as named.Algorithms;
  const { port, errors } = await sshListener('ssh2', { algorithms });
  if (!process.env.SO_CRYPT_ENGINE) {
    const client = await sshClient('so-crypt', port, { algorithms });
    assert.equal((await execute(client, 'exit 12')).code, 12);
    assert.equal(client.crypt, null);
    client.end();
  }
  const refused = sshConnect('so-crypt', port, { algorithms, engine: 'evp' });
  await assert.rejects(waitFor(refused, 'ready'), {
    code: 'ERR_SO_CRYPT_UNSUPPORTED',
    level: 'client-socket',
  });
  assert.equal(errors.length <= 1, true);
});

test('one direction ours, the other ssh2’s', {
  skip:
    process.env.SO_CRYPT_ENGINE !== undefined && 'an engine asked for by name refuses what is left to ssh2',
}, async () => {
  const client = new plain.Client();
  // ssh2 has one list for both directions; this one is asked for below it.
  const cs = { cipher: ['aes128-ctr'], mac: ['hmac-md5'], compress: ['none'], lang: [] };
  const sc = { cipher: ['aes256-gcm@openssh.com'], mac: ['hmac-sha2-256'], compress: ['none'], lang: [] };
  const server = await sshListener('so-crypt', {
    algorithms: { hmac: { append: ['hmac-md5'], prepend: [], remove: [] } } as named.Algorithms,
  });
  client.on('error', () => {});
  client.connect({ host: '127.0.0.1', port: server.port, username, password });
  offer(client, { cs, sc });
  closeAfterTest({ destroy: () => client.destroy() });
  await waitFor(client, 'ready');
  assert.equal((await execute(client, 'cat', Buffer.alloc(100_000, 'z'))).stdout.length, 100_000);
  const { write, read } = server.connections[0]!.crypt!;
  assert.equal(write?.cipher, 'aes256-gcm@openssh.com');
  assert.equal(read, null);
});

/** Replaces what a connection will offer, before it does. */
function offer(connection: object, lists: object): void {
  const { _protocol: protocol } = connection as { _protocol: { _offer: object; _strictMode?: boolean } };
  const { KexInit, DEFAULT_KEXINIT_CLIENT } = require('ssh2/lib/protocol/kex.js') as {
    KexInit: new (lists: object) => object;
    DEFAULT_KEXINIT_CLIENT: { lists: Record<string, { array: string[] }> };
  };
  const { kex, serverHostKey } = DEFAULT_KEXINIT_CLIENT.lists;
  protocol._offer = new KexInit({ kex: kex!.array, serverHostKey: serverHostKey!.array, ...lists });
}

for (const isStrict of [true, false])
  test(`sequence numbers ${isStrict ? 'begin again with new keys' : 'go on'} ${isStrict ? 'with' : 'without'} strict key exchange`, async () => {
    const { port, connections } = await sshListener('so-crypt');
    const client = sshConnect('so-crypt', await (isStrict ? opensshServer() : port), { username });
    if (!isStrict) {
      // Neither offers it, and neither takes it for granted because the other one does.
      const lists = {
        cipher: ['aes128-gcm@openssh.com'],
        mac: ['hmac-sha2-256'],
        compress: ['none'],
        lang: [],
      };
      offer(client, { kex: ['curve25519-sha256', 'ext-info-c'], cs: lists, sc: lists });
      Object.assign((client as unknown as { _protocol: object })._protocol, { _strictMode: false });
    }
    await waitFor(client, 'ready', 10_000);
    const { crypt } = client as named.Client;
    await execute(client, isStrict ? 'true' : 'exit 0');
    const handshake = waitFor(client, 'handshake');
    const before = (client as named.Client).crypt!.write!;
    (client as unknown as { _protocol: { rekey(): void } })._protocol.rekey();
    await handshake;
    const { sequence, keyUpdates, records } = (client as named.Client).crypt!.write!;
    assert.equal(keyUpdates, 1);
    assert.equal(records, 0n);
    if (isStrict) assert.equal(sequence, 0n);
    else assert.equal(sequence, before.sequence + 3n, 'KEXINIT, KEXDH_INIT, NEWKEYS');
    assert.equal((await execute(client, 'exit 8')).code, 8);
    assert.ok(crypt);
    if (!isStrict) assert.equal(connections[0]!.crypt!.read!.keyUpdates, 1);
    client.end();
  });

test('the option sock: a net.Socket is taken over, also one of ours; any other stream stays ssh2’s', async () => {
  const { port } = await sshListener('so-crypt');
  for (const sock of [new net.Socket(), new Socket()]) {
    closeAfterTest(sock).connect(port, '127.0.0.1');
    await waitFor(sock, 'connect');
    const client = await sshClient('so-crypt', 0, { sock });
    assert.equal((await execute(client, 'cat', Buffer.from('hello'))).stdout.toString(), 'hello');
    assert.equal(client.crypt?.protocol, 'ssh');
    assert.equal(sock.remotePort, port);
    client.end();
    await waitFor(client, 'close');
    assert.ok(sock.destroyed);
  }
  // From host to host: the second connection goes through a channel of the first.
  const first = await sshClient('so-crypt', await opensshServer(), { username });
  const sock = await promisify<string, number, string, number, named.ClientChannel>(
    first.forwardOut.bind(first) as never,
  )('127.0.0.1', 0, '127.0.0.1', port);
  const second = await sshClient('so-crypt', 0, { sock });
  assert.equal((await execute(second, 'exit 31')).code, 31);
  assert.equal(second.crypt, null);
  second.end();
  first.end();
});

test('a socket that is given to the server', async () => {
  const { server, connections } = await sshListener('so-crypt');
  const accepting = net.createServer((socket) => (server as named.Server).injectSocket(socket as Socket));
  accepting.listen(0, '127.0.0.1');
  closeAfterTest(accepting);
  await waitFor(accepting, 'listening');
  const client = await sshClient('so-crypt', (accepting.address() as net.AddressInfo).port);
  assert.equal((await execute(client, 'exit 2')).code, 2);
  assert.equal(connections[0]!.crypt?.protocol, 'ssh');
  client.end();
});

test("neither a client's nor a server's packets wait for an acknowledgement, unless that is asked for", async () => {
  const listener = await sshListener('so-crypt');
  await watchNoDelay((listener.server as unknown as { _srv: object })._srv, async (calls) => {
    const client = await sshClient('so-crypt', listener.port);
    assert.deepEqual(calls, [true, true]);
    client.setNoDelay(false);
    assert.deepEqual(calls, [true, true, false]);
    client.end();
  });
});

test('connect() again on a client that is connected', async () => {
  const { port } = await sshListener('so-crypt');
  const client = await sshClient('so-crypt', port);
  const first = socketOf(client);
  client.connect({ host: '127.0.0.1', port, username, password });
  await waitFor(client, 'ready');
  assert.notEqual(socketOf(client), first);
  assert.equal((await execute(client, 'exit 3')).code, 3);
  assert.equal(client.crypt?.protocol, 'ssh');
  client.end();
});

test('an address family, and a name that does not resolve', async () => {
  const { port } = await sshListener('so-crypt');
  const client = await sshClient('so-crypt', port, { host: 'localhost', forceIPv4: true });
  client.end();
  const lost = sshConnect('so-crypt', port, { host: 'nowhere.invalid', forceIPv4: true });
  await assert.rejects(waitFor(lost, 'ready'), { level: 'client-dns' });
});

test('a port where nobody listens', async () => {
  await assert.rejects(waitFor(sshConnect('so-crypt', 1), 'ready'), {
    code: 'ECONNREFUSED',
    level: 'client-socket',
  });
});

test('HTTPAgent', async () => {
  const { createServer, get } = await import('node:http');
  const web = createServer((_request, response) => response.end('through the tunnel'));
  web.listen(0, '127.0.0.1');
  closeAfterTest(web);
  await waitFor(web, 'listening');
  const onConnection = (connection: named.Connection): void => {
    connection.on('tcpip', (accept, _reject, { destPort }) => {
      const channel = accept();
      const socket = net.connect(destPort, '127.0.0.1');
      socket.pipe(channel).pipe(socket);
    });
  };
  const { port } = await sshListener('so-crypt', {}, { onConnection });
  const agent = new named.HTTPAgent({ host: '127.0.0.1', port, username, password });
  const request = get({ agent, host: '127.0.0.1', port: (web.address() as net.AddressInfo).port });
  const [response] = (await waitFor(request, 'response')) as [import('node:http').IncomingMessage];
  assert.equal(`${await collect(response)}`, 'through the tunnel');
  agent.destroy();
});

test('a version of ssh2 that is not known, and none at all', () => {
  const at = path.join(folder, 'program');
  const importing = (): string => {
    const lib = new URL('../../lib', import.meta.url).pathname;
    fs.mkdirSync(path.join(at, 'so-crypt/dist'), { recursive: true });
    fs.cpSync(lib, path.join(at, 'so-crypt/dist/lib'), { recursive: true });
    fs.copyFileSync(
      new URL('../../../package.json', import.meta.url),
      path.join(at, 'so-crypt/package.json'),
    );
    for (const name of ['bindings', 'node-addon-api', 'file-uri-to-path', '../build'])
      if (!fs.existsSync(path.join(at, 'so-crypt/node_modules', name))) {
        fs.mkdirSync(path.join(at, 'so-crypt/node_modules'), { recursive: true });
        const from = new URL(`../../../node_modules/${name}`, import.meta.url).pathname;
        fs.symlinkSync(from, path.join(at, 'so-crypt/node_modules', name));
      }
    const code = `import(${JSON.stringify(path.join(at, 'so-crypt/dist/lib/ssh.js'))}).then(() => console.log('loaded'), (e) => console.log(e.code, e.message))`;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', code], { encoding: 'utf8' });
    return stdout + stderr;
  };
  assert.match(importing(), /^ERR_SO_CRYPT_SSH2 .* needs the package ssh2\. npm install ssh2@/);
  const other = path.join(at, 'so-crypt/node_modules/ssh2');
  fs.mkdirSync(other, { recursive: true });
  fs.writeFileSync(path.join(other, 'package.json'), JSON.stringify({ name: 'ssh2', version: '1.18.0' }));
  assert.match(importing(), /^ERR_SO_CRYPT_SSH2 so-crypt does not know ssh2 1\.18\.0\. npm install ssh2@/);
});
