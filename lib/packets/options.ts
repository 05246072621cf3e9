import type { EngineChoice, EngineName } from '../crypt-options.js';

/** SSH's names of ciphers (RFC 4253 6.3, RFC 4344 4, RFC 5647, OpenSSH). */
export type SshCipherName =
  | 'aes128-ctr'
  | 'aes192-ctr'
  | 'aes256-ctr'
  | 'aes128-gcm@openssh.com'
  | 'aes256-gcm@openssh.com'
  | 'chacha20-poly1305@openssh.com'
  | 'aes128-cbc'
  | 'aes192-cbc'
  | 'aes256-cbc'
  | '3des-cbc';

/** SSH's names of MACs (RFC 4253 6.4, RFC 6668, OpenSSH); for ciphers that do not authenticate themselves. */
export type SshMacName =
  | 'hmac-sha1'
  | 'hmac-sha2-256'
  | 'hmac-sha2-512'
  | 'hmac-sha1-etm@openssh.com'
  | 'hmac-sha2-256-etm@openssh.com'
  | 'hmac-sha2-512-etm@openssh.com';

/** Keys of one direction, as key exchange gives them (RFC 4253 7.2). The Buffers are copied; see `wipe`. */
export interface SshDirectionKeys {
  /**
   * The cipher's key: 16, 24 or 32 bytes for AES, 24 for 3DES. ChaCha20: 64, first that of the payload (K_2) and then that of the
   * length (K_1).
   */
  key: Uint8Array;
  /** GCM: 12 bytes, 4 that stay and the invocation counter (RFC 5647 7.1). CTR and CBC: one cipher block. ChaCha20: none. */
  iv?: Uint8Array;
  /** 20 (SHA-1), 32 (SHA-256) or 64 (SHA-512) bytes; none with GCM and ChaCha20. */
  macKey?: Uint8Array;
  /**
   * Sequence number of the next packet, 0 … 2^32 - 1. Default: an armed direction goes on with its own, one that is not armed yet begins
   * with 0. (Plain packets of before count; with strict key exchange it begins with 0 each time.)
   */
  sequence?: bigint | number;
  /**
   * Reading: what tells that the key changes. `detect` (default): a payload whose first byte is SSH_MSG_NEWKEYS (21). `each`: anything
   * may, because payloads are compressed; each packet is opened only when the 'data' event of the one before it has returned, under the
   * key of then. Not with a kernel engine.
   */
  newKeys?: 'detect' | 'each';
}

/**
 * The argument of {@link Socket.setCrypt} for SSH's binary packets (RFC 4253 6). From then on each chunk that is written is the payload
 * of one packet, and each 'data' event brings one payload. A direction that is armed already gets new keys: what was written before goes
 * out under the old ones, and what comes behind SSH_MSG_NEWKEYS waits for the new ones.
 */
export interface SshCryptOptions {
  protocol: 'ssh';
  cipher: SshCipherName;
  /** Needed with CTR and CBC, refused with GCM and ChaCha20. */
  mac?: SshMacName;
  /** Arms the write direction. */
  write?: SshDirectionKeys;
  /** Arms the read direction: every byte the application has not consumed yet is taken for part of a packet. */
  read?: SshDirectionKeys;
  /** As for TLS; ktls has no SSH. */
  engine?: EngineName | EngineChoice;
  /** As for TLS. */
  driver?: string;
  /** Overwrite the given key Buffers with zeros once they have been taken over. Default false. */
  wipe?: boolean;
}
