import type { CipherName } from '../../lib/index.js';

/** The engine under test: the environment variable SO_CRYPT_ENGINE, as the library has it. */
export const engineUnderTest = process.env.SO_CRYPT_ENGINE || 'auto';

const [write, read = write] = engineUnderTest.split('/');

/** Either direction is kTLS's. */
export const isKtls = write === 'ktls' || read === 'ktls';

// What net/tls of every kernel in the lab has. Named here, and not asked for: a cipher that does not work is a failure.
const ktlsCiphers: readonly CipherName[] = ['aes-128-gcm', 'aes-256-gcm', 'aes-128-ccm', 'chacha20-poly1305'];

/** Whether the engine under test has this protocol ('tls1.2', or 'TLSv1.2') with this cipher. */
export function isCarried(protocol: string, cipher: CipherName): boolean {
  return !isKtls || (/1\.[23]$/.test(protocol) && ktlsCiphers.includes(cipher));
}
