import type { FrameLayout } from './frame-layout.js';
import type { SshCipherName, SshMacName } from './packets/options.js';

/** TLS: protocols whose record framing {@link CryptOptions} knows by name. SSH has options of its own, {@link SshCryptOptions}. */
export type Protocol = 'tls1.0' | 'tls1.1' | 'tls1.2' | 'tls1.3';

/** What an armed socket carries. */
export type ArmedProtocol = Protocol | 'custom' | 'ssh';

/** OpenSSL's names of the ciphers. Case does not matter. */
export type CipherName =
  | 'aes-128-gcm'
  | 'aes-256-gcm'
  | 'aes-128-ccm'
  | 'aes-256-ccm'
  | 'aes-128-ccm8'
  | 'aes-256-ccm8'
  | 'chacha20-poly1305'
  | 'aes-128-cbc'
  | 'aes-256-cbc'
  | 'des-ede3-cbc'
  | 'aes-128-ctr'
  | 'aes-256-ctr';

/** HMACs (RFC 2104) that go with CBC and CTR ciphers. */
export type MacName = 'hmac-sha1' | 'hmac-sha256' | 'hmac-sha384';

/** What does the record work for an armed socket; `auto` takes the best one for the job on this machine. */
export type EngineName = 'auto' | 'ktls' | 'so_crypt' | 'cryptodev' | 'af_alg' | 'evp';

/** An engine for each direction; one that is left out is `auto`. */
export interface EngineChoice {
  write?: EngineName;
  read?: EngineName;
}

/** Keys of one direction. The Buffers are copied; see `wipe` in {@link CryptOptions}. */
export interface DirectionKeys {
  /**
   * The cipher's key: 16 bytes for AES-128, 32 for AES-256 and ChaCha20, 24 for 3DES. May be left out for TLS 1.3 when
   * `secret` is given.
   */
  key?: Uint8Array;
  /**
   * - AEAD in TLS 1.3, and ChaCha20-Poly1305 in TLS 1.2: write_iv, 12 bytes (RFC 8446 5.3, RFC 7905 2)
   * - GCM and CCM in TLS 1.2: the salt, 4 bytes (RFC 5288 3)
   * - CBC in TLS 1.0: the IV of the next record, one cipher block; TLS 1.1 and 1.2 CBC: none
   * - custom layouts: `iv.fixed` of the layout, in bytes
   */
  iv?: Uint8Array;
  /** Key of the MAC where there is one: 20 (SHA-1), 32 (SHA-256) or 48 (SHA-384) bytes; 1 to 1,024 in a custom layout. */
  macKey?: Uint8Array;
  /**
   * Traffic secret of TLS 1.3 (RFC 8446 7.1), 32 or 48 bytes. With it key and iv are derived, and KeyUpdate works both
   * ways; without it a KeyUpdate from the peer is a fatal error. AES-256-GCM takes SHA-384, all others SHA-256.
   */
  secret?: Uint8Array;
  /** Sequence number of the next record, 0 … 2^64 - 1. Default 0. */
  sequence?: bigint | number;
  /**
   * GCM and CCM in TLS 1.2, write direction: nonce_explicit of the next record (RFC 5288 3), from which it counts up.
   * Default: the sequence number. Whoever takes over a connection in the middle must go on from the last one that was sent.
   */
  explicitNonce?: bigint | number;
}

/** The argument of {@link Socket.setCrypt} for TLS and for layouts of your own, and the option `crypt` of `new Socket()` and `connect()`. */
export interface CryptOptions {
  /** Framing by name. Exactly one of `protocol` and `frame` must be given. */
  protocol?: Protocol;
  /** Framing by offsets, for a protocol of your own. */
  frame?: FrameLayout;
  cipher: CipherName;
  /** Needed with CBC and CTR ciphers, refused with AEAD. */
  mac?: MacName;
  /** TLS 1.0–1.2 CBC: encrypt-then-MAC as negotiated by RFC 7366. Default false (MAC-then-encrypt). */
  encryptThenMac?: boolean;
  /** Arms the write direction: bytes written after the call go out in records; those written before stay as they are. */
  write?: DirectionKeys;
  /** Arms the read direction: every byte the application has not consumed yet is taken for part of a record. */
  read?: DirectionKeys;
  /** Default `auto`; the environment variable SO_CRYPT_ENGINE sets another default ('evp', or 'ktls/evp' for write and read). */
  engine?: EngineName | EngineChoice;
  /**
   * Engines `so_crypt`, `cryptodev` and `af_alg`: the kernel's name of the driver (or, af_alg, algorithm) that does the cipher, e.g.
   * `virtio_crypto_aes_cbc` or `generic-gcm-aesni`; /proc/crypto lists them. Default: the kernel's choice for the cipher.
   */
  driver?: string;
  /** Overwrite the given key Buffers with zeros once they have been taken over. Default false. */
  wipe?: boolean;
  /** Largest number of plaintext bytes in a record, 64 … 16384. Default 16384 (RFC 8446 5.1; smaller: RFC 8449). */
  maxFragment?: number;
  /** TLS 1.3: pad each record's plaintext with zeros to a multiple of this many bytes, 0 … 16384. Default 0, none (RFC 8446 5.4). */
  padTo?: number;
  /**
   * TLS 1.3 on ktls: the peer is known never to pad its records, so the kernel may decrypt into the reader's memory at once
   * (TLS_RX_EXPECT_NO_PAD). Not for peers that you don't know: Linux 6.1 delivers wrong bytes when a record is padded all the same.
   * Default false.
   */
  expectNoPadding?: boolean;
  /**
   * TLS 1.3 with `secret`: send a KeyUpdate after this many records under one key. Default: half the cipher's limit
   * (RFC 8446 5.5), 11,863,283 records for AES-GCM and CCM.
   */
  keyUpdateAfter?: number;
  /**
   * What a FIN without close_notify is: `'error'` (default) destroys the socket with ERR_SO_CRYPT_TRUNCATED; `'end'` ends the
   * stream like node:tls does, with `socket.crypt.read.truncated` true.
   */
  truncation?: 'error' | 'end';
  /**
   * Called for handshake messages that are not so-crypt's own business (all but KeyUpdate): NewSessionTicket and others.
   * Without it tickets are ignored, and anything else is fatal (unexpected_message).
   * @param message one whole handshake message with its 4-byte header (RFC 8446 4)
   */
  onHandshakeMessage?: (message: Buffer) => void;
}

/** State of one armed direction. */
export interface DirectionState {
  /** What carries this direction. */
  readonly engine: Exclude<EngineName, 'auto'>;
  /** Sequence number of the next record. */
  readonly sequence: bigint;
  /** Records done under the present key. */
  readonly records: bigint;
  /** How often a KeyUpdate, or SSH's key exchange, has changed the key. */
  readonly keyUpdates: number;
  /** SSH: that of this direction, which may have another than the other one. */
  readonly cipher?: SshCipherName;
  readonly mac?: SshMacName | undefined;
}

/** State of the armed read direction. */
export interface ReadState extends DirectionState {
  /** close_notify has arrived: the end of the stream is genuine. */
  readonly closed: boolean;
  /** FIN arrived without close_notify. */
  readonly truncated: boolean;
}

/** What `socket.crypt` tells of an armed socket. No keys. */
export interface CryptState {
  /** What carries the write direction, or the read direction where that alone is armed. */
  readonly engine: Exclude<EngineName, 'auto'>;
  /** Engines `af_alg` and `cryptodev`: the kernel's name of the driver, or of the algorithm for which it chose one. */
  readonly driver: string | undefined;
  readonly protocol: ArmedProtocol;
  /** SSH: that of the direction that was armed last. */
  readonly cipher: CipherName | SshCipherName;
  readonly mac: MacName | SshMacName | undefined;
  /** null while the direction is not armed. */
  readonly write: DirectionState | null;
  /** null while the direction is not armed. */
  readonly read: ReadState | null;
  /** Of `engine`: `none`: done in the process; `software`: by the kernel's own code; `device`: by the network card. */
  readonly offload: 'none' | 'software' | 'device';
}
