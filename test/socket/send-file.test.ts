import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type Armed, armedPair, flushed } from '../support/armed.js';
import { pause } from '../support/patience.js';
import { Random } from '../support/random.js';
import { applicationData } from '../support/records.js';
import { connectedPair, sha256, until } from '../support/sockets.js';
import { suiteNamed } from '../support/suites.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'so-crypt-send-file-'));
after(() => rmSync(folder, { recursive: true }));

const content = new Random(5).bytes(1_500_007);
const file = path.join(folder, 'file');
writeFileSync(file, content);

const suites = ['tls1.3 aes-128-gcm', 'tls1.2 aes-128-gcm', 'tls1.3 aes-128-ccm'].map(suiteNamed);

/** All that our socket has sent, opened; it has ended. */
async function sent({ ours, wire, opener }: Armed): Promise<Buffer> {
  ours.end();
  await until(() => wire.ended || wire.closed, 'FIN', 20_000);
  const records = opener.openAll(wire.bytes);
  assert.deepEqual([...records.at(-1)!.plaintext], [1, 0], 'close_notify comes last');
  return applicationData(records);
}

for (const suite of suites)
  test(`${suite.name}: a file goes out between what is written before and after`, async () => {
    const pair = await armedPair(suite);
    const { ours } = pair;
    ours.write('before, ');
    ours.write(Buffer.alloc(200_000, 'b'));
    const progress: number[] = [];
    const first = ours.sendFile(file, { onProgress: (bytesSent) => progress.push(bytesSent) });
    ours.write(' between ');
    const second = ours.sendFile(pathToFileURL(file), { start: 1000, end: 1_000_999 });
    ours.write(' after');
    assert.deepEqual(await Promise.all([first, second]), [content.length, 1_000_000]);
    const expected = Buffer.concat([
      Buffer.from('before, '),
      Buffer.alloc(200_000, 'b'),
      content,
      Buffer.from(' between '),
      content.subarray(1000, 1_001_000),
      Buffer.from(' after'),
    ]);
    const got = await sent(pair);
    assert.equal(got.length, expected.length);
    assert.equal(sha256(got), sha256(expected));
    assert.equal(progress.at(-1), content.length);
    assert.ok(
      progress.every((bytesSent, i) => i === 0 || bytesSent > progress[i - 1]!),
      'progress grows',
    );
    assert.equal(ours.bytesWritten, expected.length);
  });

test('an unarmed socket sends files, too, also before it is armed', async () => {
  const { ours, peer } = await connectedPair();
  const chunks: Buffer[] = [];
  peer.on('data', (chunk: Buffer) => chunks.push(chunk));
  ours.write('plain ');
  assert.equal(await ours.sendFile(file), content.length);
  ours.end(' end');
  await once(peer, 'end');
  assert.equal(
    sha256(Buffer.concat(chunks)),
    sha256(Buffer.concat([Buffer.from('plain '), content, Buffer.from(' end')])),
  );
  assert.equal(ours.bytesWritten, content.length + 10);
});

test('ranges: one byte, the last one, nothing, an empty file', async () => {
  const pair = await armedPair(suites[0]!);
  const empty = path.join(folder, 'empty');
  writeFileSync(empty, '');
  const { ours } = pair;
  assert.equal(await ours.sendFile(file, { start: 7, end: 7 }), 1);
  assert.equal(await ours.sendFile(file, { start: content.length - 1 }), 1);
  assert.equal(await ours.sendFile(file, { start: 7, end: 6 }), 0);
  assert.equal(await ours.sendFile(file, { start: content.length }), 0);
  assert.equal(await ours.sendFile(empty), 0);
  assert.deepEqual(await sent(pair), Buffer.from([content[7]!, content.at(-1)!]));
});

test('an open file is sent from its start whatever its position is, and stays open', async () => {
  const pair = await armedPair(suites[0]!);
  const handle = await open(file);
  await handle.read(Buffer.alloc(100), 0, 100);
  assert.equal(await pair.ours.sendFile(handle, { end: 99 }), 100);
  assert.equal(await pair.ours.sendFile(handle), content.length);
  const { bytesRead } = await handle.read(Buffer.alloc(1), 0, 1);
  assert.equal(bytesRead, 1);
  await handle.close();
  assert.equal(sha256(await sent(pair)), sha256(Buffer.concat([content.subarray(0, 100), content])));
});

test('back-pressure: a peer that reads slowly gets all of it, and later writes wait', async () => {
  const pair = await armedPair(suites[0]!);
  const { ours, peer } = pair;
  peer.pause();
  let done = false;
  const transfers = Array.from({ length: 12 }, () => ours.sendFile(file));
  void Promise.all(transfers).then(() => {
    done = true;
  });
  ours.write('last');
  await pause(300);
  assert.equal(done, false, '18 MB do not fit into the buffers of the kernel');
  peer.resume();
  await Promise.all(transfers);
  const got = await sent(pair);
  assert.equal(got.length, 12 * content.length + 4);
  assert.equal(sha256(got), sha256(Buffer.concat([...Array<Buffer>(12).fill(content), Buffer.from('last')])));
});

test('a file that is shorter than the range, or becomes so, is told; the records stay whole and the socket usable', async () => {
  const pair = await armedPair(suites[0]!);
  const { ours, peer } = pair;
  await assert.rejects(ours.sendFile(file, { end: content.length }), {
    code: 'ERR_SO_CRYPT_FILE_TRUNCATED',
    bytesSent: 0,
  });
  const shrinking = path.join(folder, 'shrinking');
  writeFileSync(shrinking, Buffer.alloc(30_000_000, 's'));
  peer.pause();
  const transfer = ours.sendFile(shrinking);
  const told = assert.rejects(transfer, { code: 'ERR_SO_CRYPT_FILE_TRUNCATED' });
  await pause(100);
  truncateSync(shrinking, 100_000);
  peer.resume();
  await told;
  const error = await transfer.catch((reason) => reason as { bytesSent: number });
  const { bytesSent } = error as { bytesSent: number };
  assert.ok(bytesSent >= 100_000 && bytesSent < 30_000_000, `${bytesSent}`);
  ours.write('goes on');
  const got = await sent(pair);
  assert.equal(got.length, bytesSent + 7);
  assert.equal(got.subarray(-7).toString(), 'goes on');
});

test('a transfer that is aborted ends between two pieces, and the stream goes on', async () => {
  const pair = await armedPair(suites[0]!);
  const { ours } = pair;
  await assert.rejects(ours.sendFile(file, { signal: AbortSignal.abort() }), { name: 'AbortError' });
  const controller = new AbortController();
  const onProgress = () => controller.abort(new Error('enough'));
  let bytesSent = 0;
  await assert.rejects(
    ours.sendFile(file, {
      signal: controller.signal,
      onProgress: (sum) => {
        bytesSent = sum;
        onProgress();
      },
    }),
    { message: 'enough' },
  );
  assert.ok(bytesSent < content.length);
  ours.write('next');
  const got = await sent(pair);
  assert.equal(sha256(got), sha256(Buffer.concat([content.subarray(0, bytesSent), Buffer.from('next')])));
});

test('what is wrong with the file or the options is told, and nothing is sent', async () => {
  const pair = await armedPair(suites[0]!);
  const { ours } = pair;
  await assert.rejects(ours.sendFile(path.join(folder, 'missing')), { code: 'ENOENT' });
  await assert.rejects(ours.sendFile(folder), { code: 'EISDIR' });
  for (const options of [{ start: -1 }, { start: 1.5 }, { start: 10, end: 5 }])
    await assert.rejects(ours.sendFile(file, options), { code: 'ERR_OUT_OF_RANGE' });
  const thrown = new Error('of onProgress');
  await assert.rejects(
    ours.sendFile(file, {
      end: 9,
      onProgress() {
        throw thrown;
      },
    }),
    thrown,
  );
  ours.write('still here');
  assert.equal((await sent(pair)).toString('latin1'), `${content.toString('latin1', 0, 10)}still here`);
});

test('a peer that goes away, and a socket that is destroyed, end the transfer', async () => {
  const gone = await armedPair(suites[0]!);
  gone.peer.pause();
  gone.ours.on('error', () => {});
  const lost = assert.rejects(
    Promise.all(Array.from({ length: 20 }, () => gone.ours.sendFile(file))),
    (error: NodeJS.ErrnoException) =>
      /^(EPIPE|ECONNRESET|ECANCELED|ERR_SO_CRYPT_CLOSED|ERR_STREAM_DESTROYED)$/.test(`${error.code}`),
  );
  setTimeout(() => gone.peer.resetAndDestroy(), 50);
  await lost;
  const destroyed = await armedPair(suites[0]!);
  destroyed.peer.pause();
  const transfers = Array.from({ length: 20 }, () => destroyed.ours.sendFile(file));
  const ended = assert.rejects(Promise.all(transfers));
  setTimeout(() => destroyed.ours.destroy(), 50);
  await ended;
  // Each of them ends, also the one that waited for the peer.
  await Promise.allSettled(transfers);
  const plain = await connectedPair();
  plain.peer.pause();
  const waiting = Array.from({ length: 20 }, () => plain.ours.sendFile(file));
  setTimeout(() => plain.ours.destroy(), 50);
  const outcomes = await Promise.allSettled(waiting);
  assert.ok(outcomes.some(({ status }) => status === 'rejected'));
  await assert.rejects(destroyed.ours.sendFile(file));
});

const long = Buffer.alloc(20_000_000);
const longFile = path.join(folder, 'long');
writeFileSync(longFile, long);

for (const [what, send] of [
  ['a file', (ours: Armed['ours']) => ours.sendFile(longFile)],
  ['a Buffer', (ours: Armed['ours']) => flushed(ours, long)],
] as const)
  test(`a connection that is reset behind its FIN, in the middle of ${what}, fails`, async () => {
    const random = new Random(6);
    for (let i = 0; i < 20; i++) {
      const { ours, peer, sealer, wire, close } = await armedPair(suites[i % 2]!);
      ours.on('error', () => {});
      // From here on only what is sent can tell that the peer is gone.
      const ended = once(ours, 'end');
      peer.end(sealer.seal(21, Buffer.from([1, 0])));
      await ended;
      const most = random.integer(1, 1_500_000);
      peer.on('data', () => {
        if (wire.length >= most) peer.resetAndDestroy();
      });
      await assert.rejects(send(ours), ({ code }: NodeJS.ErrnoException) =>
        /^(EPIPE|ECONNRESET)$/.test(`${code}`),
      );
      close();
    }
  });
