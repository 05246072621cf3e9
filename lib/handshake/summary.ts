import { createHash, type X509Certificate } from 'node:crypto';
import type tls from 'node:tls';
import { SoCryptError } from '../errors.js';
import type { Secrets } from './hand-over.js';
import { expandLabel, prf } from './key-schedule.js';
import type { Suite } from './suite.js';

/** What a server's connection answers for, read from the SSL object while there is one, or told by the thread that had it. */
export interface SummaryFacts {
  own: X509Certificate | undefined;
  peer: X509Certificate | undefined;
  /** As getPeerCertificate(true) has it. */
  peerChain: tls.PeerCertificate | undefined;
  cipher: tls.CipherNameAndProtocol;
  protocol: string | null;
  reused: boolean;
  sigalgs: readonly string[];
  // As strings, which take a quarter of a Buffer's memory.
  finished: string | undefined;
  peerFinished: string | undefined;
}

/** @param ssl of a server, whose handshake is done */
export function summaryFactsOf(ssl: tls.TLSSocket): SummaryFacts {
  const cipher = ssl.getCipher();
  const sigalgs = ssl.getSharedSigalgs();
  const peer = ssl.getPeerX509Certificate();
  return {
    own: ownCertificate(ssl, `${cipher.name} ${sigalgs.join()}`),
    peer,
    // A client that shows a certificate is rare, and its chain is OpenSSL's alone.
    peerChain: peer && ssl.getPeerCertificate(true),
    cipher,
    protocol: ssl.getProtocol(),
    reused: ssl.isSessionReused(),
    sigalgs,
    finished: ssl.getFinished()?.toString('latin1'),
    peerFinished: ssl.getPeerFinished()?.toString('latin1'),
  };
}

/**
 * What TLSSocket's methods answer once the SSL object is let go of. It is all that a connection keeps of its handshake, so it is small:
 * certificates stay OpenSSL's, and lists that most connections have in common are shared.
 */
export class Summary {
  readonly #own;
  readonly #peer;
  readonly #peerChain: tls.PeerCertificate | undefined;
  readonly #cipher: tls.CipherNameAndProtocol;
  readonly #protocol: string | null;
  readonly #reused: boolean;
  readonly #sigalgs: readonly string[];
  readonly #finished: string | undefined;
  readonly #peerFinished: string | undefined;
  #exporter: Exporter | undefined;

  /** @param isShared the lists are shared already */
  constructor(facts: SummaryFacts, exporter: Exporter | undefined, isShared = false) {
    const { cipher, sigalgs } = facts;
    this.#own = facts.own;
    this.#peer = facts.peer;
    this.#peerChain = facts.peerChain;
    this.#cipher = isShared ? cipher : shared(cipher, `${cipher.name} ${cipher.version}`);
    this.#protocol = facts.protocol;
    this.#reused = facts.reused;
    this.#sigalgs = isShared ? sigalgs : shared(sigalgs, sigalgs.join());
    this.#finished = facts.finished;
    this.#peerFinished = facts.peerFinished;
    this.#exporter = exporter;
  }

  getCertificate(): tls.PeerCertificate | object {
    return this.#own?.toLegacyObject() ?? {};
  }

  getPeerCertificate(detailed?: boolean): tls.PeerCertificate | object {
    return (detailed ? this.#peerChain : this.#peer?.toLegacyObject()) ?? {};
  }

  getX509Certificate() {
    return this.#own;
  }

  getPeerX509Certificate() {
    return this.#peer;
  }

  getCipher(): tls.CipherNameAndProtocol {
    return { ...this.#cipher };
  }

  getProtocol(): string | null {
    return this.#protocol;
  }

  getSession(): Buffer | undefined {
    return undefined;
  }

  getTLSTicket(): Buffer | undefined {
    return undefined;
  }

  isSessionReused(): boolean {
    return this.#reused;
  }

  getSharedSigalgs(): string[] {
    return [...this.#sigalgs];
  }

  getFinished(): Buffer | undefined {
    return bytesOf(this.#finished);
  }

  getPeerFinished(): Buffer | undefined {
    return bytesOf(this.#peerFinished);
  }

  getEphemeralKeyInfo(): object | null {
    return null;
  }

  exportKeyingMaterial(length: number, label: string, context?: Buffer): Buffer {
    if (this.#exporter === undefined)
      throw new SoCryptError('ERR_SO_CRYPT_AFTER_HANDOVER', "The connection's exporter secret is not known");
    return exportKeyingMaterial(this.#exporter, length, label, context);
  }

  dispose(): void {
    const exporter = this.#exporter;
    this.#exporter = undefined;
    if (exporter?.release) exporter.release();
    else exporter?.secret.fill(0);
  }
}

/** What keying material is exported from (RFC 8446 7.5, RFC 5705 4). */
export interface Exporter {
  suite: Suite;
  /** exporter_master_secret, or the master secret before TLS 1.3. */
  secret: Buffer;
  /** client_random || server_random, 64 bytes; before TLS 1.3. */
  randoms: Buffer | undefined;
  /** Wipes the secret, and gives its memory back. */
  release?: () => void;
}

export function exporterOf(
  suite: Suite,
  secrets: Secrets,
  serverRandom: Buffer | undefined,
): Exporter | undefined {
  const label = suite.protocol === 'tls1.3' ? 'EXPORTER_SECRET' : 'CLIENT_RANDOM';
  const secret = secrets.byLabel.get(label);
  if (secret === undefined) return undefined;
  const isOld = suite.protocol !== 'tls1.3';
  // One allocation of its own: a piece of Node's pool would keep all of it in memory.
  const randoms = isOld && serverRandom ? Buffer.concat([secrets.clientRandom, serverRandom]) : undefined;
  const own = Buffer.allocUnsafeSlow(secret.length + (randoms?.length ?? 0));
  secret.copy(own);
  randoms?.copy(own, secret.length);
  return {
    suite,
    secret: own.subarray(0, secret.length),
    randoms: randoms && own.subarray(secret.length),
  };
}

function exportKeyingMaterial(
  { suite, secret, randoms }: Exporter,
  length: number,
  label: string,
  context?: Buffer,
): Buffer {
  if (randoms !== undefined) {
    const size = Buffer.alloc(2);
    if (context !== undefined) size.writeUInt16BE(context.length);
    const seed = context === undefined ? randoms : Buffer.concat([randoms, size, context]);
    return prf(suite.hash, secret, label, seed, length);
  }
  const hash = suite.hash ?? 'sha256';
  const digest = (bytes: Uint8Array): Buffer => createHash(hash).update(bytes).digest();
  const empty = Buffer.alloc(0);
  const derived = expandLabel(hash, secret, label, digest(empty).length, digest(empty));
  return expandLabel(hash, derived, 'exporter', length, digest(context ?? empty));
}

/** The objects that hold a server's certificate: the SecureContext that SNI chose, or the one that the socket was made with. */
type WithContext = tls.TLSSocket & {
  _handle?: { sni_context?: object };
  _tlsOptions?: { secureContext?: object };
};

const certificates = new WeakMap<object, Map<string, X509Certificate | undefined>>();

// Making an X509Certificate takes half as long as a handshake. A context has one for each kind of key, and OpenSSL chooses by the
// client's signature algorithms and, before TLS 1.3, by the cipher suite.
function ownCertificate(ssl: WithContext, choice: string): X509Certificate | undefined {
  const context = ssl._handle?.sni_context ?? ssl._tlsOptions?.secureContext;
  if (context === undefined) return ssl.getX509Certificate();
  const known = certificates.get(context) ?? new Map<string, X509Certificate | undefined>();
  certificates.set(context, known);
  if (!known.has(choice)) {
    if (known.size >= 256) known.clear();
    known.set(choice, ssl.getX509Certificate());
  }
  return known.get(choice);
}

function bytesOf(text: string | undefined): Buffer | undefined {
  return text === undefined ? undefined : Buffer.from(text, 'latin1');
}

const values = new Map<string, unknown>();

// Equal values once: a server's connections mostly have the same cipher and signature algorithms. The number of different ones is
// bounded, so that a peer that makes some up costs nothing.
function shared<T>(value: T, name: string): T {
  const known = values.get(name);
  if (known !== undefined) return known as T;
  if (values.size < 256) values.set(name, value);
  return value;
}
