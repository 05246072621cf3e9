import type { CipherName, MacName, Protocol } from '../crypt-options.js';
import { SoCryptError } from '../errors.js';
import type { Hash } from './key-schedule.js';

/** A cipher suite in the terms of setCrypt. */
export interface Suite {
  protocol: Protocol;
  cipher: CipherName;
  mac: MacName | undefined;
  /** Hash of the PRF or of the key schedule; undefined: that of TLS 1.0 and 1.1. */
  hash: Hash | undefined;
}

const protocols: Readonly<Record<string, Protocol>> = {
  TLSv1: 'tls1.0',
  'TLSv1.1': 'tls1.1',
  'TLSv1.2': 'tls1.2',
  'TLSv1.3': 'tls1.3',
};

const bulk: readonly [part: string, cipher: CipherName][] = [
  ['AES_128_GCM', 'aes-128-gcm'],
  ['AES_256_GCM', 'aes-256-gcm'],
  ['AES_128_CCM_8', 'aes-128-ccm8'],
  ['AES_256_CCM_8', 'aes-256-ccm8'],
  ['AES_128_CCM', 'aes-128-ccm'],
  ['AES_256_CCM', 'aes-256-ccm'],
  ['CHACHA20_POLY1305', 'chacha20-poly1305'],
  ['AES_128_CBC', 'aes-128-cbc'],
  ['AES_256_CBC', 'aes-256-cbc'],
  ['3DES_EDE_CBC', 'des-ede3-cbc'],
];

/**
 * @param version as getProtocol() has it
 * @param name the IANA name, as getCipher().standardName has it
 * @throws SoCryptError ERR_SO_CRYPT_UNSUPPORTED
 */
export function suiteOf(version: string, name: string): Suite {
  const protocol = protocols[version];
  const cipher = bulk.find(([part]) => name.includes(`_${part}`))?.[1];
  if (protocol === undefined || cipher === undefined)
    throw new SoCryptError('ERR_SO_CRYPT_UNSUPPORTED', `No engine carries ${name} of ${version}`, {
      hint: 'Restrict the option ciphers to AES-GCM, AES-CCM, AES-CBC and ChaCha20-Poly1305 suites',
    });
  const suffix = /_SHA(256|384)?$/.exec(name);
  const mac = cipher.endsWith('cbc') ? (`hmac-sha${suffix?.[1] ?? 1}` as MacName) : undefined;
  const modern = protocol === 'tls1.2' || protocol === 'tls1.3';
  return { protocol, cipher, mac, hash: !modern ? undefined : suffix?.[1] === '384' ? 'sha384' : 'sha256' };
}
