import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { checkReading, checkWriting } from '../support/exercise.js';
import { suiteNamed } from '../support/suites.js';

// A machine whose sockets take less than a record at once. It is a setting of the whole system, so only the lab's is changed.
if (process.env.SO_CRYPT_ENGINE === 'af_alg' && existsSync('/run/lab/job')) {
  for (const name of ['wmem', 'rmem']) {
    const setting = `/proc/sys/net/core/${name}_default`;
    const usual = readFileSync(setting);
    after(() => writeFileSync(setting, usual));
    writeFileSync(setting, '8192');
  }

  for (const name of [
    'tls1.2 aes-128-cbc hmac-sha1', // goes in pieces
    'tls1.2 aes-256-cbc hmac-sha256 encrypt-then-MAC',
    'tls1.2 des-ede3-cbc hmac-sha1',
    'tls1.3 aes-128-gcm', // gets sockets with more room
    'tls1.2 chacha20-poly1305',
  ]) {
    test(`small socket buffers, writing: ${name}`, () => checkWriting(suiteNamed(name)));
    test(`small socket buffers, reading: ${name}`, () => checkReading(suiteNamed(name)));
  }
}
