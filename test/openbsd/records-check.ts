// SPDX-License-Identifier: MIT
// The kernel's frames against published ones and against oracles that know nothing of its sources: argv[2] is so_crypt_test.
import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import type { CipherName, MacName, Protocol } from '../../lib/crypt-options.js';
import { trafficKeys } from '../support/keylog.js';
import { RecordOracle, wholeRecords } from '../support/records.js';
import type { Flight } from '../vectors/flight.js';
import { rfc8448Flights } from '../vectors/rfc8448.js';
import { tlsFlights } from '../vectors/tls-records.js';
import { type CustomKeys, packCustom, sealCustom } from './custom-oracle.js';
import { type Fields, joined, type Message, Requests, tlsFields } from './requests.js';
import { type SshKeys, SshOracle } from './ssh-oracle.js';

const EBADMSG = 92;
const ENEEDAUTH = 81;
const hex = (text: string) => Buffer.from(text, 'hex');
const requests = new Requests();

function checkFlight(flight: Flight): void {
  const { protocol, cipher, mac } = flight;
  const keys = flight.secret
    ? trafficKeys(cipher, hex(flight.secret))
    : { key: hex(flight.key), iv: hex(flight.iv ?? '') };
  const fields: Fields = {
    ...tlsFields(protocol, cipher, mac, false),
    ...keys,
    mackey: flight.macKey === undefined ? undefined : hex(flight.macKey),
    seq: flight.sequence,
  };
  // What is behind a KeyUpdate has other keys.
  const last = flight.records.findIndex(({ type, plaintext }) => type === 22 && plaintext.startsWith('18'));
  const records = last < 0 ? flight.records : flight.records.slice(0, last + 1);
  const wire = hex(records.map(({ record }) => record).join(''));
  const messages = records.map(({ type, plaintext }) => ({ type, text: hex(plaintext) }));
  requests.open(fields, wire, (answer) => {
    assert.deepEqual(joined(answer.messages), joined(messages), flight.source);
    assert.equal(answer.error, last < 0 ? 0 : ENEEDAUTH, flight.source);
  });
  // TLS 1.0 records are cut differently here, and a 1.2 nonce is not always the sequence number.
  if (protocol === 'tls1.0' || messages.some(({ text }) => text.length === 0)) return;
  if (messages.some(({ type }) => type < 20 || (protocol === 'tls1.3' && type === 20))) return;
  if (protocol === 'tls1.2' && /gcm|ccm/.test(cipher))
    fields.iv = Buffer.concat([fields.iv!, wire.subarray(5, 13)]);
  const block = cipher.startsWith('des') ? 8 : 16;
  const ivs = cipher.endsWith('cbc')
    ? Buffer.concat(records.map(({ record }) => hex(record).subarray(5, 5 + block)))
    : Buffer.alloc(0);
  requests.seal(fields, messages, (answer) => assert.deepEqual(answer.wire, wire, flight.source), ivs);
}

const lengths = [1, 2, 15, 16, 17, 100, 1000, 16383, 16384];

function randomMessages(protocol: Protocol): Message[] {
  return Array.from({ length: 1 + randomInt(6) }, () => {
    const type = protocol === 'tls1.0' || randomInt(4) > 0 ? 23 : 21 + randomInt(2);
    const text = randomBytes(randomInt(3) ? 1 + randomInt(2000) : lengths[randomInt(lengths.length)]!);
    if (type === 22) text.fill(0); // no KeyUpdate
    return { type, text };
  });
}

function checkTls(protocol: Protocol, cipher: CipherName, mac: MacName | undefined, etm: boolean): void {
  const aead = mac === undefined;
  const ivLength =
    protocol === 'tls1.3' || cipher.includes('poly') ? 12 : aead ? 4 : protocol === 'tls1.0' ? 16 : 0;
  const tag = cipher.endsWith('ccm8') ? 8 : 16;
  const keyLength = cipher.startsWith('des')
    ? 24
    : cipher.includes('256') || cipher.includes('poly')
      ? 32
      : 16;
  for (let round = 0; round < 12; round++) {
    const oracleKeys = {
      protocol,
      cipher,
      mac,
      encryptThenMac: etm,
      key: randomBytes(keyLength),
      iv: randomBytes(cipher.startsWith('des') ? Math.min(ivLength, 8) : ivLength),
      macKey: mac && randomBytes({ 'hmac-sha1': 20, 'hmac-sha256': 32, 'hmac-sha384': 48 }[mac]),
      sequence: BigInt(randomInt(1000)),
    };
    const fields: Fields = {
      ...tlsFields(protocol, cipher, mac, etm),
      key: oracleKeys.key,
      iv: oracleKeys.iv,
      mackey: oracleKeys.macKey,
      seq: oracleKeys.sequence,
    };
    const messages = randomMessages(protocol);
    const opener = new RecordOracle(oracleKeys);
    requests.seal(fields, messages, ({ wire }) => {
      const opened = wholeRecords(wire).map((record) => opener.open(record));
      const texts = opened.map(({ type, plaintext }) => ({ type, text: plaintext }));
      assert.deepEqual(joined(texts), joined(messages));
    });
    const sealer = new RecordOracle(oracleKeys);
    // Empty records are legal, and say nothing.
    const wire = [...messages, { type: 23, text: Buffer.alloc(0) }, ...messages].map(({ type, text }) =>
      sealer.seal(type, text, {
        zeros: Math.min(randomInt(3) * randomInt(40), 16_384 - text.length), // RFC 8446 5.4
        extraBlocks: randomInt(2) * randomInt(10),
      }),
    );
    requests.open(fields, Buffer.concat(wire), ({ messages: got, error }) => {
      assert.deepEqual(joined(got), joined([...messages, ...messages]));
      assert.equal(error, 0);
    });
    // One record is bad: what came before it is given out, and nothing else.
    const bad = randomInt(messages.length);
    const spoiler = new RecordOracle(oracleKeys);
    const spoiled = messages.map(({ type, text }, i) =>
      i === bad && mac
        ? spoiler.seal(
            type,
            text,
            randomInt(2) || etm ? { badMac: true } : { padding: (n) => Buffer.alloc(n, n) },
          )
        : spoiler.seal(type, text),
    );
    if (!mac) spoiled[bad]![spoiled[bad]!.length - 1 - randomInt(tag + 1)]! ^= 1 << randomInt(8);
    requests.open(fields, Buffer.concat(spoiled), ({ messages: got, error }) => {
      assert.deepEqual(joined(got), joined(messages.slice(0, bad)));
      assert.equal(error, EBADMSG);
    });
  }
}

function checkSsh(
  keys: Omit<SshKeys, 'key' | 'iv' | 'macKey' | 'sequence'>,
  key: number,
  iv: number,
  macKey = 0,
): void {
  for (let round = 0; round < 12; round++) {
    const all: SshKeys = {
      ...keys,
      key: randomBytes(key),
      iv: randomBytes(iv),
      macKey: randomBytes(macKey),
      sequence: round % 2 ? 0xfffffffe : randomInt(1000),
    };
    if (round % 3 === 0) all.iv.fill(0xff, Math.max(0, iv - 8)); // counters carry
    const cipher = {
      gcm: 'gcm(aes)',
      ctr: 'ctr(aes)',
      cbc: 'cbc(aes)',
      '3des': 'cbc(des3_ede)',
      chacha: 'chacha20-poly1305@openssh.com',
    }[keys.cipher];
    const fields: Fields = {
      protocol: 5,
      flags: keys.mac?.etm ? 1 : 0,
      cipher,
      mac: keys.mac && `hmac(${keys.mac.digest})`,
      tag: keys.mac?.length ?? 0,
      key: all.key,
      iv: all.iv,
      mackey: all.macKey,
      seq: all.sequence,
    };
    const payloads = Array.from({ length: 1 + randomInt(6) }, () => {
      const payload = randomBytes(randomInt(4) ? 1 + randomInt(300) : 32768 - randomInt(20));
      payload[0] = 94; // SSH_MSG_CHANNEL_DATA
      return payload;
    });
    const opener = new SshOracle(all);
    const sent = payloads.map((text) => ({ type: 23, text }));
    requests.seal(fields, sent, ({ wire }) => {
      let rest = wire;
      for (const payload of payloads) {
        const packet = opener.open(rest);
        assert.deepEqual(packet.payload, payload);
        assert.ok(packet.padding.length >= 4);
        rest = packet.rest;
      }
      assert.equal(rest.length, 0);
    });
    const sealer = new SshOracle(all);
    const packets = payloads.map((payload) => sealer.seal(payload));
    requests.open(fields, Buffer.concat(packets), ({ messages, error }) => {
      assert.deepEqual(
        messages.map(({ text }) => text),
        payloads,
      );
      assert.equal(error, 0);
    });
  }
}

function checkCustom(
  template: Omit<CustomKeys, 'key' | 'iv' | 'macKey' | 'sequence'>,
  key: number,
  macKey: number,
  block: number,
): void {
  for (let round = 0; round < 12; round++) {
    const { nonce } = template.layout;
    const keys: CustomKeys = {
      ...template,
      key: randomBytes(key),
      iv: randomBytes({ xor: 12, counter: 4, random: 0 }[nonce]),
      macKey: randomBytes(macKey),
      sequence: BigInt(randomInt(1 << 20)),
    };
    const cipher = template.cipher.includes('gcm')
      ? 'gcm(aes)'
      : template.cipher.includes('poly')
        ? 'rfc7539(chacha20,poly1305)'
        : template.cipher.startsWith('des')
          ? 'cbc(des3_ede)'
          : `${template.cipher.slice(-3)}(aes)`;
    const fields: Fields = {
      protocol: 255,
      cipher,
      mac: template.digest && `hmac(${template.digest})`,
      tag: template.tag,
      key: keys.key,
      iv: keys.iv,
      mackey: keys.macKey,
      seq: keys.sequence,
      layout: packCustom(template.layout, block),
    };
    const texts = Array.from({ length: 1 + randomInt(5) }, () => randomBytes(1 + randomInt(3000)));
    const messages = texts.map((text) => ({ type: 23, text }));
    const wire = Buffer.concat(
      texts.map((text, i) => sealCustom(keys, keys.sequence + BigInt(i), text, block)),
    );
    const read = (answer: { messages: Message[]; error: number }) => {
      assert.deepEqual(Buffer.concat(answer.messages.map(({ text }) => text)), Buffer.concat(texts));
      assert.equal(answer.error, 0);
    };
    requests.open(fields, wire, read);
    // With the same random bytes the kernel makes the same frames; CBC's are in them.
    let at = 0;
    const ivs = texts.map((text, i) => {
      const start = at + template.layout.header.length;
      at += sealCustom(keys, keys.sequence + BigInt(i), text, block).length;
      return nonce === 'random' ? wire.subarray(start, start + block) : Buffer.alloc(0);
    });
    if (texts.length < 5 || nonce !== 'random')
      requests.seal(
        fields,
        messages,
        (answer) => assert.deepEqual(answer.wire, wire),
        Buffer.concat(ivs).subarray(0, 64),
      );
  }
}

for (const flight of [...Object.values(rfc8448Flights), ...tlsFlights] as Flight[]) checkFlight(flight);

for (const cipher of [
  'aes-128-gcm',
  'aes-256-gcm',
  'aes-128-ccm',
  'aes-256-ccm',
  'aes-128-ccm8',
  'aes-256-ccm8',
  'chacha20-poly1305',
] as const) {
  checkTls('tls1.3', cipher, undefined, false);
  checkTls('tls1.2', cipher, undefined, false);
}
for (const protocol of ['tls1.0', 'tls1.1', 'tls1.2'] as const)
  for (const cipher of ['aes-128-cbc', 'aes-256-cbc', 'des-ede3-cbc'] as const)
    for (const mac of ['hmac-sha1', 'hmac-sha256', 'hmac-sha384'] as const)
      for (const etm of [false, true]) checkTls(protocol, cipher, mac, etm);

checkSsh({ cipher: 'gcm' }, 16, 12);
checkSsh({ cipher: 'gcm' }, 32, 12);
checkSsh({ cipher: 'chacha' }, 64, 0);
for (const etm of [false, true])
  for (const [digest, size, length] of [
    ['sha1', 20, 20],
    ['sha1', 20, 12],
    ['sha256', 32, 32],
    ['sha512', 64, 64],
  ] as const) {
    for (const key of [16, 24, 32]) checkSsh({ cipher: 'ctr', mac: { digest, length, etm } }, key, 16, size);
    for (const key of [16, 32]) checkSsh({ cipher: 'cbc', mac: { digest, length, etm } }, key, 16, size);
    if (etm) checkSsh({ cipher: '3des', mac: { digest, length, etm } }, 24, 8, size);
  }

const header = Buffer.from('f00d00000000', 'hex');
const base = {
  header,
  lengthOffset: 2,
  lengthSize: 4,
  lengthBias: 0,
  assocSequence: 8,
  assocStart: 0,
  assocEnd: 6,
} as const;
for (const [cipher, key] of [
  ['aes-128-gcm', 16],
  ['aes-256-gcm', 32],
  ['chacha20-poly1305', 32],
] as const)
  for (const nonce of ['xor', 'counter'] as const)
    checkCustom(
      {
        layout: { ...base, nonce, order: 'aead', padding: false, assocStart: 1, assocEnd: 5, lengthBias: 6 },
        cipher,
        tag: 16,
      },
      key,
      0,
      1,
    );
checkCustom(
  {
    layout: { ...base, nonce: 'xor', order: 'aead', padding: false, assocSequence: 0 },
    cipher: 'aes-128-gcm',
    tag: 12,
  },
  16,
  0,
  1,
);
for (const order of ['mte', 'etm'] as const)
  for (const tag of [10, 16, 32])
    for (const assocSequence of [0, 4, 8] as const) {
      const cbc = { ...base, assocSequence, order, nonce: 'random', padding: true } as const;
      checkCustom({ layout: cbc, cipher: 'aes-128-cbc', digest: 'sha256', tag }, 16, 32, 16);
      checkCustom({ layout: cbc, cipher: 'des-ede3-cbc', digest: 'sha256', tag }, 24, 32, 8);
      for (const nonce of ['xor', 'counter'] as const)
        checkCustom(
          { layout: { ...cbc, nonce, padding: false }, cipher: 'aes-256-ctr', digest: 'sha256', tag },
          32,
          32,
          16,
        );
    }

const program = process.argv[2];
assert.ok(program, 'usage: records-check.js SO_CRYPT_TEST');
process.stdout.write(`ok - ${requests.run(program)} streams against published records and the oracles\n`);
