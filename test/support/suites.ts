import { randomBytes } from 'node:crypto';
import type { CipherName, CryptOptions, DirectionKeys, MacName, Protocol } from '../../lib/crypt-options.js';
import { isCarried } from './engine.js';
import { keyLength, suiteHash, trafficKeys } from './keylog.js';
import { isAead } from './oracle-aead.js';
import { blockLength, macLength } from './oracle-cbc.js';
import { RecordOracle } from './records.js';

/** A protocol with what it protects records with. */
export interface Suite {
  readonly name: string;
  readonly protocol: Protocol;
  readonly cipher: CipherName;
  readonly mac?: MacName;
  readonly encryptThenMac?: boolean;
}

const aead12: CipherName[] = [
  'aes-128-gcm',
  'aes-256-gcm',
  'aes-128-ccm',
  'aes-256-ccm',
  'aes-128-ccm8',
  'aes-256-ccm8',
  'chacha20-poly1305',
];
const aead13: CipherName[] = [
  'aes-128-gcm',
  'aes-256-gcm',
  'aes-128-ccm',
  'aes-128-ccm8',
  'chacha20-poly1305',
];
const cbc: CipherName[] = ['aes-128-cbc', 'aes-256-cbc', 'des-ede3-cbc'];
const cbcMacs12: [CipherName, MacName][] = [
  ...cbc.map((cipher): [CipherName, MacName] => [cipher, 'hmac-sha1']),
  ['aes-128-cbc', 'hmac-sha256'],
  ['aes-256-cbc', 'hmac-sha256'],
  ['aes-256-cbc', 'hmac-sha384'],
];

function cbcSuites(protocol: Protocol, pairs: [CipherName, MacName][]): Suite[] {
  return pairs.flatMap(([cipher, mac]) =>
    [false, true].map((encryptThenMac) => ({
      name: `${protocol} ${cipher} ${mac}${encryptThenMac ? ' encrypt-then-MAC' : ''}`,
      protocol,
      cipher,
      mac,
      encryptThenMac,
    })),
  );
}

/** Suites of TLS 1.3 (RFC 8446 B.4). */
const known13: readonly Suite[] = aead13.map((cipher) => ({
  name: `tls1.3 ${cipher}`,
  protocol: 'tls1.3',
  cipher,
}));

/** Everything that TLS 1.0 to 1.2 has cipher suites for, among the ciphers of the library. */
const known12: readonly Suite[] = [
  ...aead12.map((cipher): Suite => ({ name: `tls1.2 ${cipher}`, protocol: 'tls1.2', cipher })),
  ...cbcSuites('tls1.2', cbcMacs12),
  ...cbcSuites(
    'tls1.1',
    cbc.map((cipher) => [cipher, 'hmac-sha1']),
  ),
  ...cbcSuites(
    'tls1.0',
    cbc.map((cipher) => [cipher, 'hmac-sha1']),
  ),
];

const known: readonly Suite[] = [...known13, ...known12];

/** Those that the engine under test has. */
export const allSuites = known.filter(({ protocol, cipher }) => isCarried(protocol, cipher));
export const suites13 = allSuites.filter((suite) => known13.includes(suite));
export const suites12 = allSuites.filter((suite) => known12.includes(suite));

/** Those that it refuses. */
export const refusedSuites = known.filter((suite) => !allSuites.includes(suite));

/** The suite with this name; throws for a name that is none. */
export function suiteNamed(name: string): Suite {
  const suite = known.find((candidate) => candidate.name === name);
  if (suite === undefined) throw new Error(`no suite ${name}`);
  return suite;
}

/** Keys of one direction, for the library and for the oracle. */
export interface Direction {
  readonly keys: DirectionKeys;
  readonly oracle: () => RecordOracle;
}

function ivLength({ protocol, cipher }: Suite): number {
  if (protocol === 'tls1.3' || cipher === 'chacha20-poly1305') return 12;
  if (isAead(cipher)) return 4;
  return protocol === 'tls1.0' ? blockLength(cipher) : 0;
}

/**
 * Fresh random keys. In TLS 1.3 from a traffic secret, which is given to the library alone if `secretOnly`.
 */
export function makeDirection(suite: Suite, secretOnly = false): Direction {
  const { protocol, cipher, mac, encryptThenMac } = suite;
  const keys: DirectionKeys = {};
  if (protocol === 'tls1.3') {
    keys.secret = randomBytes(suiteHash(cipher) === 'sha384' ? 48 : 32);
    if (!secretOnly) Object.assign(keys, trafficKeys(cipher, keys.secret));
  } else {
    keys.key = randomBytes(keyLength(cipher));
    if (ivLength(suite) > 0) keys.iv = randomBytes(ivLength(suite));
    if (mac !== undefined) keys.macKey = randomBytes(macLength(mac));
  }
  const known = protocol === 'tls1.3' ? trafficKeys(cipher, keys.secret!) : { key: keys.key!, iv: keys.iv };
  const { key, iv } = { key: Buffer.from(known.key), iv: known.iv && Buffer.from(known.iv) };
  const macKey = keys.macKey && Buffer.from(keys.macKey);
  return {
    keys,
    oracle: () =>
      new RecordOracle({ protocol, cipher, mac, encryptThenMac, key, iv, macKey, sequence: keys.sequence }),
  };
}

/** What `setCrypt` takes besides keys. */
export function suiteOptions(suite: Suite): CryptOptions {
  const { protocol, cipher, mac, encryptThenMac } = suite;
  return {
    protocol,
    cipher,
    ...(mac === undefined ? {} : { mac }),
    ...(encryptThenMac === undefined ? {} : { encryptThenMac }),
  };
}
