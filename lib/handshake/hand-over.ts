import { ciphers, macs } from '../ciphers.js';
import type { CipherName, CryptOptions, DirectionKeys } from '../crypt-options.js';
import { SoCryptError } from '../errors.js';
import { ContentType, tlsLayout } from '../frame-layouts.js';
import { type DirectionSpec, OpenStatus } from '../native/records.js';
import { native } from '../native.js';
import { prf } from './key-schedule.js';
import { recordsIn } from './records.js';
import type { Suite } from './suite.js';
import type { Transcript } from './transcript.js';

/** Secrets by their labels in the key log, with the client's random (the NSS key log format). */
export interface Secrets {
  clientRandom: Buffer;
  byLabel: Map<string, Buffer>;
}

/** What is known when the handshake is done. */
export interface Established {
  suite: Suite;
  isServer: boolean;
  secrets: Secrets;
  sent: Transcript;
  received: Transcript;
  /** The output of OpenSSL's last step. */
  lastOutput: Buffer;
}

/** The options that arm a socket exactly where OpenSSL's SSL object stopped. */
export function cryptOptionsOf(established: Established): CryptOptions {
  const { suite, isServer, sent, received } = established;
  const clientHello = isServer ? received.hello.facts : sent.hello.facts;
  const serverHello = isServer ? sent.hello.facts : received.hello.facts;
  const encryptThenMac = suite.mac !== undefined && serverHello?.encryptThenMac === true;
  const { write, read } =
    suite.protocol === 'tls1.3' ? keys13(established) : keys12(established, encryptThenMac);
  return {
    protocol: suite.protocol,
    cipher: suite.cipher,
    ...(suite.mac && { mac: suite.mac }),
    encryptThenMac,
    // OpenSSL's servers accept the extension whenever a client sends it.
    ...(clientHello?.maxFragment !== undefined && { maxFragment: clientHello.maxFragment }),
    write,
    read,
  };
}

function keys13({ suite, isServer, secrets, lastOutput }: Established): {
  write: DirectionKeys;
  read: DirectionKeys;
} {
  const client = secretOf(secrets, 'CLIENT_TRAFFIC_SECRET_0');
  const server = secretOf(secrets, 'SERVER_TRAFFIC_SECRET_0');
  if (!isServer) return { write: { secret: client }, read: { secret: server } };
  return {
    write: { secret: server, sequence: countTickets(suite, server, lastOutput) },
    read: { secret: client },
  };
}

/**
 * The server's tickets are the first records under its application keys, any number of them. They are opened to be sure: a sequence
 * number that is too low would repeat a nonce.
 */
function countTickets(suite: Suite, secret: Buffer, output: Buffer): number {
  let count = 0;
  if (output.length === 0) return count;
  const opener = new native.Opener({
    ...specOf(suite.cipher, secret),
    applicationType: ContentType.applicationData,
  });
  for (const record of recordsIn(output)) {
    if (record[0] === ContentType.changeCipherSpec) continue;
    const status = opener.open(record, 0, record.length, Buffer.allocUnsafe(record.length));
    if (status !== OpenStatus.control || native.result[2] !== ContentType.handshake)
      throw new SoCryptError(
        'ERR_SO_CRYPT_HANDOVER',
        'What OpenSSL sent after the handshake is no session ticket',
      );
    count++;
  }
  opener.dispose();
  return count;
}

/** TLS 1.3 keys for the addon, from a traffic secret, beginning with the first record. */
export function specOf(cipher: CipherName, secret: Uint8Array): DirectionSpec {
  const nothing = new Uint8Array(0);
  return {
    layout: tlsLayout('tls1.3', cipher).packed,
    cipher,
    mac: undefined,
    key: nothing,
    iv: nothing,
    secret,
    macKey: nothing,
    sequence: 0n,
    explicitCounter: 0n,
    limit: ciphers[cipher].recordLimit,
  };
}

// RFC 5246 6.3: the key block, in the order client, server for MAC keys, keys and IVs.
function keys12(
  { suite, isServer, secrets, sent, received }: Established,
  encryptThenMac: boolean,
): { write: DirectionKeys; read: DirectionKeys } {
  const facts = ciphers[suite.cipher];
  const serverRandom = (isServer ? sent : received).hello.facts?.random;
  if (serverRandom === undefined)
    throw new SoCryptError('ERR_SO_CRYPT_HANDOVER', "The ServerHello's random is not known");
  const macLength = suite.mac === undefined ? 0 : macs[suite.mac];
  const isCbc = facts.mode === 'cbc';
  const ivLength = isCbc ? (suite.protocol === 'tls1.0' ? facts.ivLength : 0) : facts.xorNonce ? 12 : 4;
  const lengths = [macLength, macLength, facts.keyLength, facts.keyLength, ivLength, ivLength];
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const master = secretOf(secrets, 'CLIENT_RANDOM');
  const block = prf(
    suite.hash,
    master,
    'key expansion',
    Buffer.concat([serverRandom, secrets.clientRandom]),
    total,
  );
  let at = 0;
  const parts = lengths.map((length) => {
    at += length;
    return block.subarray(at - length, at);
  });
  const direction = (own: 0 | 1, transcript: Transcript): DirectionKeys => ({
    key: parts[2 + own]!,
    ...(macLength > 0 && { macKey: parts[own]! }),
    ...ivAfter(suite, parts[4 + own]!, transcript, encryptThenMac ? macLength : 0, transcript === sent),
    sequence: transcript.encrypted,
  });
  const own = isServer ? 1 : 0;
  return { write: direction(own, sent), read: direction(own === 1 ? 0 : 1, received) };
}

function ivAfter(
  suite: Suite,
  iv: Buffer,
  transcript: Transcript,
  macBehind: number,
  isWrite: boolean,
): Pick<DirectionKeys, 'iv' | 'explicitNonce'> {
  const { last } = transcript;
  if (last === undefined) throw new SoCryptError('ERR_SO_CRYPT_HANDOVER', 'No Finished record was seen');
  const facts = ciphers[suite.cipher];
  if (facts.mode === 'cbc') {
    if (suite.protocol !== 'tls1.0') return {};
    // The next IV is the last block of ciphertext; with encrypt-then-MAC the MAC stands behind it.
    const end = last.length - macBehind;
    return { iv: Buffer.from(last.subarray(end - facts.ivLength, end)) };
  }
  if (facts.xorNonce || !isWrite) return { iv };
  // OpenSSL's explicit nonces do not start at 0: go on behind that of our Finished.
  return { iv, explicitNonce: BigInt.asUintN(64, last.readBigUInt64BE(5) + 1n) };
}

function secretOf(secrets: Secrets, label: string): Buffer {
  const secret = secrets.byLabel.get(label);
  if (secret === undefined) throw new SoCryptError('ERR_SO_CRYPT_HANDOVER', `OpenSSL has not told ${label}`);
  return secret;
}
