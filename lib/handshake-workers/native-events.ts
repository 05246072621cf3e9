import { X509Certificate } from 'node:crypto';
import type { CryptOptions } from '../crypt-options.js';
import { SoCryptError } from '../errors.js';
import { SecretSlots } from '../handshake/secret-slots.js';
import { suiteOf } from '../handshake/suite.js';
import { type Exporter, Summary } from '../handshake/summary.js';
import { systemError } from '../kernel/port.js';
import { commonOf, MadeDirections } from '../tls-arming.js';
import { NO_BYTES } from '../unread.js';
import type { KnownProfile, Outcome } from './outcome.js';
import type { Unpacker } from './packing.js';

/** Of directions that are made with the handshake. */
export interface Making {
  /** Nobody has asked for the engine by name. */
  isAuto: boolean;
  truncation: 'error' | 'end';
}

/** What threads without JavaScript tell (native/handshake/handshake.cc, threads.cc). */
export type NativeEvent = {
  id: number;
  /** The thread has accepted the connection, which has no id. */
  isAccepted: boolean;
} & (
  | { kind: 'done'; outcome: Outcome }
  /** Nothing has been sent; these bytes have been read. */
  | { kind: 'declined'; received: Buffer }
  | { kind: 'failed'; error: Error; servername: string | false | null }
  | { kind: 'released' }
);

const DONE = 1;
const DECLINED = 2;
const FAILED = 3;

/** enum Failed of native/handshake/handshake.h. */
const Failed = { openSsl: 1, system: 2, ended: 3, timeout: 4, handOver: 5 } as const;

/** Reads events, and remembers the profiles that have numbers. */
export class NativeEvents {
  readonly #making: Making | undefined;
  readonly #profiles = new Map<number, KnownProfile>();
  readonly #certificates = new Map<string, X509Certificate>();

  /** @param making of directions that come with the handshake; undefined: secrets come */
  constructor(making: Making | undefined) {
    this.#making = making;
  }

  /** The next one of those in the memory that was taken; undefined: there is no other. */
  next(from: Unpacker): NativeEvent | undefined {
    if (from.isAtEnd) return undefined;
    const kind = from.u8();
    const isAccepted = from.u8() === 1;
    const id = from.u32();
    switch (kind) {
      case DONE: {
        return { kind: 'done', id, isAccepted, outcome: this.#outcome(from) };
      }
      case DECLINED:
        return { kind: 'declined', id, isAccepted, received: Buffer.from(from.long()) };
      case FAILED: {
        const hasName = from.u8();
        const name = from.text();
        const servername = hasName === 2 ? name : hasName === 1 ? false : null;
        return { kind: 'failed', id, isAccepted, servername, error: errorFrom(from) };
      }
      default:
        return { kind: 'released', id, isAccepted };
    }
  }

  // Handshake::TellDone() of native/handshake/handshake.cc.
  #outcome(from: Unpacker): Outcome {
    if (from.u8() === 0) return outcomeFrom(from, this.#profile(from));
    const [sealer, opener] = [from.u32(), from.u32()];
    const profile = this.#profile(from);
    const { isAuto, truncation } = this.#making!;
    profile.common ??= commonOf(profile.suite.cipher, profile.maxFragment, truncation);
    const { common } = profile;
    return outcomeFrom(from, profile, (rest) => new MadeDirections(common, sealer, opener, isAuto, rest));
  }

  #profile(from: Unpacker): KnownProfile {
    const isNew = from.u8() === 1;
    const number = from.u32();
    if (!isNew) return this.#profiles.get(number)!;
    const [name, standardName, version] = [from.text(), from.text(), from.text()];
    const protocol = from.text();
    const fragment = from.u8();
    const alpn = from.text();
    const sigalgs = Array.from({ length: from.u8() }, () => from.text());
    const der = from.long();
    const profile: KnownProfile = {
      suite: suiteOf(protocol, standardName),
      encryptThenMac: false,
      // RFC 6066 4.
      maxFragment: fragment === 0 ? undefined : 256 << fragment,
      cipher: { name, standardName, version },
      protocol,
      sigalgs,
      own: der.length > 0 ? this.#certificate(der) : undefined,
      agreed: {
        authorized: false,
        authorizationError: null,
        alpnProtocol: alpn.length > 0 ? alpn : false,
      },
    };
    if (number !== 0) this.#profiles.set(number, profile);
    return profile;
  }

  // A server has few; to make an object of one takes half as long as a handshake.
  #certificate(der: Buffer): X509Certificate {
    const name = der.toString('latin1');
    let known = this.#certificates.get(name);
    if (known === undefined) {
      known = new X509Certificate(der);
      if (this.#certificates.size < 64) this.#certificates.set(name, known);
    }
    return known;
  }
}

const slots32 = new SecretSlots(32);
const slots48 = new SecretSlots(48);

// Behind the profile.
function outcomeFrom(
  from: Unpacker,
  profile: KnownProfile,
  make?: (rest: Buffer) => MadeDirections,
): Outcome {
  const { suite, own, cipher, protocol, sigalgs } = profile;
  const { authorized, authorizationError, alpnProtocol } = profile.agreed;
  const reused = from.u8() === 1;
  const options = make ? undefined : secretsFrom(from, profile);
  const exporter = exporterFrom(from, suite);
  const finished = from.text();
  const peerFinished = from.text();
  const servername = from.u8() === 1 && from.text();
  const behind = from.long();
  // The memory is wiped, and the connection goes on.
  const rest = behind.length > 0 ? Buffer.from(behind) : NO_BYTES;
  const peer = undefined;
  const facts = { own, peer, peerChain: peer, cipher, protocol, reused, sigalgs, finished, peerFinished };
  return {
    handOver: make?.(rest) ?? { options: options!, rest, ended: false, exporter, wipe() {} },
    agreed: { authorized, authorizationError, alpnProtocol, servername },
    summary: new Summary(facts, exporter, true),
  };
}

function secretsFrom(from: Unpacker, { suite, maxFragment }: KnownProfile): CryptOptions {
  const { protocol, cipher } = suite;
  const sequence = from.u32();
  const write = { secret: from.bytes(), sequence };
  const read = { secret: from.bytes() };
  return { protocol, cipher, maxFragment, write, read } as CryptOptions;
}

function exporterFrom(from: Unpacker, suite: KnownProfile['suite']): Exporter {
  const bytes = from.bytes();
  const slots = bytes.length === 32 ? slots32 : slots48;
  const secret = slots.take(bytes);
  return { suite, secret, randoms: undefined, release: () => slots.give(secret) };
}

// As Node makes them of the same.
function errorFrom(from: Unpacker): Error {
  switch (from.u8()) {
    case Failed.openSsl: {
      const message = from.long().toString('latin1');
      const library = from.text();
      const reason = from.text();
      const code = `ERR_SSL_${reason.replaceAll(' ', '_').toUpperCase()}`;
      return Object.assign(new Error(message), { library, reason, code });
    }
    case Failed.system: {
      const errno = from.u32();
      return systemError(-errno, from.text());
    }
    case Failed.ended:
      return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    case Failed.timeout:
      return Object.assign(new Error('TLS handshake timeout'), { code: 'ERR_TLS_HANDSHAKE_TIMEOUT' });
    default:
      return new SoCryptError(
        'ERR_SO_CRYPT_HANDOVER',
        'What OpenSSL sent after the handshake is no session ticket',
      );
  }
}
