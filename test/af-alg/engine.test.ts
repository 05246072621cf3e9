import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engines } from '../../lib/index.js';
import tls from '../../lib/tls.js';
import { connectedPair } from '../support/sockets.js';
import { makeDirection, suiteNamed, suiteOptions } from '../support/suites.js';

const suite = suiteNamed('tls1.3 aes-128-gcm');

test('af_alg is listed, and where it does not work, why and what would help', () => {
  const report = engines().find(({ name }) => name === 'af_alg')!;
  if (process.env.SO_CRYPT_ENGINE === 'af_alg') assert.equal(report.available, true, report.reason);
  if (report.available) assert.deepEqual([report.reason, report.hint], [undefined, undefined]);
  else assert.match(report.reason ?? '', /kernel|AF_ALG|Linux|failed/);
  if (/no AF_ALG sockets/.test(report.reason ?? '')) assert.match(report.hint ?? '', /modprobe .*CONFIG_/);
});

test('auto does not take af_alg', async () => {
  const { ours } = await connectedPair();
  ours.setCrypt({ ...suiteOptions(suite), engine: 'auto', write: makeDirection(suite).keys });
  assert.notEqual(ours.crypt?.engine, 'af_alg');
});

test('an engine without drivers refuses one', async () => {
  const { ours } = await connectedPair();
  const options = { ...suiteOptions(suite), write: makeDirection(suite).keys };
  const named = { ...options, driver: 'generic-gcm-aesni' };
  for (const engine of ['evp', 'auto'] as const)
    assert.throws(() => ours.setCrypt({ ...named, engine }), { code: 'ERR_SO_CRYPT_UNSUPPORTED' });
  for (const driver of ['', 5])
    assert.throws(() => ours.setCrypt({ ...options, engine: 'evp', driver: driver as string }), {
      code: 'ERR_SO_CRYPT_INVALID_OPTION',
    });
  assert.equal(ours.crypt, null);
  assert.throws(() => tls.createServer({ engine: 'evp', driver: 'x' }), { code: 'ERR_SO_CRYPT_UNSUPPORTED' });
  assert.throws(() => tls.connect({ port: 1, engine: 'evp', driver: 'x' }), {
    code: 'ERR_SO_CRYPT_UNSUPPORTED',
  });
});
