import { test } from 'node:test';
import { able, isCarried } from '../support/engine.js';
import { checkOpening, checkSealing } from '../support/flights.js';
import { contentType } from '../support/oracle-keys.js';
import type { Flight } from '../vectors/flight.js';
import { tlsFlights } from '../vectors/tls-records.js';

function hasData(flight: Flight): boolean {
  return flight.records.some((record) => record.type === contentType.applicationData);
}

// A random IV in each record: what is sealed can't be foretold.
function hasRandomIv(flight: Flight): boolean {
  return flight.mac !== undefined && flight.protocol !== 'tls1.0';
}

// The handshake's own records (Finished) are none that an armed socket reads: they are for the oracle alone.
const isPossible = (flight: Flight): boolean =>
  isCarried(flight.protocol, flight.cipher) && (able.changeKeys || !/KeyUpdate/.test(flight.source));

for (const flight of tlsFlights.filter(hasData).filter(isPossible)) {
  const form = flight.secret === undefined ? 'key' : 'secret';
  test(`opens ${flight.source}`, () => checkOpening(flight, form));
  if (!hasRandomIv(flight)) test(`seals ${flight.source}`, () => checkSealing(flight, form));
}
