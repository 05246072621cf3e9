import type { Algorithms, CipherAlgorithm, MacAlgorithm } from '../../lib/ssh.js';

/** A cipher and, where it needs one, a MAC, by their SSH names. */
export interface SshSuite {
  readonly cipher: CipherAlgorithm;
  readonly mac: MacAlgorithm | undefined;
}

const aeads = ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'chacha20-poly1305@openssh.com'] as const;
const others = [
  'aes128-ctr',
  'aes192-ctr',
  'aes256-ctr',
  'aes128-cbc',
  'aes192-cbc',
  'aes256-cbc',
  '3des-cbc',
] as const;
const macs = [
  'hmac-sha1',
  'hmac-sha1-etm@openssh.com',
  'hmac-sha2-256',
  'hmac-sha2-256-etm@openssh.com',
  'hmac-sha2-512',
  'hmac-sha2-512-etm@openssh.com',
] as const;

/** All that both so-crypt and OpenSSH have. */
export const allSuites: readonly SshSuite[] = [
  ...aeads.map((cipher) => ({ cipher, mac: undefined })),
  ...others.flatMap((cipher) => macs.map((mac) => ({ cipher, mac }))),
];

/** Each cipher and each MAC at least once. */
const someSuites: readonly SshSuite[] = [
  ...aeads.map((cipher) => ({ cipher, mac: undefined })),
  ...others.map((cipher, i) => ({ cipher, mac: macs[(i + 3) % macs.length] })),
];

/** Those to test: all with SO_CRYPT_SSH_SUITES=all. */
export const suites = process.env.SO_CRYPT_SSH_SUITES === 'all' ? allSuites : someSuites;

export const suiteName = ({ cipher, mac }: SshSuite): string => (mac ? `${cipher} ${mac}` : cipher);

/** ssh2's option for just this suite. */
export function onlySuite({ cipher, mac }: SshSuite): Algorithms {
  return { cipher: [cipher], ...(mac && { hmac: [mac] }) };
}

/** ssh's options for just this suite. */
export function sshSuite({ cipher, mac }: SshSuite): string[] {
  return ['-o', `Ciphers=${cipher}`, ...(mac ? ['-o', `MACs=${mac}`] : [])];
}
