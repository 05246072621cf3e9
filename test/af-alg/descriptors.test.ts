import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { validate } from '../../lib/arm.js';
import { OpenStatus } from '../../lib/native/records.js';
import { native } from '../../lib/native.js';
import { armedPair } from '../support/armed.js';
import { until } from '../support/sockets.js';
import { makeDirection, suiteNamed, suiteOptions } from '../support/suites.js';

const suite = suiteNamed('tls1.3 aes-128-gcm');

function layer() {
  const { keys } = makeDirection(suite);
  const { write, read } = validate({ ...suiteOptions(suite), engine: 'af_alg', write: keys, read: keys });
  return { sealer: new native.Sealer(write!), opener: new native.Opener(read!) };
}

function roundTrip({ sealer, opener }: ReturnType<typeof layer>): void {
  const text = randomBytes(1000);
  const sealed = Buffer.alloc(1100);
  const opened = Buffer.alloc(1100);
  const length = sealer.seal(23, text, sealed);
  assert.ok(length > 1000, `${length}: ${native.failure()}`);
  assert.equal(opener.open(sealed, 0, length, opened), OpenStatus.needMore);
  assert.deepEqual(opened.subarray(0, 1000), text);
}

/** Sockets that no connection is. */
function algSockets(): string[] {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return /^socket:/.test(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      return false; // that of readdir itself
    }
  });
}

if (process.env.SO_CRYPT_ENGINE === 'af_alg') {
  test('descriptors of idle directions do not pile up, and what was idle works again', () => {
    const before = algSockets().length;
    const layers = Array.from({ length: 300 }, layer);
    assert.equal(algSockets().length, before, 'none before the first record');
    for (const one of layers) roundTrip(one);
    const open = algSockets();
    assert.ok(open.length - before <= 256, `${open.length - before} sockets`);
    for (const fd of open) {
      const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))![1]!;
      assert.ok(Number.parseInt(flags, 8) & 0o2000000, 'O_CLOEXEC');
    }
    for (const one of layers) roundTrip(one);
    for (const { sealer, opener } of layers) {
      sealer.dispose();
      opener.dispose();
    }
    assert.equal(algSockets().length, before, 'all closed with their directions');
  });

  test('without a descriptor left a record fails with the reason, and nothing is lost', async () => {
    const { ours, peer, sealer, read, wire } = await armedPair(suite, { crypt: { engine: 'af_alg' } });
    const taken: number[] = [];
    try {
      for (;;) taken.push(openSync('/dev/null', 'r'));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'EMFILE');
    }
    try {
      peer.write(sealer.data('a record'));
      await until(() => read.closed, 'closed');
    } finally {
      for (const fd of taken) closeSync(fd);
    }
    const [error] = read.errors as NodeJS.ErrnoException[];
    assert.equal(error?.code, 'ERR_SO_CRYPT_PROVIDER');
    assert.match(error?.message ?? '', /EMFILE.*ulimit -n/);
    assert.equal(read.length, 0);
    assert.equal(wire.length, 0, 'nothing that is not sealed');
    assert.equal(ours.destroyed, true);
  });
}
