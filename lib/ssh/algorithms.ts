import type { CipherName, MacName } from '../crypt-options.js';
import type { Agreed } from './ssh2.js';

/** Lengths in bytes of what the key exchange derives. */
export interface Algorithms {
  readonly cipher: CipherName;
  readonly mac: MacName | undefined;
  readonly keyLength: number;
  readonly ivLength: number;
  readonly macKeyLength: number;
}

const aead = (keyLength: number, ivLength: number) => ({ keyLength, ivLength, isAead: true });
const withMac = (keyLength: number, ivLength: number) => ({ keyLength, ivLength, isAead: false });

const ciphers: Readonly<Record<string, { keyLength: number; ivLength: number; isAead: boolean }>> = {
  'aes128-gcm@openssh.com': aead(16, 12),
  'aes256-gcm@openssh.com': aead(32, 12),
  'chacha20-poly1305@openssh.com': aead(64, 0),
  'aes128-ctr': withMac(16, 16),
  'aes192-ctr': withMac(24, 16),
  'aes256-ctr': withMac(32, 16),
  'aes128-cbc': withMac(16, 16),
  'aes192-cbc': withMac(24, 16),
  'aes256-cbc': withMac(32, 16),
  '3des-cbc': withMac(24, 8),
};

/** Other names of the same. */
const aliases: Readonly<Record<string, string>> = {
  'aes128-gcm': 'aes128-gcm@openssh.com',
  'aes256-gcm': 'aes256-gcm@openssh.com',
  'rijndael-cbc@lysator.liu.se': 'aes256-cbc',
};

const macs: Readonly<Record<string, number>> = {
  'hmac-sha1': 20,
  'hmac-sha1-etm@openssh.com': 20,
  'hmac-sha2-256': 32,
  'hmac-sha2-256-etm@openssh.com': 32,
  'hmac-sha2-512': 64,
  'hmac-sha2-512-etm@openssh.com': 64,
};

/** What was agreed on, if our record layer has it. */
export function algorithmsOf({ cipher: agreed, mac }: Agreed): Algorithms | undefined {
  const cipher = aliases[agreed] ?? agreed;
  const facts = ciphers[cipher];
  if (facts === undefined) return undefined;
  const { keyLength, ivLength, isAead } = facts;
  const common = { cipher: cipher as CipherName, keyLength, ivLength };
  if (isAead) return { ...common, mac: undefined, macKeyLength: 0 };
  const macKeyLength = macs[mac];
  return macKeyLength === undefined ? undefined : { ...common, mac: mac as MacName, macKeyLength };
}
