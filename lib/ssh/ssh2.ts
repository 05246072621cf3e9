import { createRequire } from 'node:module';
import type * as Ssh2 from 'ssh2';
import { SoCryptError } from '../errors.js';

/** Versions whose inside is as described below. */
const KNOWN = /^1\.17\.\d+$/;
const HINT = 'npm install ssh2@~1.17.0';

/** A cipher of ssh2's: what stands between its packets and the connection. */
export interface Cipher {
  outSeqno: number;
  _onWrite(data: Uint8Array): void;
  /** A buffer with room for a payload of so many bytes from its sixth byte on. */
  allocPacket(payloadLength: number): Buffer;
  /** Takes what {@link allocPacket} gave. */
  encrypt(packet: Buffer): void;
  free(): void;
}

/** The same for reading. */
export interface Decipher {
  inSeqno: number;
  /** ssh2 exchanges it while keys are exchanged. */
  _onPayload(payload: Buffer): unknown;
  /** Takes data[start, end). @returns where it stopped; undefined: at the end */
  decrypt(data: Buffer, start: number, end: number): number | undefined;
  free(): void;
}

/** What was agreed on for one direction. */
export interface Agreed {
  readonly cipher: string;
  /** Empty where the cipher authenticates by itself. */
  readonly mac: string;
  readonly compress: string;
}

/** One key exchange (RFC 4253 7 and 8). */
export interface KeyExchange {
  readonly negotiated: { readonly cs: Agreed; readonly sc: Agreed };
  readonly type: string;
  /** Node's name of the hash. */
  readonly hashName: string;
  /** The exchange hash of the connection's first key exchange, when that is done. */
  readonly sessionID: Buffer | undefined;
  readonly _identRaw: Buffer;
  readonly _remoteIdentRaw: Buffer;
  readonly _kexinit: Buffer;
  readonly _remoteKexinit: Buffer;
  /** A server's is parsed, a client's as it was received. */
  readonly _hostKey: Buffer | { getPublicSSH(): Buffer };
  readonly _dhData: Buffer;
  readonly _minBits: number;
  readonly _prefBits: number;
  readonly _maxBits: number;
  getPublicKey(): Buffer;
  convertPublicKey(key: Buffer): Buffer;
  getDHParams(): { prime: Buffer; generator: Buffer };
  /** Called once, when all of the above is there. */
  computeSecret(otherPublicKey: Buffer): Buffer | Error;
}

/** The transport layer of one connection. */
export interface Protocol {
  readonly _server: boolean;
  _cipher: Cipher;
  _decipher: Decipher | undefined;
  _kex: KeyExchange | undefined;
  /** While keys are exchanged: our SSH_MSG_KEXINIT. */
  readonly _kexinit: Buffer | undefined;
  readonly _strictMode: boolean | undefined;
  readonly _authenticated: boolean;
  /** allocStart: where a payload begins in what a cipher's allocPacket gives; 0 while payloads are compressed. */
  readonly _packetRW: { readonly write: { readonly allocStart: number } };
  readonly _debug: ((message: string) => void) | undefined;
  /** undefined: the connection has failed, though the rest of what has been read may still be parsed. */
  readonly _destruct: unknown;
  rekey(): void;
  disconnect(reason: number): void;
  /** Sends SSH_MSG_CHANNEL_DATA. */
  channelData(channel: number, data: Buffer | string): void;
  /** Sends SSH_MSG_CHANNEL_WINDOW_ADJUST. */
  channelWindowAdjust(channel: number, amount: number): void;
}

/** The package, which is the application's. @throws SoCryptError ERR_SO_CRYPT_SSH2 */
function load(): typeof Ssh2 {
  const require = createRequire(import.meta.url);
  let version: string;
  try {
    ({ version } = require('ssh2/package.json') as { version: string });
  } catch (cause) {
    throw new SoCryptError('ERR_SO_CRYPT_SSH2', 'so-crypt/ssh needs the package ssh2', { hint: HINT, cause });
  }
  if (!KNOWN.test(version))
    throw new SoCryptError('ERR_SO_CRYPT_SSH2', `so-crypt does not know ssh2 ${version}`, { hint: HINT });
  return require('ssh2') as typeof Ssh2;
}

export const ssh2 = load();

/** A connection's transport layer, if its inside is as expected. @throws SoCryptError ERR_SO_CRYPT_SSH2 */
export function protocolOf(connection: object): Protocol {
  const { _protocol: protocol } = connection as { _protocol?: Protocol };
  const isKnown =
    protocol !== undefined &&
    hasMethods(protocol, 'rekey', 'disconnect', 'channelData', 'channelWindowAdjust') &&
    hasMethods(protocol._cipher, '_onWrite', 'allocPacket', 'encrypt', 'free') &&
    ['_decipher', '_kex', '_kexinit', '_strictMode', '_authenticated', '_packetRW', '_destruct'].every(
      (name) => name in protocol,
    );
  if (!isKnown)
    throw new SoCryptError('ERR_SO_CRYPT_SSH2', 'The inside of ssh2 is not as expected', { hint: HINT });
  return protocol;
}

/** What a client, or a server's connection, stands on. */
export function streamOf(connection: object): unknown {
  return (connection as { _sock?: unknown })._sock;
}

/** Whether an object has all of these methods. */
export function hasMethods(value: unknown, ...names: readonly string[]): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    names.every((name) => typeof Reflect.get(value, name) === 'function')
  );
}
