import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { CryptOptions } from '../../lib/crypt-options.js';
import { type Armed, armedPair, flushed } from './armed.js';
import { contentType } from './oracle-keys.js';
import { applicationData } from './records.js';
import { sha256, until } from './sockets.js';
import type { Suite } from './suites.js';

/** Sizes of one write: nothing, a byte, a record less and more a byte, several records. */
export const sizes = [0, 1, 2, 255, 16_383, 16_384, 16_385, 102_400] as const;

/** The sizes of records that one write makes: full ones and a rest; TLS 1.0 has one of a byte first. */
function recordSizes(suite: Suite, length: number): number[] {
  const first = suite.protocol === 'tls1.0' && length > 1 ? [1] : [];
  const rest: number[] = [];
  for (let left = length - first.length; left > 0; left -= 16_384) rest.push(Math.min(left, 16_384));
  return [...first, ...rest];
}

/** Writes each size by itself, and opens the records with the oracle. */
export async function checkWriting(suite: Suite, crypt: Partial<CryptOptions> = {}): Promise<void> {
  const { ours, opener, wire } = await armedPair(suite, { crypt });
  const data = sizes.map((size) => randomBytes(size));
  for (const chunk of data) await flushed(ours, chunk);
  ours.end();
  await until(() => wire.ended, 'FIN');
  const records = opener.openAll(wire.bytes);
  const last = records.at(-1)!;
  assert.deepEqual([last.type, last.plaintext.toString('hex')], [contentType.alert, '0100']);
  assert.equal(sha256(applicationData(records)), sha256(Buffer.concat(data)));
  // An empty write may go out as an empty record or not at all.
  const lengths = records.slice(0, -1).map(({ plaintext }) => plaintext.length);
  const expected = sizes.flatMap((size) => recordSizes(suite, size));
  assert.deepEqual(
    lengths.filter((length) => length > 0),
    expected,
  );
  assert.equal(ours.bytesWritten, Buffer.concat(data).length);
  if (records[0]!.explicit.length === 8 && suite.mac === undefined) {
    const nonces = records.map(({ explicit }) => explicit.readBigUInt64BE());
    assert.deepEqual(
      nonces,
      records.map((_, i) => BigInt(i)),
      'the explicit nonce is the sequence number',
    );
  }
}

/** Sends each size, sealed by the oracle, with an empty record between, and a close_notify. */
export async function checkReading(suite: Suite, crypt: Partial<CryptOptions> = {}): Promise<void> {
  const armed = await armedPair(suite, { crypt });
  const { ours, peer, sealer, read } = armed;
  const data = sizes.map((size) => randomBytes(size));
  for (const chunk of data) {
    peer.write(sealer.stream(chunk));
    peer.write(sealer.data(''));
  }
  peer.end(sealer.closeNotify());
  await until(() => read.ended || read.errors.length > 0, 'end');
  assert.deepEqual(read.errors, []);
  assert.equal(sha256(read.bytes), sha256(Buffer.concat(data)));
  assert.equal(ours.crypt?.read?.sequence, sealer.sequence);
  assert.deepEqual([ours.crypt?.read?.closed, ours.crypt?.read?.truncated], [true, false]);
  await checkStillWriting(armed);
}

/** A half-closed connection: the other direction goes on. */
async function checkStillWriting({ ours, opener, wire }: Armed): Promise<void> {
  ours.end('goodbye');
  await until(() => wire.ended, 'FIN');
  assert.equal(applicationData(opener.openAll(wire.bytes)).toString(), 'goodbye');
}
