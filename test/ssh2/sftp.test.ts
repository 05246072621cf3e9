import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { Session, SFTPWrapper } from '../../lib/ssh.js';
import { folder, opensshServer, sftp, username } from '../support/openssh.js';
import { Random } from '../support/random.js';
import { serveSftp } from '../support/sftp-server.js';
import { sha256 } from '../support/sockets.js';
import { libraryPairs, sshClient, sshListener } from '../support/ssh-ends.js';

const content = new Random(5).bytes(20 * 1_048_576);
const expected = sha256(content);
const file = path.join(folder, 'content');
fs.writeFileSync(file, content);

const hashOf = (name: string): string => sha256(fs.readFileSync(name));

async function exchangeFile(wrapper: SFTPWrapper, remote: string, remoteFile: string): Promise<void> {
  const copy = path.join(folder, 'copy');
  await promisify(wrapper.fastPut).call(wrapper, file, remote);
  assert.equal(hashOf(remoteFile), expected);
  await promisify(wrapper.fastGet).call(wrapper, remote, copy);
  assert.equal(hashOf(copy), expected);
  fs.rmSync(copy);
  fs.rmSync(remoteFile);
}

const serving = (root: string) => (session: Session) =>
  void session.on('sftp', (open) => serveSftp(open(), root));

test('20 MB up and down by sftp with sshd', async () => {
  const client = await sshClient('so-crypt', await opensshServer(), { username });
  const wrapper = await promisify<SFTPWrapper>(client.sftp.bind(client) as never)();
  const remote = path.join(folder, 'uploaded');
  await exchangeFile(wrapper, remote, remote);
  const missing = promisify(wrapper.stat).call(wrapper, remote);
  await assert.rejects(missing, { code: 2 }); // SSH_FX_NO_SUCH_FILE
  client.end();
});

for (const [options, most] of [
  [{}, 261_120],
  [{ chunkSize: 20_000 }, 20_000],
  [{ concurrency: 3 }, 32_768],
] as const)
  test(`steps of fastPut and fastGet with ${JSON.stringify(options)}`, async () => {
    const client = await sshClient('so-crypt', await opensshServer(), { username });
    const wrapper = await promisify<SFTPWrapper>(client.sftp.bind(client) as never)();
    const [remote, copy] = [path.join(folder, 'uploaded'), path.join(folder, 'copy')];
    const steps: number[] = [];
    const counting = { ...options, step: (_total: number, bytes: number) => void steps.push(bytes) };
    await promisify<string, string, object>(wrapper.fastPut).call(wrapper, file, remote, counting);
    assert.equal(Math.max(...steps.splice(0)), most);
    await promisify<string, string, object>(wrapper.fastGet).call(wrapper, remote, copy, counting);
    assert.equal(Math.max(...steps), most);
    assert.equal(hashOf(copy), expected);
    client.end();
  });

test('write() of any part to any place, with key exchanges in between', async () => {
  const client = await sshClient('so-crypt', await opensshServer(), { username });
  const wrapper = await promisify<SFTPWrapper>(client.sftp.bind(client) as never)();
  const remote = path.join(folder, 'sparse');
  const handle = await promisify<string, string, Buffer>(wrapper.open.bind(wrapper) as never)(remote, 'w');
  const { _protocol: protocol } = client as unknown as { _protocol: { rekey(): void } };
  let handshakes = 0;
  client.on('handshake', () => handshakes++);
  const parts = [16_383, 16_384, 32_768, 70_001, 262_144, 300_000, 4_000_000].flatMap((length, i) =>
    [0, 77].map((offset, j) => ({ offset, length, position: j * (2 ** 32 + 5) + i * 4_000_001 })),
  );
  const writes = parts.map(({ offset, length, position }, i) => {
    if (i % 4 === 1) protocol.rekey();
    const buffer = Buffer.from(content.subarray(i, i + offset + length));
    const written = promisify(wrapper.write).call(wrapper, handle, buffer, offset, length, position);
    if (length <= 261_120) buffer.fill(0); // ssh2 takes what is longer in pieces, later
    return written;
  });
  await Promise.all(writes);
  const bad = Buffer.from('no such handle');
  await assert.rejects(promisify(wrapper.write).call(wrapper, bad, content, 0, 20_000, 0), { code: 4 });
  assert.throws(() => wrapper.write(handle, content, content.length - 9, 20_000, 0, () => {}), /beyond/);
  await promisify(wrapper.close).call(wrapper, handle);
  assert.ok(handshakes > 0, 'keys were exchanged');
  const fd = fs.openSync(remote, 'r');
  parts.forEach(({ offset, length, position }, i) => {
    const back = Buffer.alloc(length);
    fs.readSync(fd, back, 0, length, position);
    assert.equal(sha256(back), sha256(content.subarray(i + offset, i + offset + length)), `${length}`);
  });
  fs.closeSync(fd);
  fs.rmSync(remote);
  client.end();
});

test('20 MB up and down by the program sftp', async () => {
  const root = fs.mkdtempSync(path.join(folder, 'root-'));
  const listener = await sshListener('so-crypt', {}, { onSession: serving(root) });
  const copy = path.join(folder, 'downloaded');
  const commands = [`put ${file} /uploaded`, `get /uploaded ${copy}`];
  const { code, stderr } = await sftp(listener.port, commands).exit();
  assert.equal(code, 0, stderr);
  assert.equal(hashOf(path.join(root, 'uploaded')), expected);
  assert.equal(hashOf(copy), expected);
  assert.deepEqual(listener.errors, []);
});

for (const [clientLibrary, serverLibrary] of libraryPairs)
  test(`20 MB up and down by sftp, client ${clientLibrary}, server ${serverLibrary}`, async () => {
    const root = fs.mkdtempSync(path.join(folder, 'root-'));
    const listener = await sshListener(serverLibrary, {}, { onSession: serving(root) });
    const client = await sshClient(clientLibrary, listener.port);
    const wrapper = await promisify<SFTPWrapper>(client.sftp.bind(client) as never)();
    await exchangeFile(wrapper, '/uploaded', path.join(root, 'uploaded'));
    client.end();
  });
