import { createHmac } from 'node:crypto';

/** A hash of the TLS cipher suites, by Node's name. */
export type Hash = 'sha1' | 'sha256' | 'sha384';

/**
 * HKDF-Expand-Label of TLS 1.3 (RFC 8446 7.1).
 *
 * @param secret 32 or 48 bytes
 * @param label without "tls13 "
 * @param length of the output in bytes
 */
export function expandLabel(
  hash: Hash,
  secret: Uint8Array,
  label: string,
  length: number,
  context: Uint8Array = new Uint8Array(0),
): Buffer {
  const name = Buffer.from(`tls13 ${label}`, 'latin1');
  const info = Buffer.concat([
    Buffer.of(length >> 8, length & 0xff, name.length),
    name,
    Buffer.of(context.length),
    context,
  ]);
  const output = Buffer.alloc(length);
  let block: Buffer = Buffer.alloc(0);
  for (let at = 0, i = 1; at < length; i++) {
    block = createHmac(hash, secret).update(block).update(info).update(Buffer.of(i)).digest();
    at += block.copy(output, at);
  }
  block.fill(0);
  return output;
}

function expandPrf(hash: string, secret: Uint8Array, seed: Buffer, length: number): Buffer {
  const output = Buffer.alloc(length);
  let a = seed;
  for (let at = 0; at < length; ) {
    a = createHmac(hash, secret).update(a).digest();
    at += createHmac(hash, secret).update(a).update(seed).digest().copy(output, at);
  }
  return output;
}

/**
 * The PRF of TLS 1.2 (RFC 5246 5) with the given hash, or with `hash` undefined that of TLS 1.0 and 1.1 (RFC 2246 5).
 *
 * @param length of the output in bytes
 */
export function prf(
  hash: Hash | undefined,
  secret: Uint8Array,
  label: string,
  seed: Uint8Array,
  length: number,
): Buffer {
  const labelled = Buffer.concat([Buffer.from(label, 'latin1'), seed]);
  if (hash !== undefined) return expandPrf(hash, secret, labelled, length);
  const half = Math.ceil(secret.length / 2);
  const output = expandPrf('md5', secret.subarray(0, half), labelled, length);
  const other = expandPrf('sha1', secret.subarray(secret.length - half), labelled, length);
  for (let i = 0; i < length; i++) output[i]! ^= other[i]!;
  return output;
}
