import { X509Certificate } from 'node:crypto';
import type { CryptOptions } from '../crypt-options.js';
import { SoCryptError } from '../errors.js';
import { SecretSlots } from '../handshake/secret-slots.js';
import { suiteOf } from '../handshake/suite.js';
import { Summary } from '../handshake/summary.js';
import { systemError } from '../kernel/port.js';
import { NO_BYTES } from '../unread.js';
import type { KnownProfile, Outcome } from './outcome.js';
import type { Unpacker } from './packing.js';

/** What threads without JavaScript tell (native/handshake/handshake.cc, threads.cc). */
export type NativeEvent =
  | { kind: 'done'; id: number; outcome: Outcome }
  /** Nothing has been sent; these bytes have been read. */
  | { kind: 'declined'; id: number; received: Buffer }
  | { kind: 'failed'; id: number; error: Error; servername: string | false | null }
  | { kind: 'released'; id: number };

const DONE = 1;
const DECLINED = 2;
const FAILED = 3;

/** enum Failed of native/handshake/handshake.h. */
const Failed = { openSsl: 1, system: 2, ended: 3, timeout: 4, handOver: 5 } as const;

/** Reads events, and remembers the profiles that have numbers. */
export class NativeEvents {
  readonly #profiles = new Map<number, KnownProfile>();
  readonly #certificates = new Map<string, X509Certificate>();

  /** The next one of those in the memory that was taken; undefined: there is no other. */
  next(from: Unpacker): NativeEvent | undefined {
    if (from.isAtEnd) return undefined;
    const kind = from.u8();
    const id = from.u32();
    switch (kind) {
      case DONE: {
        const profile = this.#profile(from);
        return { kind: 'done', id, outcome: outcomeFrom(from, profile) };
      }
      case DECLINED:
        return { kind: 'declined', id, received: Buffer.from(from.long()) };
      case FAILED: {
        const hasName = from.u8();
        const name = from.text();
        const servername = hasName === 2 ? name : hasName === 1 ? false : null;
        return { kind: 'failed', id, servername, error: errorFrom(from) };
      }
      default:
        return { kind: 'released', id };
    }
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

// Handshake::PackDone() of native/handshake/handshake.cc.
function outcomeFrom(from: Unpacker, profile: KnownProfile): Outcome {
  const { suite, maxFragment, own, cipher, protocol, sigalgs } = profile;
  const { authorized, authorizationError, alpnProtocol } = profile.agreed;
  const reused = from.u8() === 1;
  const tickets = from.u32();
  const write = { secret: from.bytes(), sequence: tickets };
  const read = { secret: from.bytes() };
  const slots = write.secret.length === 32 ? slots32 : slots48;
  const secret = slots.take(from.bytes());
  const exporter = { suite, secret, randoms: undefined, release: () => slots.give(secret) };
  const finished = from.text();
  const peerFinished = from.text();
  const servername = from.u8() === 1 && from.text();
  const rest = from.long();
  return {
    handOver: {
      options: {
        protocol: suite.protocol,
        cipher: suite.cipher,
        maxFragment,
        write,
        read,
      } as CryptOptions,
      // The memory is wiped, and the connection goes on.
      rest: rest.length > 0 ? Buffer.from(rest) : NO_BYTES,
      ended: false,
      exporter,
      wipe() {},
    },
    agreed: { authorized, authorizationError, alpnProtocol, servername },
    summary: new Summary(
      {
        own,
        peer: undefined,
        peerChain: undefined,
        cipher,
        protocol,
        reused,
        sigalgs,
        finished,
        peerFinished,
      },
      exporter,
      true,
    ),
  };
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
