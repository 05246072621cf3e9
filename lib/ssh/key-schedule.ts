import { createHash } from 'node:crypto';
import { SoCryptError } from '../errors.js';
import { hasMethods, type KeyExchange, type Protocol } from './ssh2.js';

/** RFC 4253 7.2: which key is derived with which letter. */
const LETTERS = {
  cs: { iv: 'A', key: 'C', macKey: 'E' },
  sc: { iv: 'B', key: 'D', macKey: 'F' },
} as const;

/** Client to server, and server to client. */
export type Side = keyof typeof LETTERS;

/**
 * The keys of one key exchange. ssh2 hands them to ciphers of its own only; but all they follow from lies open at the moment when it
 * computes the shared secret, and it does no harm to derive them twice.
 */
export class KeySchedule {
  readonly #hash: string;
  /** K, as an mpint with its length. */
  readonly #secret: Buffer;
  /** H */
  readonly #exchangeHash: Buffer;
  readonly #sessionId: Buffer;
  readonly #done = new Set<Side>();

  constructor(kex: KeyExchange, isServer: boolean, secret: Buffer) {
    this.#hash = kex.hashName;
    this.#secret = withLength(secret);
    this.#exchangeHash = exchangeHash(kex, isServer, this.#secret);
    this.#sessionId = kex.sessionID ?? this.#exchangeHash;
  }

  /** Whether ssh2 has found the same; it tells of the first key exchange alone, but what follows depends on that. */
  agreesWith({ sessionID }: KeyExchange): boolean {
    return sessionID?.equals(this.#sessionId) === true;
  }

  derive(side: Side, what: keyof (typeof LETTERS)['cs'], length: number): Buffer {
    const next = (...parts: (Buffer | string)[]): Buffer => {
      const hash = createHash(this.#hash).update(this.#secret).update(this.#exchangeHash);
      for (const part of parts) hash.update(part);
      return hash.digest();
    };
    let bytes = Buffer.alloc(0);
    while (bytes.length < length) {
      const more = bytes.length === 0 ? next(LETTERS[side][what], this.#sessionId) : next(bytes);
      bytes = Buffer.concat([bytes, more]);
    }
    return bytes.subarray(0, length);
  }

  /** That side has its keys; with both the secret is not needed any more. */
  done(side: Side): void {
    this.#done.add(side);
    if (this.#done.size === 2) this.#secret.fill(0);
  }
}

/** Calls back with the keys of a key exchange as soon as they can be derived. @throws SoCryptError ERR_SO_CRYPT_SSH2 */
export function watchKeyExchange(
  kex: KeyExchange,
  { _server: isServer }: Protocol,
  found: (keys: KeySchedule) => void,
): void {
  if (!hasMethods(kex, 'computeSecret', 'getPublicKey', 'convertPublicKey'))
    throw new SoCryptError('ERR_SO_CRYPT_SSH2', "ssh2's key exchange is not as expected");
  const { computeSecret } = kex;
  kex.computeSecret = (otherPublicKey) => {
    const secret = computeSecret.call(kex, otherPublicKey);
    if (secret instanceof Uint8Array) found(new KeySchedule(kex, isServer, secret));
    return secret;
  };
}

// RFC 4253 8, RFC 5656 4, RFC 4419 3
function exchangeHash(kex: KeyExchange, isServer: boolean, secret: Buffer): Buffer {
  const hash = createHash(kex.hashName);
  const add = (...strings: Buffer[]): void => {
    for (const bytes of strings) hash.update(uint32(bytes.length)).update(bytes);
  };
  const [ours, theirs] = [kex.getPublicKey(), kex.convertPublicKey(kex._dhData)];
  const hostKey = kex._hostKey;
  const inOrder = (mine: Buffer, peers: Buffer): [Buffer, Buffer] =>
    isServer ? [peers, mine] : [mine, peers];
  add(...inOrder(kex._identRaw, kex._remoteIdentRaw)); // V_C, V_S
  add(...inOrder(kex._kexinit, kex._remoteKexinit)); // I_C, I_S
  add('getPublicSSH' in hostKey ? hostKey.getPublicSSH() : hostKey); // K_S
  if (kex.type === 'groupex') {
    for (const bits of [kex._minBits, kex._prefBits, kex._maxBits]) hash.update(uint32(bits));
    const { prime, generator } = kex.getDHParams();
    add(prime, generator);
  }
  add(...inOrder(ours, theirs)); // e, f
  return hash.update(secret).digest();
}

function withLength(bytes: Buffer): Buffer {
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
