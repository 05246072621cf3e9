import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { armedPair, flushed } from '../support/armed.js';
import { Random } from '../support/random.js';
import { applicationData } from '../support/records.js';
import { sha256, until } from '../support/sockets.js';
import { suiteNamed } from '../support/suites.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'so-crypt-upgrade-'));
after(() => rmSync(folder, { recursive: true }));
const content = new Random(6).bytes(700_001);
const file = path.join(folder, 'file');
writeFileSync(file, content);

for (const name of [
  'tls1.3 aes-256-gcm',
  'tls1.3 chacha20-poly1305',
  'tls1.2 aes-128-gcm',
  'tls1.2 chacha20-poly1305',
])
  test(`${name}: auto writes by evp until a file is sent, and by ktls from there on`, async () => {
    const { ours, peer, sealer, opener, read, wire } = await armedPair(suiteNamed(name), {
      crypt: { engine: 'auto' },
    });
    assert.equal(ours.crypt!.write!.engine, 'evp');
    await flushed(ours, Buffer.from('by evp '));
    ours.write(Buffer.alloc(100_000, 'e'));
    await ours.sendFile(file);
    const { write, read: reading } = ours.crypt!;
    assert.deepEqual([write!.engine, reading!.engine], ['ktls', 'evp']);
    assert.ok(write!.records > 50n, `${write!.records} records, with those of evp`);
    ours.write(' by ktls');
    peer.write(sealer.data('read on'));
    await until(() => read.length === 7, 'data');
    ours.end();
    await until(() => wire.ended, 'FIN');
    const records = opener.openAll(wire.bytes); // in the order of sequence numbers: none twice, none left out
    const expected = Buffer.concat([
      Buffer.from('by evp '),
      Buffer.alloc(100_000, 'e'),
      content,
      Buffer.from(' by ktls'),
    ]);
    assert.equal(sha256(applicationData(records)), sha256(expected));
    const nonces = records.map(({ explicit }) => explicit.toString('hex'));
    if (nonces[0]) assert.equal(new Set(nonces).size, nonces.length, 'no explicit nonce twice');
  });

test('what kTLS has not, and small files, stay with evp', async () => {
  for (const [name, end] of [
    ['tls1.2 aes-128-cbc hmac-sha1', undefined],
    ['tls1.3 aes-128-gcm', 1000],
  ] as const) {
    const { ours, opener, wire } = await armedPair(suiteNamed(name), { crypt: { engine: 'auto' } });
    const sent = await ours.sendFile(file, end === undefined ? {} : { end });
    assert.equal(ours.crypt!.write!.engine, 'evp');
    ours.end();
    await until(() => wire.ended, 'FIN');
    assert.equal(sha256(applicationData(opener.openAll(wire.bytes))), sha256(content.subarray(0, sent)));
  }
});

test('evp by name stays evp', async () => {
  const { ours } = await armedPair(suiteNamed('tls1.3 aes-128-gcm'), { crypt: { engine: 'evp' } });
  await ours.sendFile(file);
  assert.equal(ours.crypt!.write!.engine, 'evp');
});
