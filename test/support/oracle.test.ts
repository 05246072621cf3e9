import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aeadVectors } from '../vectors/aead.js';
import { cbcVectors } from '../vectors/cbc.js';
import { ctrVectors } from '../vectors/ctr.js';
import type { Flight } from '../vectors/flight.js';
import { hmacVectors } from '../vectors/hmac.js';
import { rfc8448Flights } from '../vectors/rfc8448.js';
import { tlsFlights } from '../vectors/tls-records.js';
import { keyBlock, keylogSecret, nextSecret, parseKeylog, trafficKeys } from './keylog.js';
import { aeadOpen, aeadSeal } from './oracle-aead.js';
import { decrypt, encrypt, hmac } from './oracle-cbc.js';
import { contentType } from './oracle-keys.js';
import { RecordOracle } from './records.js';

const hex = (text: string) => Buffer.from(text, 'hex');

// The oracle that the library is tested against has to agree with what others have published.

test('the oracle ciphers give what the vectors say', () => {
  for (const { source, cipher, key, iv, aad, plaintext, ciphertext, tag } of aeadVectors) {
    const sealed = aeadSeal(cipher, hex(key), hex(iv), hex(aad), hex(plaintext));
    assert.equal(sealed.toString('hex'), ciphertext + tag, source);
    assert.equal(aeadOpen(cipher, hex(key), hex(iv), hex(aad), sealed).toString('hex'), plaintext, source);
  }
  for (const { source, cipher, key, iv, plaintext, ciphertext } of [...cbcVectors, ...ctrVectors]) {
    assert.equal(encrypt(cipher, hex(key), hex(iv), hex(plaintext)).toString('hex'), ciphertext, source);
    assert.equal(decrypt(cipher, hex(key), hex(iv), hex(ciphertext)).toString('hex'), plaintext, source);
  }
  for (const { source, mac, key, data, digest } of hmacVectors) {
    assert.equal(hmac(mac, hex(key), hex(data)).toString('hex'), digest, source);
  }
});

function oracleOf(flight: Flight, secret = flight.secret, sequence = flight.sequence): RecordOracle {
  const { protocol, cipher, mac } = flight;
  const keys =
    secret === undefined
      ? { key: hex(flight.key), iv: hex(flight.iv ?? '') }
      : trafficKeys(cipher, hex(secret));
  return new RecordOracle({ protocol, cipher, mac, ...keys, macKey: hex(flight.macKey ?? ''), sequence });
}

for (const flight of [...Object.values(rfc8448Flights), ...tlsFlights] as Flight[]) {
  test(`the oracle opens and seals the records of ${flight.source}`, () => {
    let [opener, sealer, secret] = [oracleOf(flight), oracleOf(flight), flight.secret];
    for (const { type, record, plaintext } of flight.records) {
      const opened = opener.open(hex(record));
      assert.equal(opened.type, type);
      assert.equal(opened.plaintext.toString('hex'), plaintext);
      const explicitNonce = opened.explicit.length === 8 ? opened.explicit.readBigUInt64BE() : 0n;
      const sealed = sealer.seal(type, hex(plaintext), { explicitIv: opened.explicit, explicitNonce });
      assert.equal(sealed.toString('hex'), record);
      if (secret !== undefined && type === contentType.handshake && plaintext.startsWith('18')) {
        secret = nextSecret(flight.cipher, hex(secret)).toString('hex');
        [opener, sealer] = [oracleOf(flight, secret, 0), oracleOf(flight, secret, 0)];
      }
    }
  });
}

test('the key block of the Illustrated TLS 1.2 Connection follows from its key log', () => {
  const keylog =
    'CLIENT_RANDOM 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f ' +
    '916abf9da55973e13614ae0a3f5d3f37b023ba129aee02cc9134338127cd7049781c8e19fc1eb2a7387ac06ae237344c';
  const lines = parseKeylog(`# SSL/TLS secrets\n\n${keylog}\n`);
  const { client, server } = keyBlock({
    protocol: 'tls1.2',
    cipher: 'aes-128-cbc',
    mac: 'hmac-sha1',
    masterSecret: keylogSecret(lines, 'CLIENT_RANDOM'),
    clientRandom: lines[0]!.clientRandom,
    serverRandom: Buffer.from(Array.from({ length: 32 }, (_, i) => 0x70 + i)),
  });
  const [toServer, , toClient] = tlsFlights;
  assert.deepEqual([client.key, client.macKey], [hex(toServer!.key), hex(toServer!.macKey!)]);
  assert.deepEqual([server.key, server.macKey], [hex(toClient!.key), hex(toClient!.macKey!)]);
});
