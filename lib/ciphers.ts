import type { CipherName, MacName, Protocol } from './crypt-options.js';

/** Facts of a cipher; the native table is native/providers/ciphers.cc. Lengths in bytes. */
export interface CipherFacts {
  mode: 'aead' | 'cbc' | 'ctr';
  keyLength: number;
  /** Of the nonce or IV. */
  ivLength: number;
  /** Of the tag; 0 without AEAD. */
  tagLength: number;
  /** TLS 1.2 AEAD: the nonce is IV XOR sequence as in TLS 1.3 (RFC 7905 2), not salt and explicit part (RFC 5288 3). */
  xorNonce: boolean;
  /** Protocols that have it. Custom layouts may use all. */
  protocols: readonly Protocol[];
  /** Records that may be sealed under one key. */
  recordLimit: number;
}

// RFC 8446 5.5 and RFC 9325 4.4: 2^24.5 full records of AES-GCM under one key; CCM has the same bound here.
const AES_AEAD_LIMIT = 23_726_566;
// ChaCha20-Poly1305: the sequence number ends first. CBC: 2^32 blocks of a 16-byte cipher are far from its birthday bound.
const NO_LIMIT = 2 ** 48;
// A 64-bit block cipher under one key, SP 800-67 and "Sweet32": 2^21 full records are 2^32 blocks.
const DES_LIMIT = 2 ** 21;

const TLS12_13: readonly Protocol[] = ['tls1.2', 'tls1.3'];
const TLS10_12: readonly Protocol[] = ['tls1.0', 'tls1.1', 'tls1.2'];

function aesAead(keyLength: number, tagLength = 16): CipherFacts {
  const protocols = TLS12_13;
  return {
    mode: 'aead',
    keyLength,
    ivLength: 12,
    tagLength,
    xorNonce: false,
    protocols,
    recordLimit: AES_AEAD_LIMIT,
  };
}

function cbc(keyLength: number, ivLength = 16, recordLimit = NO_LIMIT): CipherFacts {
  return {
    mode: 'cbc',
    keyLength,
    ivLength,
    tagLength: 0,
    xorNonce: false,
    protocols: TLS10_12,
    recordLimit,
  };
}

function ctr(keyLength: number): CipherFacts {
  return {
    mode: 'ctr',
    keyLength,
    ivLength: 16,
    tagLength: 0,
    xorNonce: false,
    protocols: [],
    recordLimit: NO_LIMIT,
  };
}

/** All ciphers by OpenSSL's names. */
export const ciphers: Readonly<Record<CipherName, CipherFacts>> = {
  'aes-128-gcm': aesAead(16),
  'aes-256-gcm': aesAead(32),
  'aes-128-ccm': aesAead(16),
  'aes-256-ccm': aesAead(32),
  'aes-128-ccm8': aesAead(16, 8),
  'aes-256-ccm8': aesAead(32, 8),
  'chacha20-poly1305': { ...aesAead(32), xorNonce: true, recordLimit: NO_LIMIT },
  'aes-128-cbc': cbc(16),
  'aes-256-cbc': cbc(32),
  'des-ede3-cbc': cbc(24, 8, DES_LIMIT),
  'aes-128-ctr': ctr(16),
  'aes-256-ctr': ctr(32),
};

/** Bytes of each MAC and of its key in TLS. */
export const macs: Readonly<Record<MacName, number>> = {
  'hmac-sha1': 20,
  'hmac-sha256': 32,
  'hmac-sha384': 48,
};

/** The hash of TLS 1.3's key schedule for a cipher (RFC 8446 B.4). */
export function hashOf(cipher: CipherName): 'sha256' | 'sha384' {
  return cipher === 'aes-256-gcm' ? 'sha384' : 'sha256';
}
