import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { type Armed, type ArmedOptions, armedPair } from '../support/armed.js';
import { able, isCarried, opensByKtls, opensInKernel, testWhere } from '../support/engine.js';
import { header } from '../support/oracle-keys.js';
import { pause } from '../support/patience.js';
import { flipBit } from '../support/records.js';
import { connectedPair, Recorder, until } from '../support/sockets.js';
import { makeDirection, type Suite, suiteNamed, suiteOptions } from '../support/suites.js';

const gcm13 = suiteNamed('tls1.3 aes-128-gcm');
const gcm12 = suiteNamed('tls1.2 aes-128-gcm');
const cbc = suiteNamed('tls1.2 aes-128-cbc hmac-sha1');
const etm = suiteNamed('tls1.2 aes-128-cbc hmac-sha256 encrypt-then-MAC');
const chained = suiteNamed('tls1.0 aes-256-cbc hmac-sha1');
const families = [gcm13, suiteNamed('tls1.3 chacha20-poly1305'), gcm12, cbc, etm, chained].filter(
  ({ protocol, cipher }) => isCarried(protocol, cipher),
);

/** AlertDescription (RFC 8446 6). */
const alert = {
  unexpectedMessage: 10,
  badRecordMac: 20,
  recordOverflow: 22,
  decodeError: 50,
  protocolVersion: 70,
} as const;

/** What a bad record has to lead to; more than one where the RFCs leave it open. */
interface Outcome {
  readonly codes: string[];
  readonly alerts: number[];
}

const badMac: Outcome = { codes: ['ERR_SO_CRYPT_BAD_RECORD_MAC'], alerts: [alert.badRecordMac] };
const overflow: Outcome = { codes: ['ERR_SO_CRYPT_RECORD_OVERFLOW'], alerts: [alert.recordOverflow] };
const unexpected: Outcome = { codes: ['ERR_SO_CRYPT_UNEXPECTED_RECORD'], alerts: [alert.unexpectedMessage] };
const badVersion: Outcome = { codes: ['ERR_SO_CRYPT_BAD_RECORD'], alerts: [alert.protocolVersion] };
const noType: Outcome = {
  codes: ['ERR_SO_CRYPT_UNEXPECTED_RECORD', 'ERR_SO_CRYPT_BAD_RECORD'],
  alerts: [alert.unexpectedMessage, alert.protocolVersion],
};
const noRecord: Outcome = {
  codes: ['ERR_SO_CRYPT_BAD_RECORD', 'ERR_SO_CRYPT_UNEXPECTED_RECORD', 'ERR_SO_CRYPT_RECORD_OVERFLOW'],
  alerts: [alert.unexpectedMessage, alert.recordOverflow, alert.decodeError, alert.protocolVersion],
};
const badLength: Outcome = {
  codes: ['ERR_SO_CRYPT_BAD_RECORD', 'ERR_SO_CRYPT_BAD_RECORD_MAC'],
  alerts: [alert.badRecordMac, alert.decodeError],
};
const truncated: Outcome = { codes: ['ERR_SO_CRYPT_TRUNCATED'], alerts: [] };

/**
 * Waits for the end and checks it: the error with its code, one fatal alert with the same number, nothing
 * more on the wire, the socket destroyed, and of the data only what was genuine.
 */
async function checkEnd({ ours, opener, read, wire }: Armed, outcome: Outcome, genuine = ''): Promise<void> {
  await until(() => read.closed, `the socket is closed (${outcome.codes})`);
  assert.equal(read.bytes.toString('latin1'), genuine);
  assert.equal(read.ended, false, 'no end of stream');
  assert.equal(ours.destroyed, true);
  assert.equal(read.errors.length, 1);
  const error = read.errors[0] as NodeJS.ErrnoException & { alert?: number };
  const foundByKernel = opensInKernel && error.code === 'ERR_SO_CRYPT_BAD_RECORD_MAC';
  assert.ok(foundByKernel || outcome.codes.includes(error.code ?? ''), `${error.code} (${error.message})`);
  if (outcome.alerts.length === 0) return;
  await until(() => wire.ended || wire.closed, 'FIN on the wire');
  const sent = opener.openAll(wire.bytes);
  assert.equal(sent.length, 1);
  assert.deepEqual([sent[0]!.type, sent[0]!.plaintext[0], sent[0]!.plaintext.length], [21, 2, 2]);
  const description = sent[0]!.plaintext[1]!;
  assert.ok(
    outcome.alerts.includes(description) || (foundByKernel && description === alert.badRecordMac),
    `alert ${description}`,
  );
  assert.equal(error.alert, sent[0]!.plaintext[1]);
}

/** Sends a genuine record, then what `spoil` makes, and checks the outcome. */
async function check(
  suite: Suite,
  spoil: (armed: Armed) => Buffer,
  outcome: Outcome,
  options: ArmedOptions = {},
): Promise<void> {
  const armed = await armedPair(suite, options);
  armed.peer.write(armed.sealer.data('genuine'));
  armed.peer.write(spoil(armed));
  await checkEnd(armed, outcome, 'genuine');
  armed.close();
}

// What one changed bit of a header makes of it.
function outcomeOfFlip({ protocol }: Suite, bit: number, record: Buffer): Outcome {
  const byte = bit >> 3;
  if (byte === 0) {
    const type = flipBit(record, bit)[0]!;
    if (protocol === 'tls1.3' || type < 20 || type > 24) return noType;
    return type === 21 || type === 22 ? badMac : unexpected;
  }
  if (byte < 3) return badVersion;
  if (byte >= 5) return badMac;
  const length = flipBit(record, bit).readUInt16BE(3);
  // (kTLS allows no more than a full record needs.)
  const [ours, kernels] = protocol === 'tls1.3' ? [256, 17] : [2048, 24];
  if (length > 16_384 + (opensByKtls ? kernels : ours)) return overflow;
  return length > record.length - 5 ? truncated : badLength;
}

for (const suite of families) {
  test(`${suite.name}: a flipped bit anywhere is noticed, and nothing of the record is delivered`, async () => {
    // (TLS 1.3 has the record's outer type in no MAC, and kTLS does not look at it.)
    const first = opensByKtls && suite.protocol === 'tls1.3' ? 8 : 0;
    for (let bit = first, bits = first + 1; bit < bits; bit++) {
      const armed = await armedPair(suite);
      const record = armed.sealer.data('secret');
      bits = record.length * 8;
      armed.peer.end(flipBit(record, bit));
      try {
        await checkEnd(armed, outcomeOfFlip(suite, bit, record));
      } catch (error) {
        throw new Error(`bit ${bit & 7} of byte ${bit >> 3} of ${record.length}`, { cause: error });
      }
      armed.close();
    }
  });

  test(`${suite.name}: a record cut short by FIN is a truncation`, async () => {
    for (const keep of [1, 4, 5, 6, 20]) {
      const armed = await armedPair(suite);
      armed.peer.write(armed.sealer.data('genuine'));
      armed.peer.end(armed.sealer.data('x'.repeat(100)).subarray(0, keep));
      await checkEnd(armed, truncated, 'genuine');
    }
  });

  test(`${suite.name}: FIN without close_notify is a truncation, after the data`, async () => {
    const armed = await armedPair(suite);
    armed.peer.end(armed.sealer.data('genuine'));
    await checkEnd(armed, truncated, 'genuine');
  });

  test(`${suite.name}: a record that comes twice, late or early is refused`, async () => {
    await check(suite, ({ sealer }) => sealer.data('again', { sequence: 0n }), badMac);
    await check(suite, ({ sealer }) => sealer.data('early', { sequence: 2n }), badMac);
  });

  test(`${suite.name}: a length over the limit is refused before the record has come`, async () => {
    const most = 16_384 + (suite.protocol === 'tls1.3' ? 256 : 2048);
    const version = suite.protocol === 'tls1.0' ? 0x0301 : 0x0303;
    // (kTLS looks at a header of TLS 1.2 when the explicit nonce has come, too.)
    const begun = opensByKtls ? randomBytes(8) : Buffer.alloc(0);
    await check(suite, () => Buffer.concat([header(23, version, most + 1), begun]), overflow);
  });

  test(`${suite.name}: more than 16,384 bytes of plaintext are refused, though authentic`, async () => {
    await check(suite, ({ sealer }) => sealer.data(Buffer.alloc(16_385, 7)), overflow);
  });

  test(`${suite.name}: a record with another version is refused`, async () => {
    for (const version of [0x0300, 0x0302, 0x0304, 0x0203, 0xfefd]) {
      await check(suite, ({ sealer }) => sealer.data('x', { version }), badVersion);
    }
  });

  test(`${suite.name}: a type that must not come, or that is none, is refused`, async () => {
    for (const outerType of [20, 24])
      await check(suite, ({ sealer }) => sealer.data('x', { outerType }), unexpected);
    for (const outerType of [0, 1, 19, 25, 128, 255]) {
      await check(suite, ({ sealer }) => sealer.data('x', { outerType }), noType);
    }
    for (const type of [20, 24])
      await check(suite, ({ sealer }) => sealer.seal(type, Buffer.from([1])), unexpected);
  });

  test(`${suite.name}: bytes that are no records are refused at once`, async () => {
    await check(suite, () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), noRecord);
    await check(suite, () => Buffer.from('GET / HTTP/1.1\r\n\r\n'), noRecord);
    await check(suite, () => Buffer.alloc(100), noRecord);
    await check(suite, () => Buffer.alloc(100, 0xff), noRecord);
  });

  test(`${suite.name}: random bytes end in an error, never in data`, async () => {
    for (let i = 0; i < 30; i++) {
      const armed = await armedPair(suite);
      armed.peer.end(
        i % 2 ? randomBytes(1 + i * 7) : Buffer.concat([Buffer.from([23, 3, 3, 0]), randomBytes(100)]),
      );
      await until(() => armed.read.closed, 'closed');
      assert.equal(armed.read.length, 0);
      assert.match((armed.read.errors[0] as NodeJS.ErrnoException).code ?? '', /^ERR_SO_CRYPT_/);
      armed.close();
    }
  });

  test(`${suite.name}: RST in the middle is the system's error`, async () => {
    const armed = await armedPair(suite);
    armed.peer.write(armed.sealer.data('genuine'));
    armed.peer.write(armed.sealer.data('x'.repeat(100)).subarray(0, 50));
    await until(() => armed.read.length === 7, 'the genuine data');
    armed.peer.resetAndDestroy();
    await until(() => armed.read.closed, 'closed');
    assert.equal(armed.read.bytes.toString(), 'genuine');
    assert.equal((armed.read.errors[0] as NodeJS.ErrnoException).code, 'ECONNRESET');
  });

  test(`${suite.name}: an alert of the wrong length, an empty handshake record and a strange message are refused`, async () => {
    const malformed: Outcome = { codes: ['ERR_SO_CRYPT_BAD_RECORD'], alerts: [alert.decodeError] };
    await check(suite, ({ sealer }) => sealer.seal(21, Buffer.from([1])), malformed);
    await check(suite, ({ sealer }) => sealer.seal(21, Buffer.from([1, 0, 0])), malformed);
    await check(suite, ({ sealer }) => sealer.seal(21, ''), malformed);
    await check(suite, ({ sealer }) => sealer.seal(22, ''), unexpected);
    await check(suite, ({ sealer }) => sealer.seal(22, Buffer.from([20, 0, 0, 0])), unexpected);
  });

  test(`${suite.name}: data in the middle of a handshake message is refused`, async () => {
    const begun = suite.protocol === 'tls1.3' ? [4, 0, 0, 9, 1] : [0, 0, 0];
    const spoil = ({ sealer }: Armed) =>
      Buffer.concat([sealer.seal(22, Buffer.from(begun)), sealer.data('x')]);
    await check(suite, spoil, unexpected);
  });

  test(`${suite.name}: nothing more is read after a bad record`, async () => {
    const spoil = ({ sealer }: Armed) => {
      const bad = flipBit(sealer.data('bad'), 8 * 5 + 100);
      return Buffer.concat([bad, sealer.data('good', { sequence: 1n }), sealer.data('good')]);
    };
    await check(suite, spoil, badMac);
  });
}

test('TLS 1.3: a record without content type is refused', async () => {
  // Without a byte of plaintext there is not even room for a type: its length alone tells.
  const either = {
    codes: [...unexpected.codes, ...badLength.codes],
    alerts: [...unexpected.alerts, ...badLength.alerts],
  };
  await check(gcm13, ({ sealer }) => sealer.data('', { noType: true }), either);
  await check(gcm13, ({ sealer }) => sealer.data('', { noType: true, zeros: 100 }), unexpected);
});

test('TLS 1.3: padding past the limit is refused', async () => {
  await check(gcm13, ({ sealer }) => sealer.data('x', { zeros: 16_384 }), overflow);
});

test('TLS 1.3: a plaintext alert is no record of the connection', async () => {
  await check(gcm13, () => Buffer.from([21, 3, 3, 0, 2, 2, 40]), unexpected);
});

testWhere(able.carryCbc)('CBC: bad MAC and bad padding can not be told apart', async () => {
  const padding = {
    'the last byte but one': (n: number) => Buffer.alloc(n, n - 1).fill(n, n - 2, n - 1),
    'the first byte': (n: number) => Buffer.alloc(n, n - 1).fill(n ^ 1, 0, 1),
    'a count too large': (n: number) => Buffer.alloc(n, 255),
    'a count one off': (n: number) => Buffer.alloc(n, n),
    'a count of zero over other bytes': (n: number) => Buffer.alloc(n, 0),
  };
  for (const suite of [cbc, chained, suiteNamed('tls1.1 des-ede3-cbc hmac-sha1')]) {
    await check(suite, ({ sealer }) => sealer.data('x', { badMac: true }), badMac);
    for (const fault of Object.values(padding)) {
      await check(suite, ({ sealer }) => sealer.data('xx', { padding: fault }), badMac);
    }
  }
});

testWhere(able.carryCbc)('encrypt-then-MAC: a bad MAC, and bad padding under a good one', async () => {
  await check(etm, ({ sealer }) => sealer.data('x', { badMac: true }), badMac);
  await check(etm, ({ sealer }) => sealer.data('x', { padding: (n) => Buffer.alloc(n, 255) }), badMac);
  await check(
    etm,
    ({ sealer }) => sealer.data('x', { padding: (n) => Buffer.alloc(n, n - 1).fill(9, 0, 1) }),
    badMac,
  );
});

test('a body that is no whole number of blocks, or too short for what it must have', async () => {
  for (const suite of families) {
    const version = suite.protocol === 'tls1.0' ? 0x0301 : 0x0303;
    for (const length of [0, 1, 8, 15, 17, 33, 63]) {
      // (kTLS looks at a header of TLS 1.2 when the explicit nonce has come, too.)
      const behind = opensByKtls ? 8 : 0;
      const spoil = () => Buffer.concat([header(23, version, length), randomBytes(length + behind)]);
      await check(suite, spoil, badLength);
    }
  }
});

test('with only the read direction armed no alert goes out in the clear', async () => {
  const { ours, peer } = await connectedPair();
  const [read, wire] = [new Recorder(ours), new Recorder(peer)];
  const { keys, oracle } = makeDirection(gcm13);
  ours.setCrypt({ ...suiteOptions(gcm13), read: keys });
  peer.write(flipBit(oracle().data('x'), 50));
  await until(() => read.closed && (wire.ended || wire.closed), 'closed');
  assert.equal(wire.length, 0);
  assert.equal((read.errors[0] as NodeJS.ErrnoException).code, 'ERR_SO_CRYPT_BAD_RECORD_MAC');
});

test('truncation: end makes an end of FIN without close_notify', async () => {
  const whole = await armedPair(gcm13, { crypt: { truncation: 'end' } });
  whole.peer.end(whole.sealer.data('genuine'));
  await until(() => whole.read.ended || whole.read.errors.length > 0, 'end');
  assert.deepEqual(whole.read.errors, []);
  assert.equal(whole.read.bytes.toString(), 'genuine');
  assert.equal(whole.ours.crypt?.read?.truncated, true);
  assert.equal(whole.ours.crypt?.read?.closed, false);
});

test('a paused reader gets all genuine data before the error', async () => {
  const { ours, peer, sealer, read } = await armedPair(gcm13);
  ours.pause();
  const data = randomBytes(300_000);
  peer.end(sealer.stream(data));
  await pause(50);
  assert.equal(ours.destroyed, false);
  ours.resume();
  await until(() => read.closed, 'closed');
  assert.ok(read.bytes.equals(data), `${read.length} of ${data.length} bytes`);
  assert.equal((read.errors[0] as NodeJS.ErrnoException).code, 'ERR_SO_CRYPT_TRUNCATED');
});
