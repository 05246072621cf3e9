import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';
import { createServer, Socket } from '../../lib/index.js';
import { armedPair, flushed } from '../support/armed.js';
import { able, testWhere } from '../support/engine.js';
import { pause } from '../support/patience.js';
import { applicationData } from '../support/records.js';
import { connectedPair, Recorder, sha256, until, waitFor } from '../support/sockets.js';
import { allSuites, makeDirection, suiteNamed, suiteOptions } from '../support/suites.js';

const suite = suiteNamed('tls1.3 aes-128-gcm');

test('the write direction alone: what is read stays plain', async () => {
  const { ours, peer } = await connectedPair();
  const [read, wire] = [new Recorder(ours), new Recorder(peer)];
  const { keys, oracle } = makeDirection(suite);
  ours.setCrypt({ ...suiteOptions(suite), write: keys });
  assert.equal(ours.crypt?.read, null);
  peer.end('plain');
  ours.end('sealed');
  await until(() => wire.ended && read.ended, 'both ends');
  assert.equal(read.bytes.toString(), 'plain');
  assert.equal(applicationData(oracle().openAll(wire.bytes)).toString(), 'sealed');
});

test('the read direction alone: what is written stays plain', async () => {
  const { ours, peer } = await connectedPair();
  const [read, wire] = [new Recorder(ours), new Recorder(peer)];
  const { keys, oracle } = makeDirection(suite);
  ours.setCrypt({ ...suiteOptions(suite), read: keys });
  assert.equal(ours.crypt?.write, null);
  const sealer = oracle();
  peer.end(Buffer.concat([sealer.data('sealed'), sealer.closeNotify()]));
  ours.end('plain');
  await until(() => wire.ended && read.ended, 'both ends');
  assert.equal(read.bytes.toString(), 'sealed');
  assert.equal(wire.bytes.toString(), 'plain');
});

testWhere(able.carryCbc)('one direction after the other, with different protocols', async () => {
  const { ours, peer } = await connectedPair();
  const [read, wire] = [new Recorder(ours), new Recorder(peer)];
  const cbc = suiteNamed('tls1.2 aes-128-cbc hmac-sha1');
  const [write, second] = [makeDirection(suite), makeDirection(cbc)];
  ours.setCrypt({ ...suiteOptions(suite), write: write.keys });
  await flushed(ours, Buffer.from('1.3'));
  ours.setCrypt({ ...suiteOptions(cbc), read: second.keys });
  const sealer = second.oracle();
  peer.end(Buffer.concat([sealer.data('1.2'), sealer.closeNotify()]));
  ours.end();
  await until(() => wire.ended && read.ended, 'both ends');
  assert.equal(read.bytes.toString(), '1.2');
  assert.equal(applicationData(write.oracle().openAll(wire.bytes)).toString(), '1.3');
});

test('bytes written before stay plain, however many the kernel has not taken yet', async () => {
  for (const size of [10, 100_000, 20_000_000]) {
    const { ours, peer } = await connectedPair();
    const wire = new Recorder(peer);
    const plain = randomBytes(size);
    peer.pause();
    ours.write(plain.subarray(0, size / 2));
    ours.write(plain.subarray(size / 2));
    const { keys, oracle } = makeDirection(suite);
    ours.setCrypt({ ...suiteOptions(suite), write: keys });
    ours.write('sealed ');
    ours.end('too');
    peer.resume();
    await until(() => wire.ended, 'FIN', 10_000);
    assert.equal(sha256(wire.bytes.subarray(0, size)), sha256(plain));
    assert.equal(applicationData(oracle().openAll(wire.bytes.subarray(size))).toString(), 'sealed too');
    assert.equal(ours.bytesWritten, size + 10);
  }
});

test('bytes written before while corked stay plain', async () => {
  const { ours, peer } = await connectedPair();
  const wire = new Recorder(peer);
  ours.cork();
  ours.write('plain ');
  ours.write('as ');
  const { keys, oracle } = makeDirection(suite);
  ours.setCrypt({ ...suiteOptions(suite), write: keys });
  ours.write('sealed');
  ours.write('!');
  ours.uncork();
  ours.end();
  await until(() => wire.ended, 'FIN');
  assert.equal(wire.bytes.subarray(0, 9).toString(), 'plain as ');
  assert.equal(applicationData(oracle().openAll(wire.bytes.subarray(9))).toString(), 'sealed!');
});

test('bytes that came before and are not consumed are records: read(n), then setCrypt', async () => {
  const { ours, peer } = await connectedPair();
  const { keys, oracle } = makeDirection(suite);
  const sealer = oracle();
  const stream = Buffer.concat([Buffer.from('STARTTLS'), sealer.data('one '), sealer.data('two ')]);
  peer.write(stream);
  await until(() => ours.read(0) === null && ours.readableLength === stream.length, 'all has come');
  assert.equal((ours.read(8) as Buffer).toString(), 'STARTTLS');
  ours.setCrypt({ ...suiteOptions(suite), read: keys });
  const read = new Recorder(ours);
  peer.end(Buffer.concat([sealer.data('three'), sealer.closeNotify()]));
  await until(() => read.ended || read.errors.length > 0, 'end');
  assert.deepEqual(read.errors, []);
  assert.equal(read.bytes.toString(), 'one two three');
});

test("bytes that came before and are put back by unshift are records, in a 'data' listener", async () => {
  const { ours, peer } = await connectedPair();
  const { keys, oracle } = makeDirection(suite);
  const sealer = oracle();
  const delivered: string[] = [];
  ours.once('data', (chunk: Buffer) => {
    delivered.push(chunk.subarray(0, 5).toString());
    ours.unshift(chunk.subarray(5));
    ours.setCrypt({ ...suiteOptions(suite), read: keys });
    ours.on('data', (data: Buffer) => delivered.push(data.toString()));
  });
  const record = sealer.data('sealed');
  peer.write(Buffer.concat([Buffer.from('plain'), record.subarray(0, 9)]));
  await until(() => delivered.length === 1, 'the plain bytes');
  peer.end(Buffer.concat([record.subarray(9), sealer.closeNotify()]));
  await waitFor(ours, 'end');
  assert.deepEqual(delivered, ['plain', 'sealed']);
});

testWhere(able.armBehindFin)(
  'records and FIN that came before arming are opened, and a missing close_notify is noticed',
  async () => {
    for (const whole of [true, false]) {
      const { ours, peer } = await connectedPair();
      const { keys, oracle } = makeDirection(suite);
      const sealer = oracle();
      const parts = [Buffer.from('plain'), sealer.data('sealed')];
      peer.end(Buffer.concat(whole ? [...parts, sealer.closeNotify()] : parts));
      await pause(20);
      assert.equal((ours.read(5) as Buffer).toString(), 'plain');
      ours.setCrypt({ ...suiteOptions(suite), read: keys });
      const read = new Recorder(ours);
      await until(() => read.ended || read.errors.length > 0, 'end or error');
      assert.equal(read.bytes.toString(), 'sealed');
      const codes = read.errors.map((error) => (error as NodeJS.ErrnoException).code);
      assert.deepEqual(codes, whole ? [] : ['ERR_SO_CRYPT_TRUNCATED']);
    }
  },
);

testWhere(able.armBehindFin)(
  'FIN that came before arming, with nothing behind the plain bytes, is a truncation',
  async () => {
    const { ours, peer } = await connectedPair();
    peer.end('plain');
    await pause(20);
    assert.equal((ours.read() as Buffer).toString(), 'plain');
    ours.setCrypt({ ...suiteOptions(suite), read: makeDirection(suite).keys });
    const read = new Recorder(ours);
    await until(() => read.ended || read.errors.length > 0, 'end or error');
    assert.equal(read.ended, false);
    assert.equal((read.errors[0] as NodeJS.ErrnoException).code, 'ERR_SO_CRYPT_TRUNCATED');
  },
);

test('the sequence number is where it was told to begin', async () => {
  for (const sequence of [1n, 2n ** 32n + 5n, 2n ** 63n]) {
    const { ours, peer, sealer, opener, read, wire } = await armedPair(suite, { sequence });
    peer.write(sealer.data('in'));
    await until(() => read.length === 2 || read.errors.length > 0, 'data');
    assert.deepEqual(read.errors, []);
    await flushed(ours, Buffer.from('out'));
    assert.equal(ours.crypt?.write?.sequence, sequence + 1n);
    assert.equal(ours.crypt?.read?.sequence, sequence + 1n);
    assert.equal(ours.crypt?.read?.records, 1n);
    await until(() => wire.length > 0, 'a record');
    assert.equal(applicationData(opener.openAll(wire.bytes)).toString(), 'out');
  }
});

testWhere(able.stopBeforeWrap)('the sequence number does not wrap', async () => {
  const { ours, peer, sealer, read } = await armedPair(suite, { sequence: 2n ** 64n - 2n });
  peer.write(sealer.data('last'));
  peer.write(sealer.data('one too many', { sequence: 2n ** 64n - 1n }));
  await until(() => read.closed, 'closed');
  assert.equal(read.bytes.toString(), 'last');
  assert.equal((read.errors[0] as NodeJS.ErrnoException).code, 'ERR_SO_CRYPT_KEY_LIMIT');

  const second = await armedPair(suite, { sequence: 2n ** 64n - 2n });
  assert.ok(ours.destroyed);
  await flushed(second.ours, Buffer.from('last'));
  await assert.rejects(flushed(second.ours, Buffer.from('one too many')), { code: 'ERR_SO_CRYPT_KEY_LIMIT' });
  await until(() => second.wire.ended || second.wire.closed, 'closed');
  assert.equal(second.opener.openAll(second.wire.bytes).length, 1);
});

testWhere(able.changeKeys)('arming again needs new keys, and goes on with them', async () => {
  const { ours, peer, sealer, opener, read, wire, crypt } = await armedPair(suite);
  assert.throws(() => ours.setCrypt(crypt), { code: 'ERR_SO_CRYPT_ALREADY_ARMED' });
  peer.write(sealer.data('first '));
  await until(() => read.length === 6, 'data');
  await flushed(ours, Buffer.from('first '));
  await until(() => wire.length > 0, 'a record');
  const seen = wire.length;
  const [write, next] = [makeDirection(suite), makeDirection(suite)];
  ours.setCrypt({ ...suiteOptions(suite), write: write.keys, read: next.keys });
  const second = next.oracle();
  peer.end(Buffer.concat([second.data('second'), second.closeNotify()]));
  ours.end('second');
  await until(() => read.ended && wire.ended, 'both ends');
  assert.equal(read.bytes.toString(), 'first second');
  assert.equal(applicationData(opener.openAll(wire.bytes.subarray(0, seen))).toString(), 'first ');
  assert.equal(applicationData(write.oracle().openAll(wire.bytes.subarray(seen))).toString(), 'second');
});

testWhere(able.changeKeys)('keys that a direction had before do not come back', async () => {
  const { ours, crypt } = await armedPair(suite);
  ours.setCrypt({ ...suiteOptions(suite), write: makeDirection(suite).keys });
  assert.throws(() => ours.setCrypt({ ...suiteOptions(suite), write: crypt.write! }), {
    code: 'ERR_SO_CRYPT_ALREADY_ARMED',
  });
});

test('all or nothing: a mistake in one direction arms none', async () => {
  const { ours, peer } = await connectedPair();
  const wire = new Recorder(peer);
  const [write, read] = [makeDirection(suite).keys, makeDirection(suite).keys];
  assert.throws(() =>
    ours.setCrypt({ ...suiteOptions(suite), write, read: { ...read, iv: Buffer.alloc(11) } }),
  );
  assert.equal(ours.crypt, null);
  ours.end('plain');
  await until(() => wire.ended, 'FIN');
  assert.equal(wire.bytes.toString(), 'plain');
});

test('the option crypt arms a socket as soon as it connects, before what was written meanwhile', async () => {
  const [write, read] = [makeDirection(suite), makeDirection(suite)];
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await waitFor(server, 'listening');
  const ours = new Socket({ crypt: { ...suiteOptions(suite), write: write.keys, read: read.keys } });
  ours.connect((server.address() as { port: number }).port, '127.0.0.1');
  ours.write('early ');
  ours.end('bird');
  const [peer] = (await once(server, 'connection')) as [Socket];
  server.close();
  assert.ok(peer instanceof Socket);
  const [received, wire] = [new Recorder(ours), new Recorder(peer)];
  const sealer = read.oracle();
  peer.end(Buffer.concat([sealer.data('worm'), sealer.closeNotify()]));
  await until(() => wire.ended && received.ended, 'both ends');
  assert.equal(applicationData(write.oracle().openAll(wire.bytes)).toString(), 'early bird');
  assert.equal(received.bytes.toString(), 'worm');
});

test('two sockets of ours, armed against each other, for every suite', async () => {
  for (const chosen of allSuites) {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await waitFor(server, 'listening');
    const client = new Socket();
    client.connect((server.address() as { port: number }).port, '127.0.0.1');
    const [[accepted]] = await Promise.all([
      once(server, 'connection') as Promise<[Socket]>,
      waitFor(client, 'connect'),
    ]);
    server.close();
    const [up, down] = [makeDirection(chosen).keys, makeDirection(chosen).keys];
    client.setCrypt({ ...suiteOptions(chosen), write: up, read: down });
    accepted.setCrypt({ ...suiteOptions(chosen), write: down, read: up });
    const [atClient, atServer] = [new Recorder(client), new Recorder(accepted)];
    const data = randomBytes(70_000);
    client.end(data);
    accepted.end(data);
    await until(() => atClient.closed && atServer.closed, 'both closed');
    assert.deepEqual([...atClient.errors, ...atServer.errors], [], chosen.name);
    assert.ok(atClient.bytes.equals(data) && atServer.bytes.equals(data), chosen.name);
  }
});

test('the keys are copied, and wiped if asked', async () => {
  const { ours, peer } = await connectedPair();
  const wire = new Recorder(peer);
  const { keys, oracle } = makeDirection(suite);
  const opener = oracle();
  ours.setCrypt({ ...suiteOptions(suite), write: keys, wipe: true });
  for (const bytes of [keys.key!, keys.iv!, keys.secret!]) assert.ok(bytes.every((byte) => byte === 0));
  ours.end('x');
  await until(() => wire.ended, 'FIN');
  assert.equal(applicationData(opener.openAll(wire.bytes)).toString(), 'x');
});

test('crypt tells of the arming and holds no keys', async () => {
  const chosen = suiteNamed(able.carryCbc ? 'tls1.2 aes-256-cbc hmac-sha384' : 'tls1.2 aes-256-gcm');
  const { ours, crypt } = await armedPair(chosen);
  const state = ours.crypt!;
  assert.equal(state.protocol, 'tls1.2');
  assert.equal(state.cipher, chosen.cipher);
  assert.equal(state.mac, chosen.mac);
  assert.deepEqual(state.write, { engine: state.write!.engine, sequence: 0n, records: 0n, keyUpdates: 0 });
  assert.deepEqual(state.read, {
    engine: state.read!.engine,
    sequence: 0n,
    records: 0n,
    keyUpdates: 0,
    closed: false,
    truncated: false,
  });
  const shown = `${JSON.stringify(state, (_, value) => (typeof value === 'bigint' ? `${value}` : value))}`;
  assert.ok(!shown.includes(Buffer.from(crypt.write!.key!).toString('hex')));
});
