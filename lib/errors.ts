/**
 * The stable codes of so-crypt's errors. Programs test `error.code`; the message may be reworded.
 */
export type SoCryptErrorCode =
  /** An option is missing, of the wrong type or out of range. */
  | 'ERR_SO_CRYPT_INVALID_OPTION'
  /** The cipher's name is not one of `ciphers`. */
  | 'ERR_SO_CRYPT_UNKNOWN_CIPHER'
  /** The MAC's name is not one of `macs`. */
  | 'ERR_SO_CRYPT_UNKNOWN_MAC'
  /** The protocol's name is unknown. */
  | 'ERR_SO_CRYPT_UNKNOWN_PROTOCOL'
  /** The engine's name is unknown. */
  | 'ERR_SO_CRYPT_UNKNOWN_ENGINE'
  /** The engine is known and can't work here; the hint says what it needs. */
  | 'ERR_SO_CRYPT_ENGINE_UNAVAILABLE'
  /** The kernel has no driver of that name for the cipher. */
  | 'ERR_SO_CRYPT_UNKNOWN_DRIVER'
  /** The protocol has no such cipher, or the engine can't carry this protocol and cipher. */
  | 'ERR_SO_CRYPT_UNSUPPORTED'
  /** A key has the wrong number of bytes for the cipher. */
  | 'ERR_SO_CRYPT_KEY_LENGTH'
  /** An IV has the wrong number of bytes for the protocol and cipher. */
  | 'ERR_SO_CRYPT_IV_LENGTH'
  /** A MAC key is missing, superfluous, or has the wrong number of bytes. */
  | 'ERR_SO_CRYPT_MAC_KEY_LENGTH'
  /** The sequence number is negative, too large, or would repeat a nonce. */
  | 'ERR_SO_CRYPT_SEQUENCE'
  /** The direction is armed already, and the new arming brings no new key. */
  | 'ERR_SO_CRYPT_ALREADY_ARMED'
  /** The socket is not connected yet (or no longer). */
  | 'ERR_SO_CRYPT_NOT_CONNECTED'
  /** The socket is destroyed, or the direction to arm has ended. */
  | 'ERR_SO_CRYPT_CLOSED'
  /** The cipher's limit of records for one key is reached and the engine has no way to rekey. */
  | 'ERR_SO_CRYPT_KEY_LIMIT'
  /** A record failed authentication: changed on the way, or another key or sequence number. */
  | 'ERR_SO_CRYPT_BAD_RECORD_MAC'
  /** A record is longer than the protocol allows. */
  | 'ERR_SO_CRYPT_RECORD_OVERFLOW'
  /** Bytes that are no record of the protocol: wrong type, version or shape. */
  | 'ERR_SO_CRYPT_BAD_RECORD'
  /** A record of a kind that must not come now. */
  | 'ERR_SO_CRYPT_UNEXPECTED_RECORD'
  /** The peer closed the connection without close_notify: data may be missing at the end. */
  | 'ERR_SO_CRYPT_TRUNCATED'
  /** The peer sent a fatal alert (RFC 8446 6.2); `error.alert` is its number. */
  | 'ERR_SO_CRYPT_ALERT'
  /** The peer sent a KeyUpdate and the socket was armed without the traffic secret. */
  | 'ERR_SO_CRYPT_KEY_UPDATE'
  /** The handshake ended in a state whose keys can't be handed over. */
  | 'ERR_SO_CRYPT_HANDOVER'
  /** The method has no meaning once the SSL object has been let go of. */
  | 'ERR_SO_CRYPT_AFTER_HANDOVER'
  /** A handshake worker has ended with this handshake unfinished, or too many have: the option handshakeWorkers. */
  | 'ERR_SO_CRYPT_HANDSHAKE_WORKER'
  /** sendFile(): the file is shorter than the range that was to be sent, or has become so; `error.bytesSent` tells how far it got. */
  | 'ERR_SO_CRYPT_FILE_TRUNCATED'
  /** so-crypt/ssh: the package ssh2 is missing, or is none of the versions whose inside is known. */
  | 'ERR_SO_CRYPT_SSH2'
  /** The provider under the record layer failed (no memory, no file descriptor, a cipher OpenSSL was built without …). */
  | 'ERR_SO_CRYPT_PROVIDER';

/** Extra facts of a {@link SoCryptError}. */
export interface SoCryptErrorDetails {
  /** What to do about it, one sentence. It is also the end of the message. */
  hint?: string;
  /** AlertDescription (RFC 8446 6, one byte) that was received or sent with this error. */
  alert?: number;
  /** Reason code of SSH_MSG_DISCONNECT (RFC 4253 11.1) that is sent with this error. */
  disconnectReason?: number;
  cause?: unknown;
}

/**
 * The one class of error that so-crypt makes. Errors of system calls stay what Node makes of them
 * (`ECONNRESET`, `EPIPE` …). Neither message nor properties ever hold key material.
 */
export class SoCryptError extends Error {
  readonly code: SoCryptErrorCode;
  readonly hint: string | undefined;
  readonly alert: number | undefined;
  readonly disconnectReason: number | undefined;

  constructor(code: SoCryptErrorCode, message: string, details: SoCryptErrorDetails = {}) {
    super(
      details.hint === undefined ? message : `${message}. ${details.hint}`,
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.name = 'SoCryptError';
    this.code = code;
    this.hint = details.hint;
    this.alert = details.alert;
    this.disconnectReason = details.disconnectReason;
  }
}
