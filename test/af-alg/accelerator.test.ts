import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { armedPair } from '../support/armed.js';
import { checkReading, checkWriting } from '../support/exercise.js';
import { fromClient, toServer } from '../support/openssl-exchange.js';
import { suiteNamed, suites12 } from '../support/suites.js';
import { tlsSuites } from '../support/tls-suites.js';

// A virtio-crypto device, where there is one (`npm run vm -- --accelerator …`): a real queue that does AES-CBC beside the CPU.
const driver = 'virtio_crypto_aes_cbc';
const crypt = { engine: 'af_alg', driver } as const;

if (process.env.SO_CRYPT_ENGINE === 'af_alg' && existsSync('/sys/module/virtio_crypto')) {
  test('socket.crypt names the driver', async () => {
    const { ours } = await armedPair(suiteNamed('tls1.2 aes-128-cbc hmac-sha1'), { crypt });
    assert.deepEqual([ours.crypt?.engine, ours.crypt?.driver], ['af_alg', driver]);
  });

  for (const suite of suites12.filter(({ cipher }) => /aes-\d+-cbc/.test(cipher))) {
    test(`${suite.name} writes what the oracle opens`, () => checkWriting(suite, crypt));
    test(`${suite.name} reads what the oracle seals`, () => checkReading(suite, crypt));
  }

  for (const suite of tlsSuites.filter(({ cipher }) => /aes-\d+-cbc/.test(cipher))) {
    test(`to s_server: ${suite.name}`, (t) => toServer(t, suite, crypt));
    test(`from s_client: ${suite.name}`, (t) => fromClient(t, suite, crypt));
  }
}
