// The engine cryptodev on a machine that may have no /dev/crypto. Where there is one: test/kernel/cryptodev.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { engines } from '../../lib/index.js';
import { connectedPair } from '../support/sockets.js';
import { makeDirection, suiteNamed, suiteOptions } from '../support/suites.js';

const suite = suiteNamed('tls1.3 aes-128-gcm');
const report = engines().find(({ name }) => name === 'cryptodev')!;

test('it is listed, and where it does not work, why and what would help', () => {
  if (report.available) assert.deepEqual([report.reason, report.hint], [undefined, undefined]);
  else assert.ok(report.reason);
  if (existsSync('/dev/crypto')) return;
  assert.equal(report.reason, 'there is no /dev/crypto');
  if (process.platform === 'linux') assert.match(report.hint ?? '', /modprobe cryptodev/);
});

test('it is taken by name only, and never replaced', async () => {
  const { ours } = await connectedPair();
  const options = { ...suiteOptions(suite), write: makeDirection(suite).keys };
  if (!report.available)
    assert.throws(() => ours.setCrypt({ ...options, engine: 'cryptodev' }), {
      code: 'ERR_SO_CRYPT_ENGINE_UNAVAILABLE',
    });
  assert.equal(`${ours.crypt}`, 'null');
  ours.setCrypt({ ...options, engine: 'auto' });
  assert.notEqual(ours.crypt?.engine, 'cryptodev');
});
