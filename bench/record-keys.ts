import { randomBytes } from 'node:crypto';
import type { CryptOptions, DirectionKeys } from '../lib/crypt-options.js';
import type { BenchCipher } from './ciphers.js';

const keyLengths: Record<string, number> = { 'aes-256-gcm': 32, 'chacha20-poly1305': 32 };

/** Random keys of one direction; the same ones for sealing and opening. */
export function randomKeys(cipher: BenchCipher): DirectionKeys {
  const key = randomBytes(keyLengths[cipher.name] ?? 16);
  return cipher.protocol === 'tls1.3' ? { key, iv: randomBytes(12) } : { key, macKey: randomBytes(20) };
}

/** The options of setCrypt, without keys, that a handshake with this cipher leads to. */
export function cryptOf(cipher: BenchCipher): CryptOptions {
  if (cipher.protocol === 'tls1.2') {
    // What OpenSSL negotiates with itself for CBC: encrypt-then-MAC (RFC 7366).
    return { protocol: 'tls1.2', cipher: 'aes-128-cbc', mac: 'hmac-sha1', encryptThenMac: true };
  }
  return { protocol: 'tls1.3', cipher: cipher.name as CryptOptions['cipher'] };
}
