// Sessions: whose they are, how many there can be, what they use.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { hashes, type IoctlName, ioctlNames, number, pack } from './abi.js';
import { Device } from './device.js';

const parameters = '/sys/module/cryptodev/parameters';

async function withDevice(run: (device: Device) => Promise<void>): Promise<void> {
  const device = await Device.open();
  try {
    await run(device);
  } finally {
    await device.end();
  }
}

test('the numbers of the ioctls are those of the header', () =>
  withDevice(async (device) => {
    for (const name of ioctlNames)
      assert.equal(await device.remote.call(`abi ${name}`), number(name, 64), name);
  }));

test('a session belongs to the open file', () =>
  withDevice(async (device) => {
    const key = randomBytes(16);
    const ses = await device.session({ cipher: 11, key });
    const other = await device.another();
    await assert.rejects(other.ioctl('CIOCGSESSINFO', { ses }), { code: 'EINVAL' });
    await assert.rejects(other.finish(ses), { code: 'ENOENT' });
    await other.close();
    // A duplicate, and what CRIOGET gives, is the same file.
    const duplicate = new Device(device.remote, await device.remote.call(`dup ${device.fd}`));
    const clone = new Device(device.remote, Number((await device.ioctl('CRIOGET', {})).value));
    const operation = { ses, iv: Buffer.alloc(16), data: randomBytes(32) };
    const expected = (await device.crypt(operation)).data;
    await device.close();
    assert.ok((await duplicate.crypt(operation)).data.equals(expected));
    await duplicate.close();
    assert.ok((await clone.crypt(operation)).data.equals(expected));
    await clone.finish(ses);
    await assert.rejects(clone.crypt(operation), { code: 'EINVAL' });
    await assert.rejects(clone.finish(ses), { code: 'ENOENT' });
  }));

test('a child that inherits the file uses its sessions', () =>
  withDevice(async (device) => {
    const ses = await device.session({ mac: hashes.sha256 });
    const data = randomBytes(1000);
    await device.remote.put(1 << 16, data);
    const [src, mac] = [device.at(1 << 16), device.at(4096)];
    await device.ioctl('CIOCCRYPT', { ses, len: 1000, src, mac }, 'fork');
    assert.ok((await device.remote.get(4096, 32)).equals(createHash('sha256').update(data).digest()));
    await device.ioctl('CIOCFSESSION', { value: ses }, 'fork');
    await assert.rejects(device.finish(ses), { code: 'ENOENT' });
  }));

test('a file has so many sessions and no more; closing it ends them', () =>
  withDevice(async (device) => {
    const most = readFileSync(`${parameters}/file_sessions`, 'utf8');
    writeFileSync(`${parameters}/file_sessions`, '100');
    try {
      const keys = { cipher: 50, key: randomBytes(32) };
      const open: number[] = [];
      for (let i = 0; i < 100; i++) open.push(await device.session(keys));
      assert.equal(new Set(open).size, 100);
      await assert.rejects(device.session(keys), { code: 'EMFILE' });
      await device.finish(open[50]!);
      await device.session(keys);
      await assert.rejects(device.session(keys), { code: 'EMFILE' });
      const other = await device.another();
      await other.session(keys);
      await device.close();
      await other.close();
    } finally {
      writeFileSync(`${parameters}/file_sessions`, most);
    }
  }));

test('a user has so many sessions over all files', () =>
  withDevice(async (device) => {
    const most = readFileSync(`${parameters}/user_sessions`, 'utf8');
    writeFileSync(`${parameters}/user_sessions`, '10');
    try {
      const keys = { mac: hashes.sha1 };
      for (let i = 0; i < 12; i++) await device.session(keys); // root may
      await device.remote.call('user 12345');
      const [a, b] = [await device.another(), await device.another()];
      for (let i = 0; i < 5; i++) await a.session(keys);
      for (let i = 0; i < 5; i++) await b.session(keys);
      await assert.rejects(a.session(keys), { code: 'EDQUOT' });
      await b.close();
      await a.session(keys);
    } finally {
      writeFileSync(`${parameters}/user_sessions`, most);
    }
  }));

test('hundreds of sessions come and go', () =>
  withDevice(async (device) => {
    const key = randomBytes(16);
    const kinds = [
      { cipher: 11, key },
      { cipher: 50, key },
      { mac: 18, macKey: key },
      { cipher: 21, key, mac: 14 },
    ];
    let open: number[] = [];
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 100; i++) open.push(await device.session(kinds[i % 4]!));
      for (const ses of open.filter((_, i) => i % 3 > 0)) await device.finish(ses);
      open = open.filter((_, i) => i % 3 === 0);
    }
    for (const ses of open) await device.ioctl('CIOCGSESSINFO', { ses });
  }));

test('CIOCGSESSINFO names algorithms and drivers', () =>
  withDevice(async (device) => {
    const key = randomBytes(16);
    const gcm = await device.ioctl('CIOCGSESSINFO', { ses: await device.session({ cipher: 50, key }) });
    assert.equal(gcm.cipher_name, 'gcm(aes)');
    assert.equal(gcm.hash_name, '');
    const ses = await device.session({ cipher: 11, key, mac: hashes.sha256 });
    const both = await device.ioctl('CIOCGSESSINFO', { ses });
    assert.equal(both.cipher_name, 'cbc(aes)');
    assert.equal(both.hash_name, 'sha256');
    const drivers = readFileSync('/proc/crypto', 'utf8');
    for (const name of [gcm.cipher_driver, both.cipher_driver, both.hash_driver])
      assert.ok(drivers.includes(`driver       : ${name}\n`), `${name}`);
  }));

test('a driver is had by its name or not at all', () =>
  withDevice(async (device) => {
    const keys = { cipher: 11, key: randomBytes(16) };
    const ses = await device.sessionByDriver(keys, { cipher_driver: 'cbc(aes-generic)' });
    const { cipher_driver } = await device.ioctl('CIOCGSESSINFO', { ses });
    assert.equal(cipher_driver, 'cbc(aes-generic)');
    const iv = randomBytes(16);
    const data = randomBytes(160);
    const usual = await device.crypt({ ses: await device.session(keys), iv, data });
    assert.ok((await device.crypt({ ses, iv, data })).data.equals(usual.data));
    const mac = await device.sessionByDriver({ mac: hashes.sha256 }, { mac_driver: 'sha256-generic' });
    assert.equal((await device.ioctl('CIOCGSESSINFO', { ses: mac })).hash_driver, 'sha256-generic');

    const fails = (drivers: Record<string, string | number>, code: string) =>
      assert.rejects(device.sessionByDriver(keys, drivers), { code });
    await fails({ cipher_driver: 'no-such-driver' }, 'ENOENT');
    await fails({ cipher_driver: 'ecb(aes-generic)' }, 'ENOENT'); // another algorithm's
    await fails({ cipher_driver: 'cbc(aes)' }, 'ENOENT'); // no driver's name
    await fails({ cipher_driver: 'sha256-generic' }, 'ENOENT'); // no cipher
    await fails({ cipher_driver: 'a'.repeat(64) }, 'EINVAL');
    await fails({ flags: 1 }, 'EINVAL');
    await device.remote.call('user 12345');
    await fails({ cipher_driver: 'cbc(aes-generic)' }, 'EPERM');
    await fails({ cipher_driver: 'no-such-driver' }, 'ENOENT');
  }));

test('what is not here is refused', () =>
  withDevice(async (device) => {
    const key = randomBytes(16);
    for (const keys of [
      {},
      { cipher: 12345 },
      { mac: 12345 },
      { cipher: 13 },
      { mac: 11 },
      { cipher: 108, key },
      { cipher: 15 },
    ])
      await assert.rejects(device.session({ key, ...keys }), { code: 'EINVAL' });
    for (const length of [0, 1, 15, 17, 33, 64, 65])
      await assert.rejects(device.session({ cipher: 11, key: randomBytes(length) }), { code: 'EINVAL' });
    await assert.rejects(device.session({ mac: 18, macKey: randomBytes(513) }), { code: 'EINVAL' });
    const refused = async (name: IoctlName, code: string) =>
      assert.rejects(device.ioctl(name, {}), { code }, name);
    await refused('CIOCASYNCCRYPT', 'EOPNOTSUPP');
    await refused('CIOCASYNCFETCH', 'EOPNOTSUPP');
    await assert.rejects(device.remote.call(`ioctl ${device.fd} 12345 0`), { code: 'ENOTTY' });
    assert.equal((await device.ioctl('CIOCASYMFEAT', { value: 7 })).value, 0);
    for (const name of ioctlNames.filter((it) => !it.startsWith('CIOCASYNC')))
      for (const address of [0, 4096, device.remote.base + device.remote.size - 1])
        await assert.rejects(
          device.remote.call(`ioctl ${device.fd} ${number(name, 64)} ${address}`),
          { code: 'EFAULT' },
          name,
        );
    assert.equal(pack('crypt_op', {}, 32).length, 28);
  }));
