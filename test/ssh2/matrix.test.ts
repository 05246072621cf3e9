import assert from 'node:assert/strict';
import { test } from 'node:test';
import { opensshServer, ssh, username } from '../support/openssh.js';
import { Random } from '../support/random.js';
import { sha256 } from '../support/sockets.js';
import { execute, sshClient, sshListener } from '../support/ssh-ends.js';
import { allSuites, onlySuite, sshSuite, suiteName, suites } from '../support/ssh-suites.js';

// There and back again: as many bytes in each direction at the same time.
const content = new Random(4).bytes(20 * 1_048_576);
const expected = sha256(content);

const all = (names: (string | undefined)[]): string => [...new Set(names)].filter(Boolean).join(',');
const everything = [
  `Ciphers ${all(allSuites.map(({ cipher }) => cipher))}`,
  `MACs ${all(allSuites.map(({ mac }) => mac))}`,
];

for (const suite of suites) {
  test(`20 MB both ways with sshd: ${suiteName(suite)}`, async () => {
    const port = await opensshServer(everything);
    const client = await sshClient('so-crypt', port, { username, algorithms: onlySuite(suite) });
    assert.equal(client.crypt?.protocol, 'ssh');
    const { code, stdout } = await execute(client, 'cat', content);
    assert.equal(sha256(stdout), expected);
    assert.equal(code, 0);
    assert.ok(client.crypt.write!.records > 640n && client.crypt.read!.records > 640n);
    client.end();
  });

  test(`20 MB both ways with ssh: ${suiteName(suite)}`, async () => {
    const listener = await sshListener('so-crypt', { algorithms: onlySuite(suite) });
    const peer = ssh(listener.port, ['cat'], sshSuite(suite));
    peer.end(content);
    const { code, stdout, stderr } = await peer.exit();
    assert.equal(sha256(stdout), expected, stderr);
    assert.equal(code, 0);
    assert.deepEqual(listener.errors, []);
  });
}
