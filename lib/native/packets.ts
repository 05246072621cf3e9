/** Keys of an SSH direction, as `new SshSealer` and `new SshOpener` take it. */
export interface SshSpec {
  provider: 'evp' | 'af_alg' | 'cryptodev';
  driver: string | undefined;
  /** OpenSSL's names, or chacha20-poly1305@openssh.com. */
  cipher: string;
  mac: string | undefined;
  encryptThenMac: boolean;
  key: Uint8Array;
  iv: Uint8Array;
  macKey: Uint8Array;
  /** Undefined: that of the key before, or 0. */
  sequence: number | undefined;
  /** Packets allowed under the key. */
  limit: number;
}

interface NativeSshDirection {
  /** Of the next packet; it wraps at 2^32. */
  readonly sequence: number;
  /** Under this key. */
  readonly packets: number;
  /** The key's fingerprint. */
  readonly usedKeys: Uint8Array;
  setSequence(sequence: number): void;
  /** Wipes the keys. */
  dispose(): void;
}

export interface SshSealer extends NativeSshDirection {
  /** Most bytes that a packet is longer than its payload. */
  readonly overhead: number;
  /** A packet for each of payloads[from, to) that is not empty; bytes written, or a negative {@link SealStatus}. */
  seal(payloads: readonly Uint8Array[], from: number, to: number, out: Uint8Array): number;
  /** One packet, of a payload in two parts, to `out` from `at` on; as above. */
  sealParts(head: Uint8Array, body: Uint8Array, out: Uint8Array, at: number): number;
}

export interface SshOpener extends NativeSshDirection {
  /** The IV of the next packet, in the first of 16 bytes. */
  readonly iv: Uint8Array;
  /**
   * Opens the packets of `input` from start to end; an {@link SshOpenStatus}. `native.result`: bytes consumed, payloads, bytes kept,
   * bytes missing, packets beyond one for each payload; `native.sshPayloads`: where in `out` they lie.
   *
   * @param mode an {@link SshOpenMode}
   */
  open(input: Uint8Array, start: number, end: number, mode: number, out: Uint8Array): number;
}

/** enum SshOpenMode of native/record/ssh_opener.h. */
export const SshOpenMode = { all: 0, one: 1, joined: 2 } as const;

/** enum SshOpenStatus of native/record/ssh_opener.h. */
export const SshOpenStatus = {
  needMore: 0,
  newKeys: 1,
  capacity: 2,
  badMac: -1,
  tooLong: -2,
  badLength: -3,
  badPadding: -4,
  limit: -5,
  provider: -6,
} as const;
