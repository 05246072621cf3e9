import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { armedPair } from '../support/armed.js';
import { contentType } from '../support/oracle-keys.js';
import { pause } from '../support/patience.js';
import { connectedPair, Recorder, sha256, until } from '../support/sockets.js';
import { makeDirection, suiteNamed, suiteOptions } from '../support/suites.js';

const suites = ['tls1.3 aes-128-gcm', 'tls1.2 aes-128-gcm'].map(suiteNamed);

// libuv's reader gets EIO for a control record and then takes POLLHUP and a short read for the end of the stream.
for (const suite of suites)
  test(`${suite.name}: data behind a control record is read, though both FINs have been sent`, async () => {
    for (const pauseFirst of [false, true]) {
      const { ours, peer, sealer, read, wire } = await armedPair(suite, { crypt: { engine: 'ktls' } });
      if (pauseFirst) ours.pause();
      ours.end();
      await until(() => wire.ended, 'our FIN');
      const warning = sealer.data('AAAA');
      const rest = [
        sealer.seal(contentType.alert, Buffer.from([1, 90])),
        sealer.data('BBBB'),
        sealer.closeNotify(),
      ];
      peer.end(Buffer.concat([warning, ...rest]));
      await pause(50);
      ours.resume();
      await until(() => read.ended || read.errors.length > 0, 'end');
      assert.deepEqual(read.errors, []);
      assert.equal(read.bytes.toString(), 'AAAABBBB');
    }
  });

// The records' beginning has been read by libuv when the socket is armed: it is opened in the process up to the record's end, and the
// kernel goes on behind it.
for (const suite of suites)
  test(`${suite.name}: armed at each byte of a record`, async () => {
    const sizes = [40, 1, 300];
    const total = sizes.reduce((sum, size) => sum + size, 0);
    for (let cut = 0; cut <= 70; cut += 1) {
      const { ours, peer } = await connectedPair();
      const { keys, oracle } = makeDirection(suite);
      const sealer = oracle();
      const data = randomBytes(total);
      const records: Buffer[] = [];
      for (let at = 0, i = 0; i < sizes.length; at += sizes[i++]!)
        records.push(sealer.data(data.subarray(at, at + sizes[i]!)));
      const stream = Buffer.concat([...records, sealer.closeNotify()]);
      peer.write(stream.subarray(0, cut));
      await until(() => ours.readableLength === cut, `${cut} bytes have come`);
      ours.setCrypt({ ...suiteOptions(suite), read: keys, engine: 'ktls' });
      const read = new Recorder(ours);
      peer.end(stream.subarray(cut));
      await until(() => read.ended || read.errors.length > 0, 'end');
      assert.deepEqual(read.errors, [], `armed ${cut} bytes in`);
      assert.equal(sha256(read.bytes), sha256(data));
      assert.deepEqual([ours.crypt!.engine, ours.crypt!.read!.sequence], ['ktls', BigInt(sizes.length + 1)]);
      assert.equal(ours.bytesRead, total);
      ours.destroy();
      peer.destroy();
    }
  });

test('the beginning of a record does not keep the process busy', async () => {
  const { peer, sealer, read } = await armedPair(suites[0]!, { crypt: { engine: 'ktls' } });
  const record = sealer.data(Buffer.alloc(10_000, 1));
  peer.write(record.subarray(0, 5_000));
  await pause(20);
  const before = process.cpuUsage();
  await pause(500);
  const { user, system } = process.cpuUsage(before);
  const limit = (500_000 * Number(process.env.SO_CRYPT_PATIENCE ?? 1)) / 4;
  assert.ok(user + system < limit, `${user + system} µs of CPU time while it waits`);
  peer.write(record.subarray(5_000));
  await until(() => read.length === 10_000, 'the record');
});

test('a paused socket reads nothing, and goes on where it was', async () => {
  const { ours, peer, sealer, read } = await armedPair(suites[0]!, { crypt: { engine: 'ktls' } });
  const data = randomBytes(3_000_000);
  ours.pause();
  peer.write(sealer.stream(data));
  await pause(100);
  assert.ok(ours.bytesRead < 500_000, `${ours.bytesRead} bytes`);
  for (let i = 0; i < 20; i++) {
    ours.resume();
    await pause(1);
    ours.pause();
    await pause(1);
  }
  ours.resume();
  await until(() => read.length === data.length, 'all', 20_000);
  assert.equal(sha256(read.bytes), sha256(data));
});

test('setTimeout counts what the kernel has read', async () => {
  const { ours, peer, sealer } = await armedPair(suites[0]!, { crypt: { engine: 'ktls' } });
  let timeouts = 0;
  const limit = 200 * Number(process.env.SO_CRYPT_PATIENCE ?? 1);
  ours.setTimeout(limit, () => timeouts++);
  for (let i = 0; i < 8; i++) {
    peer.write(sealer.data('x'));
    await new Promise((resolve) => setTimeout(resolve, limit / 4));
  }
  assert.equal(timeouts, 0);
  await until(() => timeouts === 1, 'timeout');
});

test('padded records are read right where the kernel was told to expect none', async () => {
  // Told nothing, it reads them right; with expectNoPadding that is the caller's promise.
  const { peer, sealer, read } = await armedPair(suites[0]!, { crypt: { engine: 'ktls' } });
  for (const word of ['one ', 'two ', 'three ']) peer.write(sealer.data(word, { zeros: 500 }));
  await until(() => read.length === 14, 'three words');
  assert.equal(read.bytes.toString(), 'one two three ');
  const promised = await armedPair(suites[0]!, { crypt: { engine: 'ktls', expectNoPadding: true } });
  for (const word of ['one ', 'two ', 'three ']) promised.peer.write(promised.sealer.data(word));
  promised.peer.end(promised.sealer.closeNotify());
  await until(() => promised.read.ended, 'end');
  assert.equal(promised.read.bytes.toString(), 'one two three ');
});
