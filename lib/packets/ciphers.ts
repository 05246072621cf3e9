import type { SshCipherName, SshMacName } from './options.js';

/** Facts of an SSH cipher. Lengths in bytes. */
export interface SshCipherFacts {
  /** OpenSSL's name, as the native table (native/providers/ciphers.cc) has it. */
  native: string;
  mode: 'aead' | 'ctr' | 'cbc';
  keyLength: number;
  ivLength: number;
}

function aes(bits: number, mode: 'gcm' | 'ctr' | 'cbc'): SshCipherFacts {
  return {
    native: `aes-${bits}-${mode}`,
    mode: mode === 'gcm' ? 'aead' : mode,
    keyLength: bits / 8,
    ivLength: mode === 'gcm' ? 12 : 16,
  };
}

export const CHACHA = 'chacha20-poly1305@openssh.com';

export const sshCiphers: Readonly<Record<SshCipherName, SshCipherFacts>> = {
  'aes128-gcm@openssh.com': aes(128, 'gcm'),
  'aes256-gcm@openssh.com': aes(256, 'gcm'),
  [CHACHA]: { native: CHACHA, mode: 'aead', keyLength: 64, ivLength: 0 },
  'aes128-ctr': aes(128, 'ctr'),
  'aes192-ctr': aes(192, 'ctr'),
  'aes256-ctr': aes(256, 'ctr'),
  'aes128-cbc': aes(128, 'cbc'),
  'aes192-cbc': aes(192, 'cbc'),
  'aes256-cbc': aes(256, 'cbc'),
  '3des-cbc': { native: 'des-ede3-cbc', mode: 'cbc', keyLength: 24, ivLength: 8 },
};

/** Facts of an SSH MAC; `length` is that of the MAC and of its key. */
export interface SshMacFacts {
  native: 'hmac-sha1' | 'hmac-sha256' | 'hmac-sha512';
  length: number;
  encryptThenMac: boolean;
}

function hmac(native: SshMacFacts['native'], length: number, encryptThenMac: boolean): SshMacFacts {
  return { native, length, encryptThenMac };
}

export const sshMacs: Readonly<Record<SshMacName, SshMacFacts>> = {
  'hmac-sha1': hmac('hmac-sha1', 20, false),
  'hmac-sha2-256': hmac('hmac-sha256', 32, false),
  'hmac-sha2-512': hmac('hmac-sha512', 64, false),
  'hmac-sha1-etm@openssh.com': hmac('hmac-sha1', 20, true),
  'hmac-sha2-256-etm@openssh.com': hmac('hmac-sha256', 32, true),
  'hmac-sha2-512-etm@openssh.com': hmac('hmac-sha512', 64, true),
};

/** Packets under one key, RFC 4344 3.1: then sequence numbers come again. */
export const PACKET_LIMIT = 2 ** 32;

/** Largest packet_length, as OpenSSH has it. */
export const MAX_PACKET = 262_144;

/** Largest payload: with the longest padding that its packet may get. */
export const MAX_PAYLOAD = MAX_PACKET - 1 - 19;
