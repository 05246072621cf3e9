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
  /** How the cipher's IV or nonce is made. */
  iv: {
    /** Bytes of the IV that come from the direction's `iv`. The rest is `explicit`. */
    fixed: number;
    /** Bytes of it that each frame carries after its header: 0, 8 (a counter) or one block of a CBC or CTR cipher (random). */
    explicit: number;
    /** XOR the sequence number into the last 8 bytes (RFC 8446 5.3); with `explicit` 0, AEAD only. */
    xorSequence?: boolean;
  };
  /** Which header bytes an AEAD cipher authenticates. Default: the whole header. `sequence` puts that many bytes of the sequence number before them. */
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
