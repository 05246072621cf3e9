import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type net from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { patient } from '../support/patience.js';
import { connectedPair, until } from '../support/sockets.js';
import {
  cryptOf,
  keysOf,
  kinds,
  message,
  nameOf,
  Payloads,
  SshOracle,
  type SshSuite,
  sealAll,
  sshPair,
  suites,
} from '../support/ssh.js';

const suite = fc.constantFrom(...suites);
const size = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 300 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 40_000 }) },
);
const newKeys = Buffer.of(message.newKeys);

function payloadOf(length: number): Buffer {
  const payload = randomBytes(length);
  payload[0] = message.channelData;
  return payload;
}

// Cut so that each piece makes a read of its own, mostly: the kernel may still join some.
async function sendCut(peer: net.Socket, stream: Buffer, cuts: readonly number[]): Promise<void> {
  const places = [...new Set(cuts.map((cut) => cut % (stream.length + 1)))].sort((a, b) => a - b);
  let at = 0;
  for (const place of [...places, stream.length]) {
    if (place > at) peer.write(stream.subarray(at, place));
    at = place;
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  }
}

for (const one of kinds.filter(({ mac }) => mac === undefined || /sha2-256/.test(mac)))
  test(`${nameOf(one)}: packets may be cut at every byte`, async () => {
    const pair = await sshPair(one);
    const payloads = [1, 30, 5].map(payloadOf);
    const stream = sealAll(pair.sealer, payloads);
    const cuts = Array.from({ length: stream.length }, (_, at) => at);
    await sendCut(pair.peer, stream, cuts);
    pair.peer.end();
    await until(() => pair.read.ended, 'the end');
    assert.deepEqual(pair.read.all, payloads);
    pair.close();
  });

/** Payloads under one key after the other. */
interface Epoch {
  readonly suite: SshSuite;
  readonly payloads: Buffer[];
  readonly resets: boolean;
}

const epochs = fc.array(
  fc.record({
    suite,
    payloads: fc.array(size.map(payloadOf), { maxLength: 12 }),
    resets: fc.boolean(),
  }),
  { minLength: 1, maxLength: 4 },
);

/** An oracle for each epoch, with the sequence numbers it begins with. */
function oraclesOf(all: readonly Epoch[]): SshOracle[] {
  let sequence = 0n;
  return all.map(({ suite: of, payloads, resets }) => {
    if (resets) sequence = 0n;
    const oracle = new SshOracle(of, undefined, sequence);
    sequence += BigInt(payloads.length) + 1n;
    return oracle;
  });
}

test('a stream of packets under several keys arrives intact wherever it is cut', async () => {
  const cuts = fc.array(fc.nat(400_000), { maxLength: 25 });
  const property = fc.asyncProperty(epochs, cuts, fc.boolean(), async (all, places, later) => {
    const pair = await connectedPair();
    const oracles = oraclesOf(all);
    const arm = (i: number): void => {
      if (pair.ours.readableEnded) return; // no packets are left
      const { suite: of, resets } = all[i]!;
      const keys = { ...keysOf(oracles[i]!, true), ...(resets && { sequence: 0n }) };
      pair.ours.setCrypt({ ...cryptOf(of), read: keys });
    };
    arm(0);
    const read = new Payloads(pair.ours);
    let epoch = 0;
    pair.ours.on('data', (payload: Buffer) => {
      if (payload.length > 1 || payload[0] !== message.newKeys || ++epoch === all.length) return;
      const now = epoch;
      if (later) setTimeout(() => arm(now), 1);
      else arm(now);
    });
    const expected = all.map(({ payloads }, i) => [...payloads, ...(i + 1 < all.length ? [newKeys] : [])]);
    const stream = Buffer.concat(expected.map((payloads, i) => sealAll(oracles[i]!, payloads)));
    await sendCut(pair.peer, stream, places);
    pair.peer.end();
    await until(() => read.ended || read.closed, 'the end');
    assert.deepEqual(read.errors, []);
    assert.deepEqual(read.all, expected.flat());
    pair.close();
  });
  await fc.assert(property, {
    numRuns: 60,
    interruptAfterTimeLimit: patient(20_000),
    markInterruptAsFailure: false,
  });
});

test('what is written comes out in order, each payload in its packet, under the key of its time', async () => {
  const pauses = fc.array(fc.nat(3), { minLength: 1, maxLength: 6 });
  const property = fc.asyncProperty(epochs, pauses, async (all, waits) => {
    const pair = await connectedPair();
    const wire: Buffer[] = [];
    pair.peer.on('data', (chunk: Buffer) => wire.push(chunk));
    const oracles = oraclesOf(all);
    let step = 0;
    for (const [i, { suite: of, payloads, resets }] of all.entries()) {
      const keys = { ...keysOf(oracles[i]!, true), ...(resets && { sequence: 0n }) };
      pair.ours.setCrypt({ ...cryptOf(of), write: keys });
      for (const payload of [...payloads, newKeys]) {
        if (waits[step % waits.length] === 1) pair.ours.cork();
        pair.ours.write(payload);
        if (waits[step % waits.length] === 2) process.nextTick(() => pair.ours.uncork());
        if (waits[step++ % waits.length] === 3) await new Promise((resolve) => setImmediate(resolve));
      }
    }
    pair.ours.end();
    await until(() => pair.peer.readableEnded, 'the end');
    let rest: Buffer = Buffer.concat(wire);
    for (const [i, { payloads }] of all.entries())
      for (const payload of [...payloads, newKeys]) {
        const opened = oracles[i]!.open(rest);
        assert.ok(opened.payload.equals(payload));
        rest = opened.rest;
      }
    assert.equal(rest.length, 0);
    pair.close();
  });
  await fc.assert(property, {
    numRuns: 60,
    interruptAfterTimeLimit: patient(20_000),
    markInterruptAsFailure: false,
  });
});

test('payloads are one for one for those who read() and for for await, too', async () => {
  for (const style of ['read', 'for await'] as const) {
    const pair = await connectedPair();
    const oracle = new SshOracle({ cipher: 'aes128-gcm@openssh.com' });
    pair.ours.setCrypt({ ...cryptOf(oracle.suite), read: keysOf(oracle) });
    const payloads = Array.from({ length: 300 }, (_, i) => payloadOf(1 + ((i * 37) % 500)));
    pair.peer.end(sealAll(oracle, payloads));
    await new Promise((resolve) => setTimeout(resolve, 10));
    const got: Buffer[] = [];
    if (style === 'for await') for await (const payload of pair.ours) got.push(payload as Buffer);
    else {
      pair.ours.on('readable', () => {
        for (let payload = pair.ours.read(); payload !== null; payload = pair.ours.read())
          got.push(payload as Buffer);
      });
      await new Promise((resolve) => pair.ours.on('end', resolve));
    }
    assert.deepEqual(got, payloads);
    pair.close();
  }
});

test('a reader that is slow holds the peer back, and loses nothing', async () => {
  const oracle = new SshOracle({ cipher: 'aes256-ctr', mac: 'hmac-sha2-256' });
  const pair = await connectedPair();
  pair.ours.setCrypt({ ...cryptOf(oracle.suite), read: keysOf(oracle) });
  pair.ours.pause();
  const payloads = Array.from({ length: 400 }, () => payloadOf(32_000));
  let sent = 0;
  const pump = (): void => {
    while (sent < payloads.length) if (!pair.peer.write(oracle.seal(payloads[sent++]!))) break;
    if (sent === payloads.length) pair.peer.end();
    else pair.peer.once('drain', pump);
  };
  pump();
  const read = new Payloads(pair.ours);
  pair.ours.pause();
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.ok(sent < payloads.length, 'the peer waits');
  assert.ok(pair.ours.readableLength < 400_000, `${pair.ours.readableLength} bytes wait here`);
  pair.ours.resume();
  await until(() => read.ended, 'the end', 20_000);
  assert.equal(read.all.length, payloads.length);
  for (const [i, payload] of payloads.entries()) assert.ok(read.all[i]!.equals(payload));
  pair.close();
});

test('packets of 256 KB go both ways', async () => {
  for (const of of kinds.filter(({ mac }) => mac === undefined || /sha2-256/.test(mac))) {
    const pair = await sshPair(of);
    const most = pair.ours.crypt!.engine === 'so_crypt' ? 65_536 : 262_124;
    const payloads = [most, 1, most].map(payloadOf);
    for (const payload of payloads) pair.ours.write(payload);
    pair.peer.write(sealAll(pair.sealer, [262_124, 1, 262_124].map(payloadOf)));
    await until(() => pair.read.all.length === 3, 'payloads');
    assert.deepEqual(
      pair.read.all.map(({ length }) => length),
      [262_124, 1, 262_124],
    );
    pair.ours.end();
    await until(() => pair.peer.readableEnded, 'the end');
    let rest = pair.wire();
    for (const payload of payloads) {
      const opened = pair.opener.open(rest);
      assert.ok(opened.payload.equals(payload));
      rest = opened.rest;
    }
    pair.close();
  }
});
