import type { EngineChoice, EngineName } from '../crypt-options.js';
import { resolveEngine } from '../engines.js';
import { SoCryptError } from '../errors.js';
import { UserlandPacketReader } from '../packets/reader.js';
import type { Socket } from '../socket.js';
import { kState } from '../socket-internals.js';
import { type Algorithms, algorithmsOf } from './algorithms.js';
import { channelDataInParts, windowAdjustAlone } from './channel-data.js';
import { SocketCipher, SocketDecipher } from './directions.js';
import { type KeySchedule, type Side, watchKeyExchange } from './key-schedule.js';
import type { Cipher, Decipher, KeyExchange, Protocol } from './ssh2.js';

/** What carries a connection's packets. */
export interface EngineOptions {
  /** Default `auto`; the environment variable SO_CRYPT_ENGINE sets another default. */
  engine?: EngineName | EngineChoice | undefined;
  /** The kernel's name of a driver, for the engines `so_crypt`, `cryptodev` and `af_alg`. */
  driver?: string | undefined;
  /** Packets in one direction after which keys are exchanged anew, 1,000 … 2^31. Default 2^31 (RFC 4344 3.1). */
  rekeyAfter?: number | undefined;
}

/** @throws SoCryptError */
export function checkOptions({ engine, driver, rekeyAfter }: EngineOptions): void {
  resolveEngine(engine, driver);
  if (rekeyAfter === undefined) return;
  if (!Number.isInteger(rekeyAfter) || rekeyAfter < 1000 || rekeyAfter > REKEY_AFTER)
    throw new SoCryptError('ERR_SO_CRYPT_INVALID_OPTION', 'rekeyAfter is out of range', {
      hint: 'It must be a whole number of packets from 1,000 to 2^31',
    });
}

const REKEY_AFTER = 2 ** 31;

const MSG_NEWKEYS = 21;
const NOTHING = Buffer.alloc(0);

/**
 * Gives the packets of one ssh2 connection to its socket. Whenever ssh2 puts a new cipher in place, the socket's write direction gets
 * the key instead, and ssh2 a cipher that hands payloads on; likewise for reading. Nothing else of ssh2 changes, and no other connection.
 */
export class PacketLayer {
  readonly #protocol: Protocol;
  readonly #socket: Socket;
  readonly #options: EngineOptions;
  #kex: KeyExchange | undefined;
  #keys: KeySchedule | undefined;
  #cipher: Cipher;
  #decipher: Decipher | undefined;

  constructor(protocol: Protocol, socket: Socket, options: EngineOptions) {
    this.#protocol = protocol;
    this.#socket = socket;
    this.#options = options;
    this.#cipher = protocol._cipher;
    this.#decipher = protocol._decipher;
    const accessor = <K extends '_cipher' | '_decipher' | '_kex'>(
      name: K,
      get: () => Protocol[K],
      set: (value: Protocol[K]) => void,
    ): void => {
      Object.defineProperty(protocol, name, { get, set, enumerable: true, configurable: true });
    };
    accessor(
      '_kex',
      () => this.#kex,
      (kex) => this.#begin(kex!),
    );
    accessor(
      '_cipher',
      () => this.#cipher,
      (cipher) => {
        this.#cipher = this.#write(cipher);
      },
    );
    accessor(
      '_decipher',
      () => this.#decipher,
      (decipher) => {
        this.#decipher = this.#read(decipher!);
      },
    );
    channelDataInParts(protocol);
    windowAdjustAlone(protocol);
  }

  #begin(kex: KeyExchange): void {
    this.#kex = kex;
    watchKeyExchange(kex, this.#protocol, (keys) => {
      this.#keys = keys;
    });
  }

  // ssh2 calls it when SSH_MSG_NEWKEYS is on its way.
  #write(given: Cipher): Cipher {
    if (this.#protocol._destruct === undefined) return given;
    const side = this.#protocol._server ? 'sc' : 'cs';
    const isArmed = this.#cipher instanceof SocketCipher;
    const algorithms = this.#algorithms(side, isArmed);
    if (algorithms === undefined) return given;
    given.free();
    this.#arm('write', side, algorithms, this.#sequence(given.outSeqno, isArmed));
    return new SocketCipher(given, this.#socket, (packets) => this.#exchangeInTime(packets));
  }

  // ssh2 calls it while it handles SSH_MSG_NEWKEYS; before that, with the decipher of the plain packets.
  #read(given: Decipher): Decipher {
    if (this.#kex === undefined || this.#protocol._destruct === undefined) return given;
    const side = this.#protocol._server ? 'cs' : 'sc';
    const isArmed = this.#decipher instanceof SocketDecipher;
    const algorithms = this.#algorithms(side, isArmed);
    if (algorithms === undefined) return given;
    given.free();
    const arm = (): void => this.#arm('read', side, algorithms, this.#sequence(given.inSeqno, isArmed));
    const decipher = new SocketDecipher(
      given,
      (rest) => this.#putBack(rest, arm),
      (payload, packets) => {
        this.#exchangeInTime(packets);
        if (!algorithms.isCompressed) this.#refuseStrayNewKeys(decipher, payload);
      },
      () => this.#reader?.takeJoined() ?? 0,
    );
    // An armed socket waits for this key. Else what ssh2 has read beyond the packet comes to the decipher as soon as this returns.
    if (isArmed) decipher.start(NOTHING);
    else process.nextTick(() => decipher.start(NOTHING));
    return decipher;
  }

  #algorithms(side: Side, isArmed: boolean): Algorithms | undefined {
    const agreed = this.#kex!.negotiated[side];
    const algorithms = algorithmsOf(agreed);
    if (algorithms !== undefined) return algorithms;
    const { engine } = this.#options;
    const isNamed = (engine ?? process.env.SO_CRYPT_ENGINE ?? 'auto') !== 'auto';
    if (isArmed || isNamed)
      this.#socket.destroy(
        new SoCryptError(
          'ERR_SO_CRYPT_UNSUPPORTED',
          `No engine of so-crypt has ${[agreed.cipher, agreed.mac].filter(Boolean).join(' with ')}`,
          { hint: "Leave it out of the option algorithms, or name no engine, and ssh2's own code does it" },
        ),
      );
    return undefined;
  }

  // An armed direction counts by itself.
  #sequence(counted: number, isArmed: boolean): number | undefined {
    if (this.#protocol._strictMode === true) return 0;
    return isArmed ? undefined : counted;
  }

  #arm(direction: 'write' | 'read', side: Side, algorithms: Algorithms, sequence: number | undefined): void {
    const { cipher, mac, keyLength, ivLength, macKeyLength, isCompressed } = algorithms;
    const keys = this.#keys;
    const { engine, driver } = this.#options;
    try {
      if (keys === undefined || !keys.agreesWith(this.#kex!))
        throw new SoCryptError('ERR_SO_CRYPT_SSH2', "ssh2's keys are not as expected");
      this.#socket.setCrypt({
        protocol: 'ssh',
        cipher,
        ...(mac !== undefined && { mac }),
        ...(engine !== undefined && { engine }),
        ...(driver !== undefined && { driver }),
        wipe: true,
        [direction]: {
          key: keys.derive(side, 'key', keyLength),
          ...(ivLength > 0 && { iv: keys.derive(side, 'iv', ivLength) }),
          ...(mac !== undefined && { macKey: keys.derive(side, 'macKey', macKeyLength) }),
          ...(sequence !== undefined && { sequence }),
          ...(direction === 'read' && isCompressed && { newKeys: 'each' }),
        },
      });
      if (direction === 'read') this.#reader?.joinChannelMessages();
      keys.done(side);
    } catch (error) {
      this.#socket.destroy(error as Error);
    }
  }

  get #reader(): UserlandPacketReader | undefined {
    const reader = this.#socket[kState]?.records?.reader;
    return reader instanceof UserlandPacketReader ? reader : undefined;
  }

  #putBack(rest: Buffer, arm: () => void): void {
    const socket = this.#socket;
    const flows = socket.readableFlowing === true;
    if (rest.length > 0) {
      socket.pause();
      socket.unshift(rest);
    }
    arm();
    if (flows) socket.resume();
  }

  // ssh2 does not do it by itself.
  #exchangeInTime(packets: number): void {
    const protocol = this.#protocol;
    if (packets < (this.#options.rekeyAfter ?? REKEY_AFTER)) return;
    if (!protocol._authenticated || protocol._kexinit !== undefined) return;
    process.nextTick(() => {
      if (protocol._destruct !== undefined) protocol.rekey();
    });
  }

  // The socket opens nothing more until the next key comes, and none will.
  #refuseStrayNewKeys(decipher: Decipher, payload: Buffer): void {
    if (payload[0] !== MSG_NEWKEYS || this.#decipher !== decipher || this.#socket.destroyed) return;
    this.#socket.destroy(
      new SoCryptError('ERR_SO_CRYPT_UNEXPECTED_RECORD', 'SSH_MSG_NEWKEYS came without a key exchange'),
    );
  }
}
