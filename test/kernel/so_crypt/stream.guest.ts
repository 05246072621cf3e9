// The socket as a stream of whole records: what send, recv and poll say.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Random } from '../../support/random.js';
import { applicationData, type RecordOracle, splitRecords } from '../../support/records.js';
import { makeDirection, suiteNamed } from '../../support/suites.js';
import { Driver, errno, MSG, POLLIN, POLLOUT } from './driver.js';
import { infoOf, packInfo, READ, REKEY, unpackStatus, WRITE } from './info.js';

const driver = new Driver();
after(() => driver.end());
const random = new Random(3);
const gcm = suiteNamed('tls1.3 aes-128-gcm');
const cbc = suiteNamed('tls1.2 aes-128-cbc hmac-sha1');
const data = 23;
const handshake = 22;
const alert = 21;
const POLLHUP = 0x10;
const POLLRDHUP = 0x2000;

async function armed(direction: number, suite = gcm, more = {}, family: 4 | 6 = 4): Promise<RecordOracle> {
  const oracle = makeDirection(suite).oracle();
  await driver.connect(family);
  assert.equal(await driver.arm(packInfo(infoOf(oracle.keys, direction, more))), 0);
  return oracle;
}

const opened = async (oracle: RecordOracle) => oracle.openAll((await driver.drain()).data);

test('IPv6', async () => {
  const oracle = await armed(WRITE, gcm, {}, 6);
  await driver.send('over IPv6');
  assert.equal(applicationData(await opened(oracle)).toString(), 'over IPv6');
});

test('bytes before arming stay plain, in both directions', async () => {
  const oracle = makeDirection(gcm).oracle();
  await driver.connect();
  await driver.send('plain');
  assert.equal(await driver.arm(packInfo(infoOf(oracle.keys, WRITE))), 0);
  await driver.send('sealed');
  const wire = (await driver.drain()).data;
  assert.equal(wire.subarray(0, 5).toString(), 'plain');
  assert.equal(oracle.open(wire.subarray(5)).plaintext.toString(), 'sealed');
  await driver.wire(Buffer.from('unread'));
  assert.equal((await driver.recv(100)).data.toString(), 'unread');
});

test('a record that came before arming is read behind it', async () => {
  const oracle = makeDirection(gcm).oracle();
  await driver.connect();
  await driver.wire(oracle.data('early'));
  assert.equal(await driver.arm(packInfo(infoOf(oracle.keys, READ))), 0);
  assert.equal(await driver.number('pollin', 'a', 1000), POLLIN);
  assert.equal((await driver.recv()).data.toString(), 'early');
});

test('a write of many records, by size', async () => {
  const oracle = await armed(WRITE, gcm, { maxPayload: 1000 });
  await driver.send(random.bytes(3500));
  assert.deepEqual(
    (await opened(oracle)).map((record) => record.plaintext.length),
    [1000, 1000, 1000, 500],
  );
});

test('MSG_MORE keeps a record open; another type, a write without it, shutdown and close send it', async () => {
  const oracle = await armed(WRITE);
  await driver.send('a', { flags: MSG.more });
  await driver.send('b', { flags: MSG.more });
  assert.equal((await driver.drain()).data.length, 0);
  await driver.send('c');
  await driver.send('d', { flags: MSG.more });
  await driver.send('e', { type: handshake });
  await driver.send('f', { flags: MSG.more });
  await driver.send('');
  await driver.send('g', { flags: MSG.more });
  assert.equal(await driver.number('shutdown', 'a', 1), 0);
  const { data: wire, ended } = await driver.drain();
  const text = oracle.openAll(wire).map((record) => `${record.type}${record.plaintext}`);
  assert.deepEqual(text, ['23abc', '23d', '22e', '23f', '23g']);
  assert.equal(ended, 1);
  assert.equal(await driver.send('behind'), errno.EPIPE);
  const other = await armed(WRITE);
  await driver.send('open', { flags: MSG.more });
  assert.equal(await driver.number('close', 'a'), 0);
  assert.equal(applicationData(await opened(other)).toString(), 'open');
});

test('sendmmsg: each message is a write', async () => {
  const oracle = await armed(WRITE, gcm, { maxPayload: 1000 });
  const messages = [3, 2500, 10].map((size) => random.bytes(size));
  assert.equal(await driver.sendMany(messages), 3);
  assert.equal(await driver.sendMany([Buffer.from('whole'), null, Buffer.from('unsent')]), 1);
  const records = await opened(oracle);
  assert.deepEqual(
    records.map((record) => record.plaintext.length),
    [3, 1000, 1000, 500, 10, 5],
  );
  assert.ok(applicationData(records).equals(Buffer.concat([...messages, Buffer.from('whole')])));
});

test('sendfile, also of a file that is shorter than said', async () => {
  for (const [size, asked] of [
    [100_000, 100_000],
    [20_000, 50_000],
    [16_384, 16_384],
  ] as const) {
    const oracle = await armed(WRITE);
    const file = random.bytes(size);
    assert.equal(await driver.number('sendfile', 'a', asked, file.toString('hex')), size);
    const wire = (await driver.drain('b', 50)).data;
    assert.ok(applicationData(oracle.openAll(wire)).equals(file));
  }
});

test('splice from the socket', async () => {
  const oracle = await armed(READ);
  await driver.wire(oracle.data('through a pipe'));
  const [count, hex] = (await driver.line('splice', 'a', 7)).split(' ');
  assert.deepEqual([count, Buffer.from(hex!, 'hex').toString()], ['7', 'through']);
  assert.equal((await driver.recv()).data.toString(), ' a pipe');
});

test('a non-blocking write ends where the send buffer does, at a record’s end', async () => {
  const oracle = await armed(WRITE);
  await driver.ok('option', 'a', 1, 7, 4096); // SO_SNDBUF
  await driver.ok('option', 'b', 1, 8, 4096); // SO_RCVBUF
  await driver.ok('nonblock', 'a', 1);
  const sent: Buffer[] = [];
  let result: number;
  for (;;) {
    const piece = random.bytes(40_000);
    result = await driver.send(piece);
    if (result <= 0) break;
    sent.push(piece.subarray(0, result));
    if (result < piece.length) assert.equal(result % 16_384, 0);
    assert.ok(sent.length < 1000);
  }
  assert.equal(result, errno.EAGAIN);
  assert.equal((await driver.number('poll', 'a')) & POLLOUT, 0);
  const wire = (await driver.drain('b', 1500)).data;
  assert.ok(applicationData(oracle.openAll(wire)).equals(Buffer.concat(sent)));
  assert.equal((await driver.number('poll', 'a')) & POLLOUT, POLLOUT);
});

test('a blocking write of more than the buffers hold', async () => {
  const oracle = await armed(WRITE);
  await driver.ok('option', 'a', 1, 7, 4096);
  const bytes = random.bytes(300_000);
  await driver.line('background', 'send', 'a', -1, 0, bytes.toString('hex'));
  const wire = (await driver.drain('b', 3000)).data;
  assert.ok(applicationData(oracle.openAll(wire)).equals(bytes));
  assert.equal(await driver.number('wait'), 0);
});

test('close sends what is in flight, whatever the buffers hold', async () => {
  const oracle = await armed(WRITE);
  await driver.ok('option', 'b', 1, 8, 4096);
  const bytes = random.bytes(50_000);
  await driver.send(bytes);
  await driver.ok('close', 'a');
  const { data: wire, ended } = await driver.drain('b', 1500);
  assert.ok(applicationData(oracle.openAll(wire)).equals(bytes));
  assert.equal(ended, 1);
});

test('a read never mixes types, and takes several records of data', async () => {
  const oracle = await armed(READ);
  await driver.wire(
    Buffer.concat([
      oracle.data('one '),
      oracle.data('two'),
      oracle.seal(handshake, Buffer.from('ticket')),
      oracle.seal(handshake, Buffer.from('again')),
      oracle.data('three'),
      oracle.closeNotify(),
    ]),
  );
  const seen: [number, string][] = [];
  for (let i = 0; i < 5; i++) {
    const got = await driver.recv();
    seen.push([got.type, got.data.toString()]);
  }
  assert.deepEqual(seen, [
    [data, 'one two'],
    [handshake, 'ticket'],
    [handshake, 'again'],
    [data, 'three'],
    [alert, '\u0001\0'],
  ]);
});

test('a control record without room for its type is EIO, and stays', async () => {
  const oracle = await armed(READ);
  await driver.wire(oracle.closeNotify());
  assert.equal((await driver.recv(10, { control: false })).result, errno.EIO);
  assert.equal((await driver.recv(10, { control: false })).result, errno.EIO);
  assert.equal((await driver.recv()).type, alert);
});

test('tiny reads, MSG_PEEK, MSG_WAITALL', async () => {
  const oracle = await armed(READ);
  await driver.wire(Buffer.concat([oracle.data('abc'), oracle.data(''), oracle.data('defg')]));
  assert.equal((await driver.recv(1)).data.toString(), 'a');
  assert.equal((await driver.recv(9, { flags: MSG.peek })).data.toString(), 'bc');
  assert.equal((await driver.recv(1)).data.toString(), 'b');
  assert.equal((await driver.recv(4, { flags: MSG.waitall })).data.toString(), 'cdef');
  assert.equal((await driver.recv(9)).data.toString(), 'g');
  assert.equal((await driver.recv(0)).result, 0);
  assert.equal((await driver.recv(9, { flags: MSG.dontwait })).result, errno.EAGAIN);
});

test('the wire in pieces of every size: readable when a record is whole, never before', async () => {
  for (const suite of [gcm, cbc]) {
    const oracle = await armed(READ, suite);
    const record = oracle.data(random.bytes(40));
    for (let at = 1; at <= record.length; at++) {
      await driver.wire(record.subarray(at - 1, at));
      const now = (await driver.number('poll', 'a')) & POLLIN;
      assert.equal(now, at === record.length ? POLLIN : 0, `after ${at} bytes`);
    }
    assert.equal((await driver.recv()).result, 40);
    const bytes = random.bytes(60_000);
    const wire = oracle.stream(bytes, 1500);
    const read: Buffer[] = [];
    for (let at = 0; at < wire.length; ) {
      const size = random.size(9000);
      await driver.wire(wire.subarray(at, at + size));
      at += size;
      for (;;) {
        const got = await driver.recv(random.size(20_000), { flags: MSG.dontwait });
        if (got.result === errno.EAGAIN) break;
        assert.ok(got.result > 0);
        read.push(got.data);
      }
    }
    assert.ok(Buffer.concat(read).equals(bytes));
  }
});

test('a record longer than the receive buffer', async () => {
  const oracle = await armed(READ);
  await driver.ok('option', 'a', 1, 8, 2048);
  const bytes = random.bytes(100_000);
  await driver.line('background', 'send', 'b', -1, 0, oracle.stream(bytes).toString('hex'));
  const read: Buffer[] = [];
  for (let left = bytes.length; left > 0; left -= read.at(-1)!.length) {
    assert.equal(await driver.number('pollin', 'a', 20_000), POLLIN);
    read.push((await driver.recv()).data);
  }
  assert.ok(Buffer.concat(read).equals(bytes));
  assert.equal(await driver.number('wait'), 0);
});

test('FIN at a record’s end is the end, FIN in the middle of one is ECONNABORTED', async () => {
  const clean = await armed(READ);
  await driver.wire(clean.data('last'));
  await driver.ok('shutdown', 'b', 1);
  assert.equal((await driver.recv()).data.toString(), 'last');
  assert.equal((await driver.recv()).result, 0);
  assert.equal((await driver.number('poll', 'a')) & (POLLIN | POLLRDHUP), POLLIN | POLLRDHUP);
  for (const cut of [1, 4, 5, 6, 20, 30]) {
    const oracle = await armed(READ);
    await driver.wire(oracle.data('whole'));
    await driver.wire(oracle.data('cut in the middle').subarray(0, cut));
    await driver.ok('shutdown', 'b', 1);
    assert.equal((await driver.recv()).data.toString(), 'whole');
    assert.equal((await driver.recv()).result, errno.ECONNABORTED, `after ${cut} bytes`);
    assert.equal((await driver.recv()).result, errno.ECONNABORTED);
  }
});

test('a reset: what came before is read, then ECONNRESET', async () => {
  const oracle = await armed(READ);
  await driver.wire(oracle.data('before'));
  await driver.ok('reset', 'b');
  assert.equal((await driver.recv()).data.toString(), 'before');
  assert.equal((await driver.recv()).result, errno.ECONNRESET);
  assert.equal((await driver.number('poll', 'a')) & POLLHUP, POLLHUP);
  await armed(WRITE);
  await driver.ok('reset', 'b');
  assert.equal(await driver.send('x'), errno.ECONNRESET);
  assert.equal(await driver.send('x'), errno.EPIPE);
});

test('a blocked reader is woken by a record, an error and the end', async () => {
  const oracle = await armed(READ);
  for (const wire of [oracle.data('x'), oracle.data('y')]) {
    await driver.line('background', 'recv', 'a', 100, 0, 1);
    await driver.line('sleep', 'a', 100);
    await driver.wire(wire.subarray(0, 7));
    await driver.wire(wire.subarray(7));
    assert.equal(await driver.number('wait'), 0);
  }
  await driver.line('background', 'recv', 'a', 100, 0, 1);
  await driver.line('sleep', 'a', 100);
  await driver.ok('shutdown', 'b', 1);
  assert.equal(await driver.number('wait'), 0);
});

test('KeyUpdate: reads wait for the new key, writes go on under the new one', async () => {
  const [old, next] = [makeDirection(gcm).oracle(), makeDirection(gcm).oracle()];
  await driver.connect();
  await driver.arm(packInfo(infoOf(old.keys, READ)));
  const update = Buffer.of(24, 0, 0, 1, 0);
  await driver.wire(Buffer.concat([old.data('a'), old.seal(handshake, update), next.data('b')]));
  assert.equal((await driver.recv()).data.toString(), 'a');
  assert.deepEqual((await driver.recv()).data, update);
  assert.equal((await driver.recv()).result, errno.EKEYEXPIRED);
  assert.equal(await driver.arm(packInfo(infoOf(old.keys, READ, { operation: REKEY }))), errno.EEXIST);
  assert.equal(await driver.arm(packInfo(infoOf(next.keys, READ, { operation: REKEY }))), 0);
  assert.equal((await driver.recv()).data.toString(), 'b');
});

test('KeyUpdate behind another message, and cut in two', async () => {
  const ticket = Buffer.concat([Buffer.of(4, 0, 1, 0), Buffer.alloc(256, 24)]);
  const update = Buffer.of(24, 0, 0, 1, 1);
  for (const texts of [
    [Buffer.concat([ticket, update])],
    [ticket.subarray(0, 2), ticket.subarray(2), update],
    [Buffer.concat([ticket, update.subarray(0, 3)]), update.subarray(3)],
    [update.subarray(0, 4), update.subarray(4)],
  ]) {
    const [old, next] = [makeDirection(gcm).oracle(), makeDirection(gcm).oracle()];
    await driver.connect();
    await driver.arm(packInfo(infoOf(old.keys, READ)));
    for (const text of texts) await driver.wire(old.seal(handshake, text));
    await driver.wire(next.data('b'));
    for (const text of texts) assert.deepEqual((await driver.recv()).data, text);
    assert.equal((await driver.recv()).result, errno.EKEYEXPIRED);
    assert.equal(await driver.arm(packInfo(infoOf(next.keys, READ, { operation: REKEY }))), 0);
    assert.equal((await driver.recv()).data.toString(), 'b');
  }
});

test('close with something unread is a reset, as TCP’s is', async () => {
  for (const length of [0, 1, 4]) {
    const oracle = await armed(READ);
    await driver.wire(oracle.data('four'));
    if (length > 0) assert.equal((await driver.recv(length)).result, length);
    await driver.ok('close', 'a');
    assert.equal((await driver.drain()).ended, length === 4 ? 1 : errno.ECONNRESET);
  }
});

test('limits: no frame beyond, EKEYEXPIRED, and new keys go on', async () => {
  const oracle = await armed(WRITE, gcm, { limit: 2n });
  assert.equal(await driver.send('1'), 1);
  assert.equal(await driver.send('2'), 1);
  assert.equal(await driver.send('3'), errno.EKEYEXPIRED);
  assert.equal((await opened(oracle)).length, 2);
  const next = makeDirection(gcm).oracle();
  assert.equal(await driver.arm(packInfo(infoOf(next.keys, WRITE, { operation: REKEY }))), 0);
  assert.equal(await driver.send('3'), 1);
  assert.equal(applicationData(await opened(next)).toString(), '3');
  const reading = await armed(READ, gcm, { limit: 1n });
  const after = makeDirection(gcm).oracle();
  await driver.wire(Buffer.concat([reading.data('1'), after.data('2')]));
  assert.equal((await driver.recv(9)).data.toString(), '1');
  assert.equal((await driver.number('poll', 'a')) & POLLIN, POLLIN);
  assert.equal((await driver.recv(9)).result, errno.EKEYEXPIRED);
  assert.equal(await driver.arm(packInfo(infoOf(after.keys, READ, { operation: REKEY }))), 0);
  assert.equal((await driver.recv(9)).data.toString(), '2');
  await armed(WRITE, gcm, { sequence: 2n ** 64n - 2n });
  assert.equal(await driver.send('last'), 4);
  assert.equal(await driver.send('x'), errno.EKEYEXPIRED);
});

test('getsockopt tells all but keys', async () => {
  const oracle = await armed(WRITE, cbc, { depth: 3, sequence: 9n });
  await driver.send('x');
  const [result, length, hex] = (await driver.line('status', 'a')).split(' ');
  assert.deepEqual([result, length], ['0', '464']);
  const bytes = Buffer.from(hex!, 'hex');
  for (const secret of [oracle.keys.key, oracle.keys.macKey!])
    assert.equal(bytes.indexOf(Buffer.from(secret).subarray(0, 8)), -1);
  const status = unpackStatus(bytes, WRITE);
  assert.deepEqual(
    [status.state & 1, status.protocol, status.cipher, status.mac, status.depth, status.sequence],
    [1, 3, 'cbc(aes)', 'hmac(sha1)', 3, 10n],
  );
  assert.equal(unpackStatus(bytes, READ).state, 0);
  assert.equal((await driver.line('status', 'a', 4)).split(' ')[1], '4');
});

test('records in both directions at once', async () => {
  const [out, back] = [makeDirection(cbc).oracle(), makeDirection(gcm).oracle()];
  await driver.connect();
  assert.equal(await driver.arm(packInfo(infoOf(out.keys, WRITE))), 0);
  assert.equal(await driver.arm(packInfo(infoOf(back.keys, READ))), 0);
  for (let i = 0; i < 20; i++) {
    const bytes = random.bytes(random.size(20_000));
    await driver.send(bytes);
    const wire = splitRecords((await driver.drain()).data);
    const text = applicationData(wire.map((record) => out.open(record)));
    assert.ok(text.equals(bytes));
    await driver.wire(back.stream(text));
    const got = await driver.recv(bytes.length, { flags: MSG.waitall });
    assert.ok(got.data.equals(bytes));
  }
});
