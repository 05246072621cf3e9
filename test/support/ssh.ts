import { randomBytes } from 'node:crypto';
import type net from 'node:net';
import type { SshCipherName, SshCryptOptions, SshDirectionKeys, SshMacName } from '../../lib/index.js';
import { moreSshSuites, SshOracle, type SshSuite, sshSuites } from '../kernel/so_crypt/ssh-oracle.js';
import { engineUnderTest, isPacketCarried } from './engine.js';
import { connectedPair, type Pair } from './sockets.js';

export { SshOracle, type SshSuite };

/** What the engine under test carries. */
export const suites: readonly SshSuite[] = [...sshSuites, ...moreSshSuites].filter(isPacketCarried);

/** One of each kind where the engine under test is emulated with its kernel, else all. */
export const kinds: readonly SshSuite[] =
  engineUnderTest === 'auto' || engineUnderTest === 'evp'
    ? suites
    : [
        'aes128-gcm@openssh.com',
        'chacha20-poly1305@openssh.com',
        'aes256-ctr hmac-sha2-256',
        'aes128-ctr hmac-sha2-512-etm@openssh.com',
        'aes128-cbc hmac-sha1',
        'aes256-cbc hmac-sha2-256-etm@openssh.com',
      ].flatMap((name) => suites.filter((suite) => nameOf(suite) === name));

/** SSH_MSG_ numbers, RFC 4253 12 and RFC 4254 9. */
export const message = { disconnect: 1, ignore: 2, newKeys: 21, windowAdjust: 93, channelData: 94 } as const;

/** SSH_MSG_CHANNEL_DATA (RFC 4254 5.2) with random content. */
export function channelData(channel: number, length: number): Buffer {
  const payload = Buffer.concat([Buffer.alloc(9), randomBytes(length)]);
  payload[0] = message.channelData;
  payload.writeUInt32BE(channel, 1);
  payload.writeUInt32BE(length, 5);
  return payload;
}

/** SSH_MSG_CHANNEL_WINDOW_ADJUST (RFC 4254 5.2). */
export function windowAdjust(channel: number, amount: number): Buffer {
  const payload = Buffer.alloc(9);
  payload[0] = message.windowAdjust;
  payload.writeUInt32BE(channel, 1);
  payload.writeUInt32BE(amount, 5);
  return payload;
}

export function nameOf({ cipher, mac }: SshSuite): string {
  return `${cipher} ${mac ?? ''}`.trim();
}

/** What setCrypt takes of a suite. */
export function cryptOf({ cipher, mac }: SshSuite): Pick<SshCryptOptions, 'protocol' | 'cipher' | 'mac'> {
  return {
    protocol: 'ssh',
    cipher: cipher as SshCipherName,
    ...(mac !== undefined && { mac: mac as SshMacName }),
  };
}

/** An oracle's keys as setCrypt takes them; with its sequence number unless it goes on with that of before. */
export function keysOf({ keys, sequence, suite }: SshOracle, goesOn = false): SshDirectionKeys {
  return {
    key: keys.key,
    iv: keys.iv,
    ...(suite.mac !== undefined && { macKey: keys.macKey }),
    ...(!goesOn && { sequence }),
  };
}

/** Payloads as a socket has delivered them, one for each 'data' event. */
export class Payloads {
  readonly all: Buffer[] = [];
  readonly errors: (Error & { code?: string; disconnectReason?: number })[] = [];
  ended = false;
  closed = false;

  constructor(socket: net.Socket) {
    socket.on('data', (payload: Buffer) => this.all.push(payload));
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('error', (error) => this.errors.push(error));
    socket.on('close', () => {
      this.closed = true;
    });
  }
}

/** A connection whose one end is a socket of ours, armed for SSH in both directions, and whose other end is the test. */
export interface SshPair extends Pair {
  /** Seals what our socket reads. */
  readonly sealer: SshOracle;
  /** Opens what our socket writes. */
  readonly opener: SshOracle;
  /** What our socket has delivered. */
  readonly read: Payloads;
  /** Bytes that our socket has put on the wire. */
  wire(): Buffer;
}

export async function sshPair(
  suite: SshSuite,
  sequence = 0n,
  more: Partial<SshCryptOptions> = {},
): Promise<SshPair> {
  const [sealer, opener] = [
    new SshOracle(suite, undefined, sequence),
    new SshOracle(suite, undefined, sequence),
  ];
  const pair = await connectedPair();
  const wire: Buffer[] = [];
  pair.peer.on('data', (chunk: Buffer) => wire.push(chunk));
  pair.ours.setCrypt({ ...cryptOf(suite), write: keysOf(opener), ...more });
  pair.ours.setCrypt({ ...cryptOf(suite), read: keysOf(sealer), ...more });
  return { ...pair, sealer, opener, read: new Payloads(pair.ours), wire: () => Buffer.concat(wire) };
}

/** Opens all packets of a stream that ends with a packet's end. */
export function openAll(oracle: SshOracle, stream: Buffer): Buffer[] {
  const payloads: Buffer[] = [];
  for (let rest = stream; rest.length > 0; ) {
    const opened = oracle.open(rest);
    oracle.sequence &= 0xffff_ffffn;
    payloads.push(opened.payload);
    rest = opened.rest;
  }
  return payloads;
}

/** Seals payloads, one packet each. */
export function sealAll(oracle: SshOracle, payloads: readonly Uint8Array[], morePadding = 0): Buffer {
  return Buffer.concat(
    payloads.map((payload) => {
      const packet = oracle.seal(payload, { morePadding });
      oracle.sequence &= 0xffff_ffffn;
      return packet;
    }),
  );
}
