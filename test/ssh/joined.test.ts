import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type SshOpener, SshOpenMode, SshOpenStatus } from '../../lib/native/packets.js';
import { native } from '../../lib/native.js';
import { sshCiphers, sshMacs } from '../../lib/packets/ciphers.js';
import type { SshCipherName, SshMacName } from '../../lib/packets/options.js';
import { moreSshSuites, sshSuites } from '../kernel/so_crypt/ssh-oracle.js';
import {
  channelData,
  message,
  nameOf,
  SshOracle,
  type SshSuite,
  sealAll,
  windowAdjust,
} from '../support/ssh.js';

// The record layer alone: so-crypt/ssh has long SSH_MSG_CHANNEL_DATA of a channel opened as one (SshOpenMode.joined), and
// SSH_MSG_CHANNEL_WINDOW_ADJUST.

const all: readonly SshSuite[] = [...sshSuites, ...moreSshSuites];

function openerOf({ suite, keys, sequence }: SshOracle): SshOpener {
  const cipher = suite.cipher as SshCipherName;
  const mac = suite.mac as SshMacName | undefined;
  return new native.SshOpener({
    provider: 'evp',
    driver: undefined,
    cipher: sshCiphers[cipher].native,
    mac: mac && sshMacs[mac].native,
    encryptThenMac: mac !== undefined && sshMacs[mac].encryptThenMac,
    key: keys.key,
    iv: keys.iv,
    macKey: keys.macKey,
    sequence: Number(sequence),
    limit: 2 ** 32,
  });
}

interface Opened {
  readonly payloads: Buffer[];
  readonly joined: number;
  readonly status: number;
}

/** Opens what comes in pieces, as lib/packets/reader.ts does. */
function openAll(opener: SshOpener, pieces: readonly Buffer[]): Opened {
  const payloads: Buffer[] = [];
  let joined = 0;
  let status = 0;
  for (const piece of pieces)
    for (let start = 0; ; ) {
      const out = Buffer.alloc(400_000, 'x');
      status = opener.open(piece, start, piece.length, SshOpenMode.joined, out);
      const { result, sshPayloads } = native;
      start += result[0]!;
      joined += result[4]!;
      for (let i = 0; i < 2 * result[1]!; i += 2)
        payloads.push(out.subarray(sshPayloads[i]!, sshPayloads[i]! + sshPayloads[i + 1]!));
      if (status < 0) return { payloads, joined, status };
      if (status === SshOpenStatus.needMore) break;
    }
  return { payloads, joined, status };
}

interface Stream {
  readonly name: string;
  data?: Buffer;
  window?: bigint;
}

/** What a reader of channels makes of payloads: of each channel a stream and a window, all else as it is, in one order. */
function streamsOf(payloads: readonly Buffer[]): Stream[] {
  const streams: Stream[] = [];
  for (const payload of payloads) {
    if (payload[0] === message.windowAdjust && payload.length === 9) {
      const name = `window ${payload.readUInt32BE(1)}`;
      const amount = BigInt(payload.readUInt32BE(5));
      const last = streams.at(-1);
      if (last?.name === name) last.window! += amount;
      else streams.push({ name, window: amount });
      continue;
    }
    const isData = payload[0] === message.channelData && payload.readUInt32BE(5) === payload.length - 9;
    const name = isData ? `channel ${payload.readUInt32BE(1)}` : 'other';
    const data = isData ? payload.subarray(9) : payload;
    const last = streams.at(-1);
    if (isData && last?.name === name) last.data = Buffer.concat([last.data!, data]);
    else streams.push({ name, data });
  }
  return streams;
}

const payload = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constantFrom(0, 1), fc.integer({ min: 4080, max: 33_000 })) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(0, 1), fc.integer({ min: 0, max: 5000 })) },
  { weight: 1, arbitrary: fc.tuple(fc.constant(-1), fc.integer({ min: 0, max: 9000 })) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom(-2, -3), fc.constantFrom(0, 1, 65_536, 2 ** 31, 2 ** 32 - 1)),
  },
);

function payloadOf([channel, length]: readonly [number, number]): Buffer {
  if (channel >= 0) return channelData(channel, length);
  if (channel < -1) return windowAdjust(channel + 3, length);
  // Another message, or data whose length is wrong.
  const other = channelData(0, length);
  if (length % 2 === 0) other[0] = message.ignore;
  else other.writeUInt32BE(length + 1, 5);
  return other;
}

for (const suite of all)
  test(`${nameOf(suite)}: channel data that are opened as one are the same stream`, () => {
    const given = fc.array(payload, { minLength: 1, maxLength: 12 });
    const cuts = fc.array(fc.nat(), { maxLength: 4 });
    fc.assert(
      fc.property(given, cuts, (kinds, places) => {
        const sealer = new SshOracle(suite);
        const opener = openerOf(sealer);
        const payloads = kinds.map(payloadOf);
        const stream = sealAll(sealer, payloads);
        const ends = [...places.map((place) => place % stream.length), stream.length].sort((a, b) => a - b);
        const pieces = ends.map((end, i) => stream.subarray(ends[i - 1] ?? 0, end));
        const opened = openAll(opener, pieces);
        assert.equal(opened.status, SshOpenStatus.needMore);
        assert.deepEqual(streamsOf(opened.payloads), streamsOf(payloads));
        assert.equal(opened.payloads.length + opened.joined, payloads.length);
        assert.equal(opener.packets, payloads.length);
        opener.dispose();
      }),
      { numRuns: 25 },
    );
  });

test('long ones of one channel in one read are one; short ones and those of two channels are not', () => {
  const count = (payloads: readonly Buffer[]): number => {
    const sealer = new SshOracle(sshSuites[0]!);
    return openAll(openerOf(sealer), [sealAll(sealer, payloads)]).payloads.length;
  };
  assert.equal(count([0, 0, 0, 0].map((channel) => channelData(channel, 32_768))), 1);
  assert.equal(count([0, 1, 1, 0].map((channel) => channelData(channel, 32_768))), 3);
  assert.equal(count([0, 0, 0, 0].map((channel) => channelData(channel, 1000))), 4);
});

test('what is added to one window in one read is one sum, unless that is none', () => {
  const adjusts = (payloads: readonly Buffer[]): string[] => {
    const sealer = new SshOracle(sshSuites[0]!);
    const opened = openAll(openerOf(sealer), [sealAll(sealer, payloads)]);
    assert.equal(opened.payloads.length + opened.joined, payloads.length);
    return opened.payloads.map((payload) => payload.toString('hex'));
  };
  const hex = (channel: number, amount: number): string => windowAdjust(channel, amount).toString('hex');
  assert.deepEqual(adjusts([1, 2, 0, 4].map((amount) => windowAdjust(5, amount))), [hex(5, 7)]);
  assert.deepEqual(adjusts([windowAdjust(5, 2 ** 31), windowAdjust(5, 2 ** 31 - 1)]), [hex(5, 2 ** 32 - 1)]);
  assert.deepEqual(adjusts([windowAdjust(5, 2 ** 31), windowAdjust(5, 2 ** 31)]), [
    hex(5, 2 ** 31),
    hex(5, 2 ** 31),
  ]);
  assert.deepEqual(adjusts([windowAdjust(5, 1), windowAdjust(6, 2), windowAdjust(5, 3)]), [
    hex(5, 1),
    hex(6, 2),
    hex(5, 3),
  ]);
  // One that is none: a byte too long.
  const long = Buffer.concat([windowAdjust(5, 1), Buffer.alloc(1)]);
  assert.deepEqual(adjusts([windowAdjust(5, 1), long, long]), [
    hex(5, 1),
    long.toString('hex'),
    long.toString('hex'),
  ]);
});

for (const suite of all.filter(({ cipher, mac }) => !(cipher.includes('cbc') && !mac?.includes('etm'))))
  test(`${nameOf(suite)}: a forged packet leaves what came before it whole, and nothing of itself`, () => {
    const sealer = new SshOracle(suite);
    const opener = openerOf(sealer);
    const payloads = [channelData(7, 20_000), channelData(7, 20_000)];
    const stream = sealAll(sealer, payloads);
    const forged = sealer.seal(channelData(7, 20_000));
    forged[forged.length - 1]! ^= 1;
    const { payloads: opened, status } = openAll(opener, [Buffer.concat([stream, forged])]);
    assert.equal(status, SshOpenStatus.badMac);
    assert.deepEqual(streamsOf(opened), streamsOf(payloads));
    const memory = Buffer.from(opened.at(-1)!.buffer, 0, 400_000);
    const end = opened.at(-1)!.byteOffset + opened.at(-1)!.length + 64; // padding of the last good one
    assert.ok(memory.subarray(end, end + 20_000).every((byte) => byte === 0 || byte === 'x'.charCodeAt(0)));
  });
