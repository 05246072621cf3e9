import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { opensInKernel } from '../support/engine.js';
import { until } from '../support/sockets.js';
import { kinds, message, nameOf, openAll, type SshPair, type SshSuite, sshPair } from '../support/ssh.js';

const MAX_PACKET = 262_144;
/** RFC 4253 11.1 */
const [PROTOCOL_ERROR, MAC_ERROR] = [2, 5];

const genuine = Buffer.from('^genuine');
const isEtm = ({ mac }: SshSuite): boolean => mac?.includes('-etm') ?? false;
const isCbc = ({ cipher }: SshSuite): boolean => cipher.endsWith('cbc');
/** Where it fails must not show. */
const isSilent = (suite: SshSuite): boolean => isCbc(suite) && !isEtm(suite);
/** The length is encrypted with the rest. */
const isAligned = (suite: SshSuite): boolean => suite.mac !== undefined && !isEtm(suite);
const blockOf = ({ cipher }: SshSuite): number => (/chacha|3des/.test(cipher) ? 8 : 16);

/** Plaintext of a packet, true or not. */
function packet(length: number, padding: number, size: number): Buffer {
  const bytes = randomBytes(4 + size);
  bytes.writeUInt32BE(length >>> 0, 0);
  bytes[4] = padding;
  return bytes;
}

/** As many bytes as a genuine packet of about 100 has, so that any cipher takes them. */
function sizeOf(suite: SshSuite): number {
  return isAligned(suite) ? 96 - 4 : 96;
}

async function checkEnd(pair: SshPair, codes: string[], reason: number | undefined): Promise<void> {
  await until(() => pair.read.closed, `closed with ${codes}`);
  assert.deepEqual(pair.read.all, [genuine], 'no byte of the bad packet');
  assert.equal(pair.read.ended, false);
  assert.equal(pair.read.errors.length, 1);
  const [error] = pair.read.errors as [(typeof pair.read.errors)[0]];
  assert.ok(codes.includes(error.code!), `${error.code} (${error.message})`);
  if (reason === undefined) return;
  await until(() => pair.peer.readableEnded, 'FIN');
  const [said, ...more] = openAll(pair.opener, pair.wire());
  assert.equal(more.length, 0);
  assert.equal(said![0], message.disconnect);
  if (!opensInKernel) assert.equal(said!.readUInt32BE(1), reason);
  assert.equal(error.disconnectReason, said!.readUInt32BE(1));
  assert.equal(said!.length, 13 + said!.readUInt32BE(5));
}

/** What ends reading silently: as many bytes as the longest packet has. */
const swallowed = (suite: SshSuite): Buffer => Buffer.alloc(isSilent(suite) ? MAX_PACKET + 100 : 0);

for (const suite of kinds) {
  test(`${nameOf(suite)}: a changed byte anywhere is noticed, and the peer is told`, async () => {
    for (let at = 4; at < 1000; at += at < 12 ? 1 : 17) {
      const pair = await sshPair(suite);
      pair.peer.write(pair.sealer.seal(genuine));
      const bad = pair.sealer.seal(randomBytes(100));
      if (at >= bad.length) {
        pair.close();
        break;
      }
      bad[at]! ^= 1;
      pair.peer.write(bad);
      pair.peer.write(swallowed(suite));
      try {
        await checkEnd(pair, ['ERR_SO_CRYPT_BAD_RECORD_MAC'], MAC_ERROR);
      } catch (error) {
        throw new Error(`byte ${at} of ${bad.length}`, { cause: error });
      }
      pair.close();
    }
  });

  test(`${nameOf(suite)}: lengths that no packet has`, async () => {
    const aligned = isAligned(suite) ? -4 : 0;
    const block = blockOf(suite);
    const lengths: [number, 'long' | 'bad'][] = [
      [0xffff_ffff, 'long'],
      [0x8000_0000, 'long'],
      [MAX_PACKET + block + aligned, 'long'],
      [MAX_PACKET + 1, 'long'],
      [0, 'bad'],
      [4, 'bad'],
      [block + aligned + 1, 'bad'],
      [5 * block + aligned - 3, 'bad'],
    ];
    for (const [length, kind] of lengths) {
      const pair = await sshPair(suite);
      pair.peer.write(pair.sealer.seal(genuine));
      pair.peer.write(pair.sealer.sealPacket(packet(length, 4, sizeOf(suite))));
      pair.peer.write(swallowed(suite));
      const code = kind === 'long' ? 'ERR_SO_CRYPT_RECORD_OVERFLOW' : 'ERR_SO_CRYPT_BAD_RECORD';
      try {
        if (isSilent(suite) || (opensInKernel && kind === 'bad'))
          await checkEnd(pair, ['ERR_SO_CRYPT_BAD_RECORD_MAC'], MAC_ERROR);
        else await checkEnd(pair, [code], PROTOCOL_ERROR);
      } catch (error) {
        throw new Error(`length ${length}`, { cause: error });
      }
      pair.close();
    }
  });

  test(`${nameOf(suite)}: padding that no packet has`, async () => {
    const size = sizeOf(suite);
    for (const padding of [0, 3, size, 255]) {
      const pair = await sshPair(suite);
      pair.peer.write(pair.sealer.seal(genuine));
      pair.peer.write(pair.sealer.sealPacket(packet(size, padding, size)));
      try {
        const code = opensInKernel ? 'ERR_SO_CRYPT_BAD_RECORD_MAC' : 'ERR_SO_CRYPT_BAD_RECORD';
        if (opensInKernel) pair.peer.write(swallowed(suite));
        await checkEnd(pair, [code], PROTOCOL_ERROR);
      } catch (error) {
        throw new Error(`padding ${padding} of ${size}`, { cause: error });
      }
      pair.close();
    }
  });

  test(`${nameOf(suite)}: a packet cut by FIN is a truncation, FIN behind one is the end`, async () => {
    for (const keep of [1, 3, 4, 5, 16, 20, 50, 0]) {
      const pair = await sshPair(suite);
      pair.peer.write(pair.sealer.seal(genuine));
      pair.peer.end(pair.sealer.seal(randomBytes(100)).subarray(0, keep));
      if (keep > 0) {
        await checkEnd(pair, ['ERR_SO_CRYPT_TRUNCATED'], undefined);
      } else {
        await until(() => pair.read.ended, 'the end');
        assert.deepEqual([pair.read.all, pair.read.errors], [[genuine], []]);
      }
      pair.close();
    }
  });

  if (!isSilent(suite)) continue;

  test(`${nameOf(suite)}: a bad length and a bad MAC can't be told apart`, async () => {
    const tag = /sha1/.test(suite.mac!) ? 20 : /256/.test(suite.mac!) ? 32 : 64;
    const bad: ((pair: SshPair) => Buffer)[] = [
      ({ sealer }) => sealer.sealPacket(packet(0xffff_fff0, 4, 92)),
      ({ sealer }) => sealer.sealPacket(packet(7, 4, 92)),
      ({ sealer }) => {
        const sealed = sealer.seal(randomBytes(100));
        sealed[sealed.length - 1]! ^= 1;
        return sealed;
      },
      ({ sealer }) => {
        const sealed = sealer.seal(randomBytes(30_000));
        sealed[20_000]! ^= 1;
        return sealed;
      },
    ];
    for (const [i, spoil] of bad.entries()) {
      const pair = await sshPair(suite);
      pair.peer.write(pair.sealer.seal(genuine));
      const first = spoil(pair);
      const all = 4 + MAX_PACKET + tag;
      pair.peer.write(Buffer.concat([first, Buffer.alloc(all - first.length - 1, 7)]));
      await new Promise((resolve) => setTimeout(resolve, 30));
      assert.equal(pair.read.closed, false, `${i}: one byte before the end of the longest packet`);
      assert.equal(pair.wire().length, 0);
      pair.peer.write(Buffer.of(7));
      await checkEnd(pair, ['ERR_SO_CRYPT_BAD_RECORD_MAC'], MAC_ERROR);
      pair.close();
    }
    const pair = await sshPair(suite);
    pair.peer.write(pair.sealer.seal(genuine));
    pair.peer.end(bad[2]!(pair));
    await checkEnd(
      pair,
      [opensInKernel ? 'ERR_SO_CRYPT_BAD_RECORD_MAC' : 'ERR_SO_CRYPT_TRUNCATED'],
      undefined,
    );
    pair.close();
  });
}
