import assert from 'node:assert/strict';
import type { CryptOptions, DirectionKeys } from '../../lib/crypt-options.js';
import type { Flight, TraceRecord } from '../vectors/flight.js';
import { flushed } from './armed.js';
import { contentType } from './oracle-keys.js';
import { connectedPair, Recorder, until } from './sockets.js';

const hex = (text: string) => Buffer.from(text, 'hex');

/** How the library is given a flight's keys: ready made, or as the traffic secret. */
export type KeyForm = 'key' | 'secret';

const newSessionTicket = '04';
const keyUpdate = '18000001';

function keysOf(flight: Flight, form: KeyForm, sequence: number): DirectionKeys {
  if (form === 'secret') return { secret: hex(flight.secret!), sequence };
  return {
    key: hex(flight.key),
    ...(flight.iv === undefined ? {} : { iv: hex(flight.iv) }),
    ...(flight.macKey === undefined ? {} : { macKey: hex(flight.macKey) }),
    sequence,
  };
}

function optionsOf({ protocol, cipher, mac }: Flight): CryptOptions {
  return { protocol, cipher, ...(mac === undefined ? {} : { mac }) };
}

function joined(records: readonly TraceRecord[], type: number): Buffer {
  return Buffer.concat(
    records.filter((record) => record.type === type).map((record) => hex(record.plaintext)),
  );
}

/** Sends a published flight to a socket of ours and checks what it makes of it. */
export async function checkOpening(flight: Flight, form: KeyForm): Promise<void> {
  const { ours, peer } = await connectedPair();
  const read = new Recorder(ours);
  const messages: Buffer[] = [];
  const onHandshakeMessage = (message: Buffer) => {
    messages.push(message);
  };
  ours.setCrypt({ ...optionsOf(flight), read: keysOf(flight, form, flight.sequence), onHandshakeMessage });
  peer.end(Buffer.concat(flight.records.map((record) => hex(record.record))));
  const whole = flight.records.at(-1)!.type === contentType.alert;
  await until(() => read.ended || read.errors.length > 0, 'end or error');
  assert.deepEqual(read.bytes, joined(flight.records, contentType.applicationData));
  const keyUpdates = flight.records.filter((record) => record.plaintext.startsWith(keyUpdate)).length;
  const handshakes = flight.records.filter((record) => record.type === contentType.handshake).length;
  assert.equal(messages.length, handshakes - keyUpdates);
  assert.equal(ours.crypt?.read?.keyUpdates, keyUpdates);
  if (whole) {
    assert.deepEqual(read.errors, []);
    assert.equal(ours.crypt?.read?.closed, true);
  } else {
    assert.equal((read.errors[0] as NodeJS.ErrnoException).code, 'ERR_SO_CRYPT_TRUNCATED');
  }
}

/** Lets a socket of ours write what the flight says, and checks that the records are those of the flight. */
export async function checkSealing(flight: Flight, form: KeyForm): Promise<void> {
  const { ours, peer } = await connectedPair();
  const wire = new Recorder(peer);
  // A server's tickets come before its data; the library has no tickets to send.
  const first = flight.records.findIndex((record) => !record.plaintext.startsWith(newSessionTicket));
  const records = flight.records.slice(first);
  ours.setCrypt({ ...optionsOf(flight), write: keysOf(flight, form, flight.sequence + first) });
  if (flight.protocol === 'tls1.0') {
    await flushed(ours, joined(records, contentType.applicationData)); // one write, split
  } else {
    for (const { type, plaintext } of records) {
      if (type === contentType.applicationData) await flushed(ours, hex(plaintext));
      if (type === contentType.handshake) ours.keyUpdate(plaintext.endsWith('01'));
    }
  }
  if (records.at(-1)!.type === contentType.alert) ours.end();
  const expected = records.map((record) => record.record).join('');
  await until(() => wire.length >= expected.length / 2, 'all records');
  assert.equal(wire.bytes.toString('hex'), expected);
}
