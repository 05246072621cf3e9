import { createHmac } from 'node:crypto';
import type { CipherName, MacName, Protocol } from '../../lib/crypt-options.js';
import { isAead } from './oracle-aead.js';
import { blockLength, macLength } from './oracle-cbc.js';
import { bytes } from './oracle-keys.js';

/** One line of an NSS key log (SSLKEYLOGFILE). */
export interface KeylogLine {
  readonly label: string;
  readonly clientRandom: Buffer;
  readonly secret: Buffer;
}

/** Skips comments and empty lines; throws at anything else that is no key log. */
export function parseKeylog(text: string): KeylogLine[] {
  return text
    .split(/\r?\n/)
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const match = /^([A-Z0-9_]+) ([0-9a-f]{64}) ([0-9a-f]+)$/i.exec(line);
      if (match === null) throw new Error(`not a key log line: ${line}`);
      const [, label, random, secret] = match;
      return {
        label: label!,
        clientRandom: Buffer.from(random!, 'hex'),
        secret: Buffer.from(secret!, 'hex'),
      };
    });
}

/** The last secret with this label; throws when there is none. */
export function keylogSecret(lines: readonly KeylogLine[], label: string): Buffer {
  const line = lines.findLast((candidate) => candidate.label === label);
  if (line === undefined) throw new Error(`no ${label} in the key log`);
  return line.secret;
}

/** The hash of a TLS 1.3 cipher suite. */
export function suiteHash(cipher: CipherName): 'sha256' | 'sha384' {
  return cipher === 'aes-256-gcm' ? 'sha384' : 'sha256';
}

export function keyLength(cipher: CipherName): number {
  if (cipher === 'des-ede3-cbc') return 24;
  return cipher.includes('128') ? 16 : 32;
}

function hmacOf(hash: string, key: Uint8Array, ...parts: Uint8Array[]): Buffer {
  const computation = createHmac(hash, key);
  for (const part of parts) computation.update(part);
  return computation.digest();
}

/** RFC 8446 7.1, with an empty context. */
export function expandLabel(hash: string, secret: Uint8Array, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`, 'latin1');
  const info = Buffer.concat([bytes(length, 2), bytes(name.length, 1), name, bytes(0, 1)]);
  let block: Uint8Array = Buffer.alloc(0);
  let out: Buffer = Buffer.alloc(0);
  for (let i = 1; out.length < length; i++) {
    block = hmacOf(hash, secret, block, info, bytes(i, 1));
    out = Buffer.concat([out, block]);
  }
  return out.subarray(0, length);
}

/** RFC 8446 7.3: key and IV of a traffic secret. */
export function trafficKeys(cipher: CipherName, secret: Uint8Array): { key: Buffer; iv: Buffer } {
  const hash = suiteHash(cipher);
  return {
    key: expandLabel(hash, secret, 'key', keyLength(cipher)),
    iv: expandLabel(hash, secret, 'iv', 12),
  };
}

/** RFC 8446 7.2: the secret after a KeyUpdate. */
export function nextSecret(cipher: CipherName, secret: Uint8Array): Buffer {
  return expandLabel(suiteHash(cipher), secret, 'traffic upd', secret.length);
}

function expandHash(hash: string, secret: Uint8Array, seed: Uint8Array, length: number): Buffer {
  let a: Uint8Array = seed;
  let out: Buffer = Buffer.alloc(0);
  while (out.length < length) {
    a = hmacOf(hash, secret, a);
    out = Buffer.concat([out, hmacOf(hash, secret, a, seed)]);
  }
  return out.subarray(0, length);
}

/** RFC 5246 5; RFC 2246 5 when the hash is `md5sha1`. */
export function prf(
  hash: string,
  secret: Uint8Array,
  label: string,
  seed: Uint8Array,
  length: number,
): Buffer {
  const labelled = Buffer.concat([Buffer.from(label, 'latin1'), seed]);
  if (hash !== 'md5sha1') return expandHash(hash, secret, labelled, length);
  const half = Math.ceil(secret.length / 2);
  const sha1 = expandHash('sha1', secret.subarray(secret.length - half), labelled, length);
  const md5 = expandHash('md5', secret.subarray(0, half), labelled, length);
  return Buffer.from(md5.map((byte, i) => byte ^ sha1[i]!));
}

/** What the key block of TLS 1.0 to 1.2 depends on. */
export interface KeyBlockInput {
  readonly protocol: Exclude<Protocol, 'tls1.3'>;
  readonly cipher: CipherName;
  readonly mac?: MacName | undefined;
  readonly masterSecret: Uint8Array;
  readonly clientRandom: Uint8Array;
  readonly serverRandom: Uint8Array;
}

/** Keys of one direction. */
export interface KeyBlockSide {
  readonly key: Buffer;
  readonly iv: Buffer;
  readonly macKey: Buffer;
}

function prfHash({ protocol, cipher, mac }: KeyBlockInput): string {
  if (protocol !== 'tls1.2') return 'md5sha1';
  return cipher === 'aes-256-gcm' || mac === 'hmac-sha384' ? 'sha384' : 'sha256';
}

function fixedIvLength({ protocol, cipher }: KeyBlockInput): number {
  if (isAead(cipher)) return cipher.includes('poly') ? 12 : 4;
  return protocol === 'tls1.0' ? blockLength(cipher) : 0;
}

/** RFC 5246 6.3. */
export function keyBlock(input: KeyBlockInput): { client: KeyBlockSide; server: KeyBlockSide } {
  const { mac, cipher, masterSecret, clientRandom, serverRandom } = input;
  const sizes = [mac === undefined ? 0 : macLength(mac), keyLength(cipher), fixedIvLength(input)];
  const seed = Buffer.concat([serverRandom, clientRandom]);
  const length = 2 * sizes.reduce((sum, size) => sum + size, 0);
  const block = prf(prfHash(input), masterSecret, 'key expansion', seed, length);
  const parts = sizes.flatMap((size, i) => {
    const start = 2 * sizes.slice(0, i).reduce((sum, other) => sum + other, 0);
    return [block.subarray(start, start + size), block.subarray(start + size, start + 2 * size)];
  });
  const side = (i: number) => ({ macKey: parts[i]!, key: parts[2 + i]!, iv: parts[4 + i]! });
  return { client: side(0), server: side(1) };
}
