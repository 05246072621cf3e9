const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;

/** Extension numbers (RFC 6066 4, RFC 7366). */
const MAX_FRAGMENT_LENGTH = 1;
const ENCRYPT_THEN_MAC = 22;

/** What the record layer must know of a hello and OpenSSL does not tell. */
export interface HelloFacts {
  type: 'client' | 'server';
  /** Random, 32 bytes. */
  random: Buffer;
  /** The extension encrypt_then_mac is there (RFC 7366). */
  encryptThenMac: boolean;
  /** Bytes of plaintext by the extension max_fragment_length (RFC 6066 4). */
  maxFragment: number | undefined;
}

/** Collects the plain handshake messages of one direction until the hello in them is whole. */
export class HelloParser {
  #bytes: Buffer = Buffer.alloc(0);
  facts: HelloFacts | undefined;

  /** @param fragment the content of a plain handshake record */
  push(fragment: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? fragment : Buffer.concat([this.#bytes, fragment]);
    while (this.#bytes.length >= 4) {
      const length = 4 + this.#bytes.readUIntBE(1, 3);
      if (this.#bytes.length < length) return;
      // The last one counts: a HelloRetryRequest looks like a ServerHello.
      this.facts = parseHello(this.#bytes.subarray(0, length)) ?? this.facts;
      this.#bytes = this.#bytes.subarray(length);
    }
  }
}

// RFC 8446 4.1.2 and 4.1.3. OpenSSL checks the message; here a short one only must not throw.
function parseHello(message: Buffer): HelloFacts | undefined {
  const type = message[0] === CLIENT_HELLO ? 'client' : message[0] === SERVER_HELLO ? 'server' : undefined;
  if (type === undefined || message.length < 39) return undefined;
  const facts: HelloFacts = {
    type,
    random: Buffer.from(message.subarray(6, 38)),
    encryptThenMac: false,
    maxFragment: undefined,
  };
  try {
    let at = 39 + message.readUInt8(38); // legacy_session_id
    if (type === 'client') {
      at += 2 + message.readUInt16BE(at); // cipher_suites
      at += 1 + message.readUInt8(at); // legacy_compression_methods
    } else {
      at += 3; // cipher_suite, legacy_compression_method
    }
    if (at + 2 > message.length) return facts;
    for (at += 2; at + 4 <= message.length; at += 4 + message.readUInt16BE(at + 2)) {
      const extension = message.readUInt16BE(at);
      if (extension === ENCRYPT_THEN_MAC) facts.encryptThenMac = true;
      if (extension === MAX_FRAGMENT_LENGTH) {
        const code = message.readUInt8(at + 4);
        if (code >= 1 && code <= 4) facts.maxFragment = 256 << code;
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return facts;
}
