/**
 * A frame given by offsets, as SO_CRYPT was first described (Burnside and Keromytis 2003, section IV): where the length field is,
 * where authentication and encryption start, where MAC, IV and padding go. All offsets are in bytes from the frame's first byte.
 *
 * A frame on the wire:
 *
 *     header | explicit IV | payload | padding | MAC or tag           AEAD, encrypt-then-mac
 *     header | explicit IV | payload | MAC | padding                  mac-then-encrypt
 */
export interface FrameLayout {
  /** The frame's first bytes, 1 … 32; the length field in it is overwritten. A frame whose other bytes differ is refused. */
  header: Uint8Array;
  /** The length field: big-endian, `size` 2, 3 or 4 bytes at `offset` in the header; its value is the frame's whole length minus `bias`. */
  length: { offset: number; size: 2 | 3 | 4; bias: number };
  /** Largest payload of one frame, 1 … 65,536 bytes. Default 16,384. */
  maxPayload?: number;
  /**
   * How the cipher's IV or nonce is made. Only shapes whose nonces never repeat under one key are accepted:
   *
   * - AEAD and CTR: `{ fixed: 12, explicit: 0, xorSequence: true }`, the direction's `iv` with the sequence number XORed into its
   *   last 8 bytes (RFC 8446 5.3), or `{ fixed: 4, explicit: 8 }`, a salt and a counter that each frame carries (RFC 5288 3)
   * - CBC: `{ fixed: 0, explicit: block }`, a random IV that each frame carries
   *
   * CTR ciphers count the blocks of a frame in the IV's last 4 bytes, from 1 (RFC 3686 4).
   */
  iv: { fixed: number; explicit: number; xorSequence?: boolean };
  /** Header bytes that an AEAD cipher authenticates. Default: all. `sequence`: so many bytes of the sequence number before them. */
  aad?: { start: number; end: number; sequence?: 0 | 4 | 8 };
  /** Non-AEAD ciphers. */
  mac?: {
    order: 'mac-then-encrypt' | 'encrypt-then-mac';
    /** Header bytes from here on are covered (`start` … header's end), then all that follows up to the MAC itself. */
    start: number;
    /** Bytes of the sequence number before them: 0, 4 or 8. Default 8. */
    sequence?: 0 | 4 | 8;
    /** Bytes of the MAC that are sent, 10 … its full length. Default the full length. */
    length?: number;
  };
  /** `tls`: RFC 5246 6.2.3.2, each padding byte is the number of the others; `none` needs a stream or AEAD cipher. Default: `tls` for CBC, else `none`. */
  padding?: 'none' | 'tls';
}
