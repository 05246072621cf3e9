// Relays (native/relay) with the test at both of their sides: what http2 and peers that keep to the rules can't bring about.
import assert from 'node:assert/strict';
import net from 'node:net';
import { test as nodeTest } from 'node:test';
import type { CryptOptions } from '../../lib/crypt-options.js';
import type { SoCryptError } from '../../lib/errors.js';
import { Relay } from '../../lib/relay/relay.js';
import { type Armed, armedPair } from '../support/armed.js';
import { Generations } from '../support/generations.js';
import { contentType } from '../support/oracle-keys.js';
import { pause } from '../support/patience.js';
import { Random } from '../support/random.js';
import { applicationData } from '../support/records.js';
import { sha256, until } from '../support/sockets.js';
import { allSuites, type Suite, suiteNamed } from '../support/suites.js';

const isPossible =
  process.platform === 'linux' && ['', 'auto', 'evp'].includes(process.env.SO_CRYPT_ENGINE ?? '');
const test = (name: string, run: () => Promise<void>): void =>
  void nodeTest(name, { skip: !isPossible && "relays are Linux's and evp's" }, run);

const data = new Random(71).bytes(700_001);
const gcm = suiteNamed('tls1.3 aes-128-gcm');

interface Relayed extends Armed {
  readonly relay: Relay;
  /** The plain side. */
  readonly plain: net.Socket;
  /** What has come there. */
  readonly arrived: () => Buffer;
}

async function relayed(crypt: Partial<CryptOptions> = {}, suite: Suite = gcm): Promise<Relayed> {
  const armed = await armedPair(suite, {
    crypt: { engine: 'evp', ...crypt },
    secretOnly: suite.protocol === 'tls1.3',
  });
  const relay = Relay.attach(armed.ours)!;
  const plain = new net.Socket({ handle: relay.handle, allowHalfOpen: true } as net.SocketConstructorOpts);
  const chunks: Buffer[] = [];
  plain.on('error', () => {}).on('data', (chunk: Buffer) => chunks.push(chunk));
  return { ...armed, relay, plain, arrived: () => Buffer.concat(chunks) };
}

for (const suite of allSuites)
  test(`${suite.name}: both ways, in pieces cut anywhere, to a clean end`, async () => {
    const { ours, peer, sealer, opener, wire, plain, arrived, relay } = await relayed({}, suite);
    const records = sealer.stream(data, 5_000);
    plain.write(data);
    for (let at = 0, size = 1; at < records.length; at += size, size = (size * 7) % 30_011) {
      peer.write(records.subarray(at, at + size));
      if (size % 3 === 0) await new Promise(setImmediate);
    }
    await until(() => arrived().length >= data.length, 'all that the peer has sent');
    assert.equal(sha256(arrived()), sha256(data));
    ours.end();
    await until(() => wire.ended, 'FIN');
    const opened = opener.openAll(wire.bytes);
    assert.equal(sha256(applicationData(opened)), sha256(data));
    assert.deepEqual(opened.at(-1)!.plaintext, Buffer.from([1, 0]), 'close_notify');
    // Full records, as far as one read of the pair brings them.
    assert.ok(opened.length < (1.5 * data.length) / 16_384, `${opened.length} records`);
    assert.deepEqual([relay.bytesRead, relay.bytesWritten], [data.length, data.length]);
    assert.deepEqual([ours.bytesRead, ours.bytesWritten], [data.length, data.length]);
    peer.end(sealer.closeNotify());
    await until(() => ours.destroyed, 'the end');
  });

test('no key serves for more records than it may', async () => {
  for (const keyUpdateAfter of [1, 3]) {
    const { ours, crypt, wire, plain } = await relayed({ keyUpdateAfter });
    const own = new Generations(gcm.cipher, crypt.write!.secret!);
    plain.write(data);
    await until(() => ours.bytesWritten === data.length, 'all of it');
    ours.end();
    await until(() => wire.ended, 'FIN');
    assert.equal(sha256(applicationData(own.openAll(wire.bytes))), sha256(data));
    assert.ok(Math.max(...own.counts) <= keyUpdateAfter, `records under each key: ${own.counts}`);
    assert.equal(ours.crypt!.write!.keyUpdates, own.requests.length);
  }
});

test('KeyUpdates of the peer are answered, and what is written beside the relay keeps its place among records', async () => {
  const { ours, peer, crypt, wire, plain, arrived, read } = await relayed();
  const own = new Generations(gcm.cipher, crypt.write!.secret!);
  const theirs = new Generations(gcm.cipher, crypt.read!.secret!);
  for (let i = 0; i < 40; i++)
    peer.write(Buffer.concat([theirs.sealKeyUpdate(i % 2 === 0), theirs.oracle.data('x')]));
  plain.write(data);
  ours.keyUpdate();
  ours.write('beside');
  await until(() => arrived().length === 40 || read.errors.length > 0, 'data behind each');
  assert.deepEqual(read.errors, []);
  ours.end();
  await until(() => wire.ended, 'FIN');
  const text = applicationData(own.openAll(wire.bytes)).toString('latin1');
  assert.equal(text.replace('beside', ''), data.toString('latin1'));
  assert.ok(own.requests.length > 1);
});

/** What ends a connection, and the alert that tells the peer. */
const faults: [name: string, code: string, alert: number | undefined, send: (to: Relayed) => Buffer][] = [
  [
    'a record that is not authentic',
    'ERR_SO_CRYPT_BAD_RECORD_MAC',
    20,
    ({ sealer }) => Buffer.concat([sealer.data('good'), Buffer.from([23, 3, 3, 0, 40]), Buffer.alloc(40)]),
  ],
  ['bytes that are no records', 'ERR_SO_CRYPT_BAD_RECORD', 10, () => Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  [
    'data in the middle of a handshake message',
    'ERR_SO_CRYPT_UNEXPECTED_RECORD',
    10,
    ({ sealer }) =>
      Buffer.concat([sealer.seal(contentType.handshake, Buffer.from([24, 0])), sealer.data('x')]),
  ],
  [
    "the peer's alert",
    'ERR_SO_CRYPT_ALERT',
    undefined,
    ({ sealer }) => sealer.seal(contentType.alert, Buffer.from([2, 40])),
  ],
];

for (const [name, code, alert, send] of faults)
  test(`${name} ends the connection`, async () => {
    const one = await relayed();
    one.peer.write(send(one));
    await until(() => one.wire.ended, 'FIN');
    await until(() => one.read.closed, 'the end');
    assert.equal((one.read.errors[0] as SoCryptError).code, code);
    const told = one.opener.openAll(one.wire.bytes).map(({ plaintext }) => [...plaintext]);
    assert.deepEqual(told, alert === undefined ? [] : [[2, alert]]);
    assert.ok(one.arrived().length <= 4);
  });

test('FIN without close_notify comes behind the data, as an error if that is wanted', async () => {
  for (const truncation of ['error', 'end'] as const) {
    const { ours, peer, sealer, read, arrived } = await relayed({ truncation });
    ours.resume();
    peer.end(sealer.stream(data));
    await until(() => read.ended || read.errors.length > 0, 'the end');
    assert.equal(sha256(arrived()), sha256(data));
    assert.equal(
      (read.errors[0] as SoCryptError)?.code,
      truncation === 'end' ? undefined : 'ERR_SO_CRYPT_TRUNCATED',
    );
    assert.equal(ours.crypt!.read!.truncated, true);
    ours.destroy();
  }
});

test('a reset is told', async () => {
  const { peer, read } = await relayed();
  peer.resetAndDestroy();
  await until(() => read.closed, 'the end');
  assert.equal((read.errors[0] as NodeJS.ErrnoException).code, 'ECONNRESET');
});

test('who does not read holds up who writes, and nothing is lost', async () => {
  const { ours, peer, sealer, opener, wire, plain, arrived, relay } = await relayed();
  const much = Buffer.concat(Array.from({ length: 60 }, () => data)); // 42 MB
  peer.pause();
  plain.pause();
  plain.write(much);
  peer.write(sealer.stream(much));
  let before = -1;
  for (let sum = 0; sum > before; await pause(100)) {
    before = sum;
    sum = relay.bytesRead + relay.bytesWritten;
  }
  assert.ok(relay.bytesRead < 2_000_000, `${relay.bytesRead} bytes read`);
  assert.ok(relay.bytesWritten < 12_000_000, `${relay.bytesWritten} bytes written`); // TCP's own buffers
  peer.resume();
  plain.resume();
  await until(() => relay.bytesRead === much.length, 'all that the peer has written', 20_000);
  ours.end();
  await until(() => wire.ended, 'FIN', 20_000);
  assert.equal(sha256(arrived()), sha256(much));
  assert.equal(sha256(applicationData(opener.openAll(wire.bytes))), sha256(much));
});

test('destroy() sends what was written as far as the connection takes it', async () => {
  const { ours, opener, wire, plain } = await relayed();
  await new Promise((resolve) => plain.write('the last words', resolve));
  ours.destroy();
  await until(() => wire.ended, 'FIN');
  assert.equal(applicationData(opener.openAll(wire.bytes)).toString(), 'the last words');
});
