import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SFTPWrapper } from 'ssh2';
import { readWithoutCopy } from '../../lib/ssh/sftp-read.js';

// ssh2's own class, as its client makes it.
const { SFTP } = createRequire(import.meta.url)('ssh2/lib/protocol/SFTP.js') as {
  SFTP: new (client: object, channel: object) => Wrapper;
};

interface Wrapper {
  _version: number;
  _requests: Record<number, object>;
  readonly outgoing: { readonly state: string };
  push(data: Buffer | null): void;
  on(name: 'error', listener: (error: Error) => void): void;
}

function makeSftp(): Wrapper {
  const outgoing = { id: 0, window: 1e9, packetSize: 32_768, state: 'open' };
  const protocol = { _remoteIdentRaw: Buffer.from('SSH-2.0-OpenSSH_9.2'), channelClose() {} };
  const sftp = new SFTP({ _protocol: protocol }, { type: 'sftp', incoming: {}, outgoing });
  sftp._version = 3;
  return sftp;
}

interface Answer {
  /** Of the data; negative: a status. */
  readonly length: number;
  /** Room in the request's buffer, beyond that. */
  readonly room: number;
  /** With a buffer; else the callback gets one. */
  readonly inPlace: boolean;
}

function packetOf(id: number, { length }: Answer, data: Buffer): Buffer {
  const head = Buffer.alloc(13);
  head[4] = length < 0 ? 101 : 103;
  head.writeUInt32BE(id, 5);
  head.writeUInt32BE(Math.max(0, length), 9); // SSH_FX_OK
  const body = length < 0 ? Buffer.from('00000004646f6e6500000000', 'hex') : data;
  head.writeUInt32BE(head.length - 4 + body.length, 0);
  return Buffer.concat([head, body]);
}

const answer = fc.record({
  length: fc.oneof(
    fc.constant(-1),
    fc.integer({ min: 0, max: 100 }),
    fc.integer({ min: 8000, max: 140_000 }),
  ),
  room: fc.constantFrom(0, 0, 7),
  inPlace: fc.boolean(),
});

test('answers that are read into place are those that ssh2 reads', () => {
  fc.assert(
    fc.property(
      fc.array(answer, { maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (answers, cuts) => {
        const contents = answers.map(({ length }) => randomBytes(Math.max(0, length)));
        const stream = Buffer.concat(answers.map((one, id) => packetOf(id, one, contents[id]!)));
        const places = [...cuts.map((cut) => cut % (stream.length + 1)), stream.length].sort((a, b) => a - b);
        const run = (sftp: Wrapper): unknown[] => {
          const told: unknown[] = [];
          answers.forEach(({ length, room, inPlace }, id) => {
            const buffer = inPlace ? Buffer.alloc(Math.max(0, length) + room) : undefined;
            const cb = (error: Error | undefined, data: Buffer, count: number) =>
              told.push([id, error, data && Buffer.from(data), count]);
            sftp._requests[id] = { cb, buffer };
          });
          for (const [i, end] of places.entries())
            sftp.push(Buffer.from(stream.subarray(places[i - 1] ?? 0, end)));
          assert.deepEqual(sftp._requests, {});
          return told;
        };
        const ours = makeSftp();
        readWithoutCopy(ours as unknown as SFTPWrapper);
        assert.ok(Object.hasOwn(ours, 'push'));
        assert.deepEqual(run(ours), run(makeSftp()));
      },
    ),
    { numRuns: 200 },
  );
});

test('more than was asked for, and a length that is not the data, are as with ssh2', () => {
  for (const spoil of [0, 1, 2]) {
    const run = (wrap: boolean): unknown[] => {
      const sftp = makeSftp();
      if (wrap) readWithoutCopy(sftp as unknown as SFTPWrapper);
      const told: unknown[] = [];
      sftp.on('error', ({ message }) => told.push(message));
      const buffer = Buffer.alloc(10_000 - (spoil === 0 ? 5 : 0));
      sftp._requests[0] = {
        buffer,
        cb: (error: Error, _: Buffer, count: number) => told.push(error?.message, count),
      };
      const packet = packetOf(0, { length: 10_000, room: 0, inPlace: true }, Buffer.alloc(10_000, 'x'));
      if (spoil === 1) packet.writeUInt32BE(10_001, 9);
      if (spoil === 2) packet.writeUInt32BE(2 ** 30, 0);
      sftp.push(packet);
      return [...told, sftp.outgoing.state, buffer];
    };
    assert.deepEqual(run(true), run(false));
  }
});

test('a request whose channel is closed in the middle of the answer fails once', () => {
  const sftp = makeSftp();
  readWithoutCopy(sftp as unknown as SFTPWrapper);
  const told: unknown[] = [];
  const cb = (error: Error | undefined): void => void told.push(error?.message);
  sftp._requests[0] = { cb, buffer: Buffer.alloc(10_000) };
  const packet = packetOf(0, { length: 10_000, room: 0, inPlace: true }, Buffer.alloc(10_000));
  sftp.push(packet.subarray(0, 5000));
  sftp.push(null);
  sftp.push(packet.subarray(5000));
  assert.deepEqual(told, ['No response from server']);
});
