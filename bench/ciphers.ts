import type { SecureVersion } from 'node:tls';

/** A row's cipher: what the table calls it and how OpenSSL is asked for it. */
export interface BenchCipher {
  readonly name: string;
  readonly protocol: 'tls1.2' | 'tls1.3';
  readonly version: SecureVersion;
  readonly suite: string;
}

// One suite and one version each: a trial that negotiated something else would compare different work.
export const ciphers: readonly BenchCipher[] = [
  { name: 'aes-128-gcm', protocol: 'tls1.3', version: 'TLSv1.3', suite: 'TLS_AES_128_GCM_SHA256' },
  { name: 'aes-256-gcm', protocol: 'tls1.3', version: 'TLSv1.3', suite: 'TLS_AES_256_GCM_SHA384' },
  {
    name: 'chacha20-poly1305',
    protocol: 'tls1.3',
    version: 'TLSv1.3',
    suite: 'TLS_CHACHA20_POLY1305_SHA256',
  },
  // SECLEVEL=0: some builds of OpenSSL refuse HMAC-SHA1 suites at their default security level.
  {
    name: 'aes-128-cbc-sha',
    protocol: 'tls1.2',
    version: 'TLSv1.2',
    suite: 'ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0',
  },
];

/** The cipher of the targets, of the handshakes and of the idle connections. */
export const mainCipher = ciphers[0] as BenchCipher;

export function cipherByName(name: string): BenchCipher {
  const cipher = ciphers.find((candidate) => candidate.name === name);
  if (cipher === undefined) throw new RangeError(`no cipher '${name}' in the bench`);
  return cipher;
}
