import { test } from 'node:test';
import { checkOpening, checkSealing } from '../support/flights.js';
import type { Flight } from '../vectors/flight.js';
import { rfc8448Flights } from '../vectors/rfc8448.js';

for (const flight of Object.values(rfc8448Flights) as Flight[]) {
  for (const form of ['key', 'secret'] as const) {
    test(`opens ${flight.source}, given the ${form}`, () => checkOpening(flight, form));
    test(`seals ${flight.source}, given the ${form}`, () => checkSealing(flight, form));
  }
}
