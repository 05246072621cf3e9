// Published vectors through the ioctls.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { aeadVectors } from '../../vectors/aead.js';
import { cbcVectors } from '../../vectors/cbc.js';
import { ctrVectors } from '../../vectors/ctr.js';
import { hmacVectors } from '../../vectors/hmac.js';
import { aeads, ciphers, hashes, hmacs } from './abi.js';
import { Device } from './device.js';

const hex = (text: string) => Buffer.from(text, 'hex');
let device: Device;
before(async () => {
  device = await Device.open();
});
after(() => device.end());

for (const vector of [...cbcVectors, ...ctrVectors])
  test(`${vector.source}: ${vector.cipher}`, async () => {
    const cipher = ciphers[vector.cipher as keyof typeof ciphers];
    const ses = await device.session({ cipher: cipher.number, key: hex(vector.key) });
    const iv = hex(vector.iv);
    const sealed = await device.crypt({ ses, data: hex(vector.plaintext), iv });
    assert.equal(sealed.data.toString('hex'), vector.ciphertext);
    const opened = await device.crypt({ ses, decrypt: true, data: sealed.data, iv, inPlace: true });
    assert.equal(opened.data.toString('hex'), vector.plaintext);
    await device.finish(ses);
  });

for (const vector of aeadVectors.filter(({ cipher }) => cipher.startsWith('aes')))
  test(`${vector.source}: ${vector.cipher}`, async () => {
    const cipher = aeads[vector.cipher.replace('ccm8', 'ccm') as keyof typeof aeads];
    const ses = await device.session({ cipher: cipher.number, key: hex(vector.key) });
    const common = { ses, iv: hex(vector.iv), aad: hex(vector.aad), tag: vector.tag.length / 2 };
    const sealed = await device.auth({ ...common, data: hex(vector.plaintext) });
    assert.equal(sealed.data.toString('hex'), vector.ciphertext + vector.tag);
    const opened = await device.auth({ ...common, decrypt: true, data: sealed.data });
    assert.equal(opened.data.toString('hex'), vector.plaintext);
    await device.finish(ses);
  });

for (const vector of hmacVectors)
  test(`${vector.source}: ${vector.mac}`, async () => {
    const mac = hmacs[vector.mac.replace('hmac-', '') as keyof typeof hmacs];
    const length = vector.digest.length / 2;
    const ses = await device.session({ mac, macKey: hex(vector.key) });
    assert.equal(
      (await device.crypt({ ses, data: hex(vector.data), mac: length })).mac.toString('hex'),
      vector.digest,
    );
    await device.finish(ses);
  });

// FIPS 180-4's examples (NIST, "Secure Hashing" example values) and RFC 1321 A.5: the message "abc".
const abc = {
  md5: '900150983cd24fb0d6963f7d28e17f72',
  sha1: 'a9993e364706816aba3e25717850c26c9cd0d89d',
  sha224: '23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7',
  sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  sha384: 'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
  sha512:
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a' +
    '2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
};
for (const [name, digest] of Object.entries(abc))
  test(`${name} of abc`, async () => {
    const ses = await device.session({ mac: hashes[name as keyof typeof hashes] });
    const { mac } = await device.crypt({ ses, data: Buffer.from('abc'), mac: digest.length / 2 });
    assert.equal(mac.toString('hex'), digest);
    await device.finish(ses);
  });
