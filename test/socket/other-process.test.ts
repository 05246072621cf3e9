import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import net from 'node:net';
import { test } from 'node:test';
import { fromHandle, SoCryptError } from '../../lib/index.js';
import { able, engineUnderTest, isKtls, isSoCrypt, testWhere } from '../support/engine.js';
import type { Order, Report } from '../support/other-process.js';
import { patient } from '../support/patience.js';
import { opensslClient } from '../support/peers.js';
import { collect, sha256, until, waitFor } from '../support/sockets.js';
import {
  asOurs,
  closeAfterTest,
  type TlsSocket,
  tlsClient,
  tlsListener,
  tlsPair,
} from '../support/tls-ends.js';

const { write, read } = { write: engineUnderTest.split('/')[0], read: engineUnderTest.split('/').at(-1) };
const isInKernel = write === read && (isKtls || isSoCrypt);

interface Other {
  process: ChildProcess;
  reports: Report[];
}

function otherProcess(): Other {
  const child = fork(new URL('../support/other-process.js', import.meta.url));
  closeAfterTest({ close: () => child.kill('SIGKILL') });
  const reports: Report[] = [];
  child.on('message', (report) => reports.push(report as Report));
  return { process: child, reports };
}

async function reported<K extends keyof Report>(
  { reports }: Other,
  what: K,
): Promise<NonNullable<Report[K]>> {
  await until(() => reports.some((report) => report[what] !== undefined), `a report of ${what}`, 20_000);
  return reports.find((report) => report[what] !== undefined)![what]!;
}

const ciphers = { 'TLSv1.2': 'ECDHE-ECDSA-AES128-GCM-SHA256', 'TLSv1.3': 'TLS_AES_128_GCM_SHA256' } as const;

const order = (rest: Partial<Order> = {}): Order => ({ cipher: 'aes-128-gcm', ...rest });

for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
  testWhere(isInKernel)(`another process goes on with an armed socket, ${version}`, async () => {
    const other = otherProcess();
    const both = { minVersion: version, maxVersion: version, ciphers: ciphers[version] } as const;
    const { client, peer, server } = await tlsPair(['node', 'so-crypt'], { both });
    peer.write('from here, ');
    assert.equal(String((await waitFor(client, 'data'))[0]), 'from here, ');
    peer.pause();
    assert.equal(other.process.send(order(), peer as net.Socket), true);
    const crypt = await reported(other, 'crypt');
    assert.deepEqual(
      [crypt.engine, crypt.protocol, crypt.cipher, crypt.mac],
      [write, version.toLowerCase().replace('v', ''), 'aes-128-gcm', 'undefined'],
    );
    // What was sent from here has numbers, and so has the Finished of TLS 1.2.
    assert.deepEqual([Number(crypt.write) >= 2, Number(crypt.read)], [true, version === 'TLSv1.2' ? 1 : 0]);
    const data = Buffer.alloc(300_000, 'there and back ');
    const back = collect(client);
    client.end(data);
    assert.equal(sha256(await back), sha256(data));
    assert.deepEqual(await reported(other, 'end'), { closed: true, truncated: false });
    // Node counts a connection that it has sent away until the other process has closed it.
    const closed = waitFor(server, 'close', 10_000);
    server.close();
    await closed;
  });

testWhere(isInKernel)('s_client talks to the other process, and gets its close_notify', async () => {
  const other = otherProcess();
  const { server, port } = await tlsListener('so-crypt', {
    ciphers: ciphers['TLSv1.3'],
    minVersion: 'TLSv1.3',
  });
  server.on('secureConnection', (socket: TlsSocket) => {
    socket.pause();
    other.process.send(order({ say: 'hello from another process\n' }), socket as net.Socket);
  });
  const peer = opensslClient(port, ['-ign_eof'], { quiet: false, timeout: 30_000 });
  const { stdout, stderr } = await peer.exit();
  assert.match(String(stdout), /hello from another process/);
  assert.match(`${stdout}${stderr}`, /closed|DONE/);
  assert.doesNotMatch(stderr, /unexpected eof|bad record/);
});

testWhere(isInKernel)('a FIN without close_notify, and a KeyUpdate, are found there', async () => {
  for (const how of ['FIN', 'KeyUpdate'] as const) {
    const other = otherProcess();
    const { server, port } = await tlsListener('so-crypt', {
      ciphers: ciphers['TLSv1.3'],
      minVersion: 'TLSv1.3',
    });
    server.on('secureConnection', (socket: TlsSocket) => {
      socket.pause();
      other.process.send(order(), socket as net.Socket);
    });
    if (how === 'FIN') {
      const client = tlsClient('node', port);
      await waitFor(client, 'secureConnect');
      await reported(other, 'crypt');
      client.destroy();
      assert.equal(await reported(other, 'error'), 'ERR_SO_CRYPT_TRUNCATED');
    } else {
      const peer = opensslClient(port, [], { quiet: false, timeout: 30_000 });
      await reported(other, 'crypt');
      peer.write('k\n');
      assert.equal(await reported(other, 'error'), 'ERR_SO_CRYPT_KEY_UPDATE');
      await peer.stop();
    }
  }
});

testWhere(isInKernel && able.carryCbc)('a CBC suite, whose cipher must be named', async () => {
  const both = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0' } as const;
  const other = otherProcess();
  const { client, peer } = await tlsPair(['node', 'so-crypt'], { both });
  peer.pause();
  other.process.send(order({ cipher: 'aes-128-cbc', say: 'cbc' }), peer as net.Socket);
  assert.equal((await reported(other, 'crypt')).mac, 'hmac-sha256');
  assert.equal(String(await collect(client)), 'cbc');
  const second = await tlsPair(['node', 'so-crypt'], { both });
  second.peer.pause();
  const wrong = otherProcess();
  wrong.process.send(order(), second.peer as net.Socket);
  assert.equal(await reported(wrong, 'error'), 'ERR_SO_CRYPT_INVALID_OPTION');
});

testWhere(!isInKernel)('a socket whose records are made here is not sent, and goes on', async () => {
  const other = otherProcess();
  const { client, peer } = await tlsPair(['node', 'so-crypt']);
  assert.throws(
    () => other.process.send(order(), peer as net.Socket),
    (error) =>
      error instanceof SoCryptError &&
      error.code === 'ERR_SO_CRYPT_UNSUPPORTED' &&
      /records are made in this one .*engine: 'ktls'/.test(error.message),
  );
  peer.write('still here');
  assert.equal(String((await waitFor(client, 'data'))[0]), 'still here');
  client.write('as well');
  assert.equal(String((await waitFor(peer, 'data'))[0]), 'as well');
  const closed = new Promise((resolve) => asOurs(peer).once('close', resolve));
  client.end();
  await closed;
});

testWhere(isInKernel)('what has not been written or read keeps a socket here', async () => {
  const other = otherProcess();
  const { client, peer } = await tlsPair(['node', 'so-crypt']);
  client.write('not read');
  await until(() => peer.readableLength > 0, 'it has come');
  const refused = (hint: RegExp) =>
    assert.throws(
      () => other.process.send(order(), peer as net.Socket),
      (error) => error instanceof SoCryptError && hint.test(error.message),
    );
  refused(/read\(\) them first/);
  assert.equal(String(peer.read()), 'not read');
  peer.write(Buffer.alloc(8_000_000));
  refused(/callback of the last write/);
  assert.equal(peer.destroyed, false);
});

test('a plain connection, and what is none', async () => {
  assert.throws(
    () => fromHandle({} as net.Socket),
    (error) => (error as SoCryptError).code === 'ERR_SO_CRYPT_INVALID_OPTION',
  );
  assert.throws(
    () => fromHandle(new net.Socket()),
    (error) => (error as SoCryptError).code === 'ERR_SO_CRYPT_CLOSED',
  );
  const server = closeAfterTest(net.createServer());
  server.listen(0, '127.0.0.1');
  await waitFor(server, 'listening');
  const client = closeAfterTest(net.connect((server.address() as net.AddressInfo).port, '127.0.0.1'));
  const [accepted] = (await waitFor(server, 'connection', patient(5000))) as [net.Socket];
  client.write('plain');
  await until(() => accepted.readableLength > 0, 'it has come');
  const socket = fromHandle(accepted);
  assert.equal(socket.crypt, null);
  assert.equal(String((await waitFor(socket, 'data'))[0]), 'plain');
  socket.end('back');
  assert.equal(String(await collect(client)), 'back');
});
