import { constants } from 'node:crypto';
import type nodeTls from 'node:tls';
import type { CipherName, MacName } from '../../lib/index.js';
import { isCarried } from './engine.js';

/** A cipher suite in one version of TLS, with what our socket must say of it. */
export interface TlsSuite {
  readonly name: string;
  readonly version: nodeTls.SecureVersion;
  /** OpenSSL's name, as getCipher().name has it. */
  readonly suite: string;
  readonly cipher: CipherName;
  readonly mac?: MacName;
  /** CBC: whether both ends use encrypt-then-MAC. */
  readonly encryptThenMac?: boolean;
}

const suites13: [string, CipherName][] = [
  ['TLS_AES_128_GCM_SHA256', 'aes-128-gcm'],
  ['TLS_AES_256_GCM_SHA384', 'aes-256-gcm'],
  ['TLS_CHACHA20_POLY1305_SHA256', 'chacha20-poly1305'],
  ['TLS_AES_128_CCM_SHA256', 'aes-128-ccm'],
  ['TLS_AES_128_CCM_8_SHA256', 'aes-128-ccm8'],
];

const aead12: [string, CipherName][] = [
  ['ECDHE-ECDSA-AES128-GCM-SHA256', 'aes-128-gcm'],
  ['ECDHE-RSA-AES128-GCM-SHA256', 'aes-128-gcm'],
  ['ECDHE-ECDSA-AES256-GCM-SHA384', 'aes-256-gcm'],
  ['AES256-GCM-SHA384', 'aes-256-gcm'],
  ['ECDHE-ECDSA-CHACHA20-POLY1305', 'chacha20-poly1305'],
  ['ECDHE-ECDSA-AES128-CCM', 'aes-128-ccm'],
  ['ECDHE-ECDSA-AES256-CCM', 'aes-256-ccm'],
  ['ECDHE-ECDSA-AES128-CCM8', 'aes-128-ccm8'],
  ['ECDHE-ECDSA-AES256-CCM8', 'aes-256-ccm8'],
];

const sha1: [string, CipherName, MacName][] = [
  ['ECDHE-ECDSA-AES128-SHA', 'aes-128-cbc', 'hmac-sha1'],
  ['ECDHE-ECDSA-AES256-SHA', 'aes-256-cbc', 'hmac-sha1'],
];

const cbc12: [string, CipherName, MacName][] = [
  ...sha1,
  ['AES128-SHA', 'aes-128-cbc', 'hmac-sha1'],
  ['ECDHE-ECDSA-AES128-SHA256', 'aes-128-cbc', 'hmac-sha256'],
  ['AES256-SHA256', 'aes-256-cbc', 'hmac-sha256'],
  ['ECDHE-ECDSA-AES256-SHA384', 'aes-256-cbc', 'hmac-sha384'],
];

function aead(version: nodeTls.SecureVersion, suites: [string, CipherName][]): TlsSuite[] {
  return suites.map(([suite, cipher]) => ({ name: `${version} ${suite}`, version, suite, cipher }));
}

function cbc(version: nodeTls.SecureVersion, suites: [string, CipherName, MacName][]): TlsSuite[] {
  return suites.flatMap(([suite, cipher, mac]) =>
    [true, false].map((encryptThenMac) => ({
      name: `${version} ${suite}${encryptThenMac ? ' encrypt-then-MAC' : ''}`,
      version,
      suite,
      cipher,
      mac,
      encryptThenMac,
    })),
  );
}

/** All suites that so-crypt carries and that OpenSSL 3 has. (It is built without 3DES, here and in Node.) */
const known: readonly TlsSuite[] = [
  ...aead('TLSv1.3', suites13),
  ...aead('TLSv1.2', aead12),
  ...cbc('TLSv1.2', cbc12),
  ...cbc('TLSv1.1', sha1),
  ...cbc('TLSv1', sha1),
];

/** Those that the engine under test has. */
export const tlsSuites = known.filter(({ version, cipher }) => isCarried(version, cipher));

/** Options of node:tls and so-crypt/tls that allow this suite only. */
export function suiteOnly({ version, suite, encryptThenMac }: TlsSuite): nodeTls.SecureContextOptions {
  return {
    minVersion: version,
    maxVersion: version,
    ciphers: version === 'TLSv1.3' ? `${suite}:ALL:@SECLEVEL=0` : `${suite}:@SECLEVEL=0`,
    ...(encryptThenMac === false && { secureOptions: constants.SSL_OP_NO_ENCRYPT_THEN_MAC }),
  };
}

/** Arguments of s_client and s_server for the same; encrypt-then-MAC is left to the other end. */
export function suiteArguments({ version, suite }: TlsSuite): string[] {
  const flag = `-${version.toLowerCase().replace('v', '').replace('.', '_')}`;
  return version === 'TLSv1.3'
    ? [flag, '-ciphersuites', suite, '-cipher', 'ALL:@SECLEVEL=0']
    : [flag, '-cipher', `${suite}:@SECLEVEL=0`];
}
