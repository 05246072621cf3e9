import {
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  createHmac,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { bytes } from '../../support/oracle-keys.js';
import { type InfoFields, SSH } from './info.js';

/** A pair of SSH's cipher and MAC; names as in SSH. */
export interface SshSuite {
  readonly cipher: string;
  readonly mac?: string;
}

const macs = ['hmac-sha1', 'hmac-sha2-256', 'hmac-sha2-512'];

export const sshSuites: readonly SshSuite[] = [
  { cipher: 'aes128-gcm@openssh.com' },
  { cipher: 'aes256-gcm@openssh.com' },
  { cipher: 'chacha20-poly1305@openssh.com' },
  ...['aes128-ctr', 'aes192-ctr', 'aes256-ctr', 'aes128-cbc', 'aes256-cbc'].flatMap((cipher) =>
    [...macs, ...macs.map((mac) => `${mac}-etm@openssh.com`)].map((mac) => ({ cipher, mac })),
  ),
];

/** What only userland engines carry, and what is like others. */
export const moreSshSuites: readonly SshSuite[] = ['aes192-ctr', 'aes192-cbc', '3des-cbc'].flatMap((cipher) =>
  ['hmac-sha2-256', 'hmac-sha1-etm@openssh.com'].map((mac) => ({ cipher, mac })),
);

interface SshKeys {
  key: Buffer;
  iv: Buffer;
  macKey: Buffer;
}

const isGcm = (suite: SshSuite) => suite.cipher.includes('gcm');
const isChaCha = (suite: SshSuite) => suite.cipher.startsWith('chacha');
const isDes = (suite: SshSuite) => suite.cipher === '3des-cbc';
const isEtm = (suite: SshSuite) => suite.mac?.includes('-etm') ?? false;
const hashOf = (suite: SshSuite) => /sha1|sha2-(\d+)/.exec(suite.mac!)![0]!.replace('sha2-', 'sha');
const macSize = (suite: SshSuite) => ({ sha1: 20, sha256: 32, sha512: 64 })[hashOf(suite)]!;

/** Packets of one direction, sealed and opened with node:crypto: RFC 4253 6, RFC 5647, OpenSSH's PROTOCOL files. */
export class SshOracle {
  readonly suite: SshSuite;
  readonly keys: SshKeys;
  sequence: bigint;
  /** GCM's invocation counter moves here; CBC's and CTR's state is in the cipher. */
  #iv: Buffer;

  constructor(suite: SshSuite, keys = SshOracle.makeKeys(suite), sequence = 0n) {
    this.suite = suite;
    this.keys = keys;
    this.sequence = sequence;
    this.#iv = Buffer.from(keys.iv);
  }

  static makeKeys(suite: SshSuite): SshKeys {
    const size = isChaCha(suite) ? 64 : isDes(suite) ? 24 : Number(/\d+/.exec(suite.cipher)![0]) / 8;
    return {
      key: randomBytes(size),
      iv: randomBytes(isChaCha(suite) ? 0 : isGcm(suite) ? 12 : isDes(suite) ? 8 : 16),
      macKey: randomBytes(suite.mac ? macSize(suite) : 0),
    };
  }

  /** What arms a direction with the same keys. */
  info(direction: number, more: Partial<InfoFields> = {}): InfoFields {
    const { cipher, mac } = this.suite;
    const name = isChaCha(this.suite) ? cipher : `${cipher.match(/gcm|ctr|cbc/)![0]}(aes)`;
    return {
      protocol: SSH,
      direction,
      flags: isEtm(this.suite) ? 1 : 0,
      key: this.keys.key,
      iv: this.keys.iv,
      macKey: this.keys.macKey,
      sequence: this.sequence,
      cipher: name,
      mac: mac ? `hmac(${hashOf(this.suite)})` : '',
      ...more,
    };
  }

  get tag(): number {
    return this.suite.mac ? macSize(this.suite) : 16;
  }

  get #block(): number {
    return isChaCha(this.suite) || isDes(this.suite) ? 8 : 16;
  }

  /** Whether the length is among what the padding aligns. */
  get #lengthCounts(): boolean {
    return this.suite.mac !== undefined && !isEtm(this.suite);
  }

  #plainPacket(payload: Uint8Array, more = 0): Buffer {
    const before = (this.#lengthCounts ? 5 : 1) + payload.length;
    let padding = this.#block - (before % this.#block);
    if (padding < 4) padding += this.#block;
    padding += more * this.#block;
    const length = 1 + payload.length + padding;
    return Buffer.concat([bytes(length, 4), bytes(padding, 1), payload, randomBytes(padding)]);
  }

  seal(payload: Uint8Array, { morePadding = 0 } = {}): Buffer {
    return this.sealPacket(this.#plainPacket(payload, morePadding));
  }

  /** The same for a packet of one's own: length, padding length, payload, padding. */
  sealPacket(packet: Buffer): Buffer {
    const sequence = this.sequence++;
    if (isChaCha(this.suite)) return this.#sealChaCha(packet, sequence);
    if (isGcm(this.suite)) {
      const cipher = createCipheriv(this.#name() as CipherGCMTypes, this.keys.key, this.#nextNonce());
      cipher.setAAD(packet.subarray(0, 4));
      return Buffer.concat([
        packet.subarray(0, 4),
        cipher.update(packet.subarray(4)),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
    }
    if (isEtm(this.suite)) {
      const sealed = Buffer.concat([packet.subarray(0, 4), this.#stream(packet.subarray(4), true)]);
      return Buffer.concat([sealed, this.#mac(sequence, sealed)]);
    }
    return Buffer.concat([this.#stream(packet, true), this.#mac(sequence, packet)]);
  }

  /** The payload of the first packet, and what is behind the packet. Throws when it is not genuine. */
  open(wire: Buffer): { payload: Buffer; rest: Buffer } {
    const sequence = this.sequence++;
    if (isChaCha(this.suite)) return this.#openChaCha(wire, sequence);
    if (this.#lengthCounts) {
      const first = this.#stream(wire.subarray(0, this.#block), false);
      const end = 4 + first.readUInt32BE(0);
      const packet = Buffer.concat([first, this.#stream(wire.subarray(this.#block, end), false)]);
      check(this.#mac(sequence, packet), wire.subarray(end, end + this.tag));
      return { payload: payloadOf(packet), rest: wire.subarray(end + this.tag) };
    }
    const end = 4 + wire.readUInt32BE(0);
    const tag = wire.subarray(end, end + this.tag);
    const rest = wire.subarray(end + this.tag);
    if (isGcm(this.suite)) {
      const cipher = createDecipheriv(this.#name() as CipherGCMTypes, this.keys.key, this.#nextNonce());
      cipher.setAAD(wire.subarray(0, 4));
      cipher.setAuthTag(tag);
      const body = Buffer.concat([cipher.update(wire.subarray(4, end)), cipher.final()]);
      return { payload: payloadOf(Buffer.concat([wire.subarray(0, 4), body])), rest };
    }
    check(this.#mac(sequence, wire.subarray(0, end)), tag);
    const packet = Buffer.concat([wire.subarray(0, 4), this.#stream(wire.subarray(4, end), false)]);
    return { payload: payloadOf(packet), rest };
  }

  #name(): string {
    if (isDes(this.suite)) return 'des-ede3-cbc';
    const [, bits, mode] = /aes(\d+)-(\w+)/.exec(this.suite.cipher)!;
    return `aes-${bits}-${mode}`;
  }

  #nextNonce(): Buffer {
    const nonce = Buffer.from(this.#iv);
    this.#iv.writeBigUInt64BE(BigInt.asUintN(64, this.#iv.readBigUInt64BE(4) + 1n), 4);
    return nonce;
  }

  /** CBC and CTR go on from packet to packet. */
  #stream(data: Buffer, sealing: boolean): Buffer {
    if (data.length === 0) return data;
    const make = sealing ? createCipheriv : createDecipheriv;
    const cipher = make(this.#name(), this.keys.key, this.#iv).setAutoPadding(false);
    const out = cipher.update(data);
    if (this.#name().endsWith('cbc')) this.#iv = Buffer.from((sealing ? out : data).subarray(-this.#block));
    else {
      const counter = BigInt(`0x${this.#iv.toString('hex')}`) + BigInt(data.length / 16);
      this.#iv = bytes(BigInt.asUintN(128, counter), 16);
    }
    return out;
  }

  #mac(sequence: bigint, data: Buffer): Buffer {
    return createHmac(hashOf(this.suite), this.keys.macKey).update(bytes(sequence, 4)).update(data).digest();
  }

  #chacha(key: Buffer, counter: number, sequence: bigint, data: Buffer): Buffer {
    const iv = Buffer.alloc(16);
    iv.writeUInt32LE(counter, 0);
    iv.writeBigUInt64BE(sequence, 8);
    return createCipheriv('chacha20', key, iv).update(data);
  }

  #poly(sequence: bigint, data: Buffer): Buffer {
    return poly1305(this.#chacha(this.keys.key.subarray(0, 32), 0, sequence, Buffer.alloc(32)), data);
  }

  #sealChaCha(packet: Buffer, sequence: bigint): Buffer {
    const length = this.#chacha(this.keys.key.subarray(32), 0, sequence, packet.subarray(0, 4));
    const body = this.#chacha(this.keys.key.subarray(0, 32), 1, sequence, packet.subarray(4));
    const sealed = Buffer.concat([length, body]);
    return Buffer.concat([sealed, this.#poly(sequence, sealed)]);
  }

  #openChaCha(wire: Buffer, sequence: bigint): { payload: Buffer; rest: Buffer } {
    const length = this.#chacha(this.keys.key.subarray(32), 0, sequence, wire.subarray(0, 4));
    const end = 4 + length.readUInt32BE(0);
    check(this.#poly(sequence, wire.subarray(0, end)), wire.subarray(end, end + 16));
    const body = this.#chacha(this.keys.key.subarray(0, 32), 1, sequence, wire.subarray(4, end));
    return { payload: payloadOf(Buffer.concat([length, body])), rest: wire.subarray(end + 16) };
  }
}

function payloadOf(packet: Buffer): Buffer {
  const padding = packet[4]!;
  if (padding < 4) throw new Error(`${padding} bytes of padding`);
  return packet.subarray(5, packet.length - padding);
}

function check(expected: Buffer, found: Buffer): void {
  if (found.length !== expected.length || !timingSafeEqual(expected, found)) throw new Error('bad MAC');
}

/** RFC 8439 2.5 */
function poly1305(key: Buffer, data: Buffer): Buffer {
  const little = (b: Buffer) => BigInt(`0x${Buffer.from(b).reverse().toString('hex') || '0'}`);
  const r = little(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  const p = (1n << 130n) - 5n;
  let sum = 0n;
  for (let at = 0; at < data.length; at += 16) {
    const block = data.subarray(at, at + 16);
    sum = ((sum + little(block) + (1n << BigInt(8 * block.length))) * r) % p;
  }
  return bytes(BigInt.asUintN(128, sum + little(key.subarray(16))), 16).reverse();
}
