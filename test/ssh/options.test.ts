import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { inspect } from 'node:util';
import type { SshCryptOptions } from '../../lib/index.js';
import { SshOpenStatus, type SshSpec } from '../../lib/native/packets.js';
import { SealStatus } from '../../lib/native/records.js';
import { native } from '../../lib/native.js';
import { able, testWhere } from '../support/engine.js';
import { connectedPair, until } from '../support/sockets.js';
import { cryptOf, keysOf, SshOracle, sshPair } from '../support/ssh.js';

const gcm = { cipher: 'aes128-gcm@openssh.com' };
const ctr = { cipher: 'aes128-ctr', mac: 'hmac-sha2-256' };

test('options that are wrong are refused, and nothing has changed', async () => {
  const { ours, close } = await connectedPair();
  const good = { ...cryptOf(gcm), write: keysOf(new SshOracle(gcm)) };
  const goodCtr = { ...cryptOf(ctr), write: keysOf(new SshOracle(ctr)) };
  const wrong: [code: string, options: object][] = [
    ['UNKNOWN_CIPHER', { ...good, cipher: 'aes-128-gcm' }],
    ['UNKNOWN_CIPHER', { ...good, cipher: 'toString' }],
    ['UNKNOWN_CIPHER', { ...good, cipher: undefined }],
    ['UNKNOWN_MAC', { ...goodCtr, mac: undefined }],
    ['UNKNOWN_MAC', { ...goodCtr, mac: 'hmac-sha256' }],
    ['UNSUPPORTED', { ...good, mac: 'hmac-sha2-256' }],
    ['INVALID_OPTION', { ...good, write: undefined }],
    ['INVALID_OPTION', { ...good, write: 7 }],
    ['INVALID_OPTION', { ...good, maxFragment: 100 }],
    ['INVALID_OPTION', { ...good, encryptThenMac: true }],
    ['INVALID_OPTION', { ...good, read: { ...good.write, newKeys: 'never' } }],
    ['KEY_LENGTH', { ...good, write: { ...good.write, key: randomBytes(32) } }],
    ['KEY_LENGTH', { ...good, write: { ...good.write, key: 'text' } }],
    ['KEY_LENGTH', { ...good, cipher: 'chacha20-poly1305@openssh.com', write: { key: randomBytes(32) } }],
    ['IV_LENGTH', { ...good, write: { ...good.write, iv: randomBytes(16) } }],
    ['IV_LENGTH', { ...goodCtr, write: { ...goodCtr.write, iv: undefined } }],
    ['MAC_KEY_LENGTH', { ...goodCtr, write: { ...goodCtr.write, macKey: randomBytes(20) } }],
    ['MAC_KEY_LENGTH', { ...good, write: { ...good.write, macKey: randomBytes(20) } }],
    ['SEQUENCE', { ...good, write: { ...good.write, sequence: -1 } }],
    ['SEQUENCE', { ...good, write: { ...good.write, sequence: 2 ** 32 } }],
    ['SEQUENCE', { ...good, write: { ...good.write, sequence: 0.5 } }],
    ['UNKNOWN_ENGINE', { ...good, engine: 'abacus' }],
  ];
  for (const [code, options] of wrong) {
    const arm = () => ours.setCrypt(options as SshCryptOptions);
    assert.throws(arm, { code: `ERR_SO_CRYPT_${code}` }, `${code} ${inspect(options)}`);
    assert.equal(ours.crypt, null);
  }
  close();
});

test('what TLS has is refused', async () => {
  const pair = await sshPair(gcm);
  assert.throws(() => pair.ours.keyUpdate(), { code: 'ERR_SO_CRYPT_KEY_UPDATE' });
  await assert.rejects(pair.ours.sendFile(process.execPath), { code: 'ERR_SO_CRYPT_UNSUPPORTED' });
  const keys = { key: randomBytes(16), iv: randomBytes(12) };
  const tls = { protocol: 'tls1.3', cipher: 'aes-128-gcm', write: keys, read: keys } as const;
  assert.throws(() => pair.ours.setCrypt(tls), { code: 'ERR_SO_CRYPT_UNSUPPORTED' });
  const other = await connectedPair();
  other.ours.setCrypt({ ...tls, engine: 'evp' });
  assert.throws(() => other.ours.setCrypt({ ...cryptOf(gcm), write: keysOf(new SshOracle(gcm)) }), {
    code: 'ERR_SO_CRYPT_UNSUPPORTED',
  });
  other.close();
  pair.close();
});

test('reading needs whole Buffers', async () => {
  const options = { ...cryptOf(gcm), read: keysOf(new SshOracle(gcm)) };
  const decoded = await connectedPair();
  decoded.ours.setEncoding('utf8');
  assert.throws(() => decoded.ours.setCrypt(options), { code: 'ERR_SO_CRYPT_INVALID_OPTION' });
  decoded.close();
  const onread = { buffer: Buffer.alloc(100), callback: () => true };
  const pieces = await connectedPair({ onread } as object);
  assert.throws(() => pieces.ours.setCrypt(options), { code: 'ERR_SO_CRYPT_INVALID_OPTION' });
  pieces.close();
});

test('a payload that no packet takes is refused before anything is lost', async () => {
  const pair = await sshPair(gcm);
  const most = pair.ours.crypt!.engine === 'so_crypt' ? 65_536 : 262_124;
  pair.ours.write('^before');
  assert.throws(() => pair.ours.write(Buffer.alloc(most + 1)), { code: 'ERR_SO_CRYPT_RECORD_OVERFLOW' });
  assert.throws(() => pair.ours.write('x'.repeat(most + 1)), { code: 'ERR_SO_CRYPT_RECORD_OVERFLOW' });
  pair.ours.write('');
  pair.ours.end('^behind');
  await until(() => pair.peer.readableEnded, 'the end');
  const first = pair.opener.open(pair.wire());
  assert.equal(first.payload.toString(), '^before');
  assert.equal(pair.opener.open(first.rest).payload.toString(), '^behind');
  assert.equal(pair.opener.sequence, 2n);
  pair.close();
});

test('wipe overwrites the given keys', async () => {
  const { ours, close } = await connectedPair();
  const oracle = new SshOracle(ctr);
  const keys = {
    key: Buffer.from(oracle.keys.key),
    iv: Buffer.from(oracle.keys.iv),
    macKey: Buffer.from(oracle.keys.macKey),
  };
  ours.setCrypt({ ...cryptOf(ctr), write: keys, wipe: true });
  for (const bytes of Object.values(keys)) assert.ok(bytes.every((byte) => byte === 0));
  close();
});

// (The kernel takes them for bad ones, as OpenSSH does.)
testWhere(able.takeEmptyPayloads)("payloads of no bytes count, and are nobody's event", async () => {
  const pair = await sshPair(gcm);
  pair.peer.end(
    Buffer.concat([
      pair.sealer.seal(Buffer.alloc(0)),
      pair.sealer.seal(Buffer.from('^x')),
      pair.sealer.seal(Buffer.alloc(0)),
    ]),
  );
  await until(() => pair.read.ended, 'the end');
  assert.deepEqual(pair.read.all, [Buffer.from('^x')]);
  assert.equal(pair.ours.crypt!.read!.sequence, 3n);
  pair.close();
});

test('bytesRead and bytesWritten count the payloads', async () => {
  const pair = await sshPair(ctr);
  pair.ours.write(Buffer.alloc(1000, 94));
  pair.peer.write(pair.sealer.seal(Buffer.alloc(777, 94)));
  await until(() => pair.read.all.length === 1 && pair.wire().length > 0, 'both');
  assert.deepEqual([pair.ours.bytesWritten, pair.ours.bytesRead], [1000, 777]);
  pair.close();
});

// RFC 4344 3.1. 2^32 packets take too long: the record layer with a limit of 3.
test('a key seals and opens no more than so many packets', () => {
  const spec: SshSpec = {
    provider: 'evp',
    driver: undefined,
    cipher: 'aes-128-gcm',
    mac: undefined,
    encryptThenMac: false,
    key: randomBytes(16),
    iv: randomBytes(12),
    macKey: Buffer.alloc(0),
    sequence: 0xffff_fffe,
    limit: 3,
  };
  const sealer = new native.SshSealer({ ...spec, limit: 4 });
  const out = Buffer.alloc(1000);
  const payload = Buffer.from('^');
  const length = sealer.seal([payload, payload, payload, payload], 0, 4, out);
  assert.ok(length > 0);
  assert.equal(sealer.seal([payload], 0, 1, Buffer.alloc(100)), SealStatus.limit);
  assert.equal(sealer.sequence, 2);
  const opener = new native.SshOpener(spec);
  assert.equal(opener.open(out, 0, length, 0, Buffer.alloc(1000)), SshOpenStatus.limit);
  assert.equal(native.result[1], 3);
});
