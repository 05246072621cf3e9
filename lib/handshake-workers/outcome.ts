import { X509Certificate } from 'node:crypto';
import type tls from 'node:tls';
import type { CryptOptions, DirectionKeys } from '../crypt-options.js';
import type { Agreed } from '../handshake/agreed.js';
import type { HandOver } from '../handshake/handshake.js';
import type { Exporter, SummaryFacts } from '../handshake/summary.js';
import { Summary } from '../handshake/summary.js';
import type { Common, MadeDirections } from '../tls-arming.js';
import { NO_BYTES } from '../unread.js';
import type { Extra, Profile } from './messages.js';
import type { Packer, Unpacker } from './packing.js';

/** Bytes of the longest outcome: two directions, exporter and Finished messages. */
export const LONGEST_OUTCOME = 2048;

/** What of an outcome is its own, and secret. */
export function packOutcome(
  to: Packer,
  id: number,
  profile: number,
  { options, exporter }: HandOver,
  facts: SummaryFacts,
  servername: string | false | null,
): void {
  to.u32(id);
  to.u32(profile);
  to.u8(facts.reused ? 1 : 0);
  packKeys(to, options.write!);
  packKeys(to, options.read!);
  to.bytes(exporter?.secret);
  to.bytes(exporter?.randoms);
  to.bytes(latin1(facts.finished));
  to.bytes(latin1(facts.peerFinished));
  // RFC 6066 3: at most 255 bytes of ASCII.
  to.u8(typeof servername === 'string' ? 2 : servername === false ? 1 : 0);
  to.bytes(latin1(typeof servername === 'string' ? servername.slice(0, 255) : undefined));
}

function packKeys(to: Packer, keys: DirectionKeys): void {
  for (const bytes of [keys.key, keys.iv, keys.macKey, keys.secret]) to.bytes(bytes);
  to.u64(keys.sequence ?? 0);
  to.u8(keys.explicitNonce === undefined ? 0 : 1);
  to.u64(keys.explicitNonce ?? 0);
}

/** A handshake that another thread has done. */
export interface Outcome {
  handOver: HandOver | MadeDirections;
  agreed: Agreed;
  summary: Summary;
}

/** The rest of an outcome whose id has been read. */
export function unpackOutcome(from: Unpacker, profile: KnownProfile, extra: Extra | undefined): Outcome {
  const reused = from.u8() === 1;
  const write = unpackKeys(from);
  const read = unpackKeys(from);
  const exporter = exporterOf(profile, from.bytes(), from.bytes());
  const finished = text(from.bytes());
  const peerFinished = text(from.bytes());
  const hasName = from.u8();
  const name = from.bytes().toString('latin1');
  const { suite, encryptThenMac, maxFragment, cipher, protocol, sigalgs, agreed } = profile;
  const options: CryptOptions = {
    protocol: suite.protocol,
    cipher: suite.cipher,
    ...(suite.mac && { mac: suite.mac }),
    encryptThenMac,
    ...(maxFragment !== undefined && { maxFragment }),
    write,
    read,
  };
  const rest = extra?.rest === undefined ? NO_BYTES : bufferOf(extra.rest);
  const { peer, peerChain } = chainOf(extra);
  const { own } = profile;
  const facts = { own, peer, peerChain, cipher, protocol, reused, sigalgs, finished, peerFinished };
  return {
    // The FIN that may be behind the rest will be read again here. The keys are wiped with the memory that they came in.
    handOver: { options, rest, ended: false, exporter, wipe() {} },
    agreed: { ...agreed, servername: hasName === 2 ? name : hasName === 1 ? false : null },
    summary: new Summary(facts, exporter),
  };
}

function unpackKeys(from: Unpacker): DirectionKeys {
  const [key, iv, macKey, secret] = [from.bytes(), from.bytes(), from.bytes(), from.bytes()];
  const sequence = from.u64();
  const hasNonce = from.u8() === 1;
  const explicitNonce = from.u64();
  return {
    ...(key.length > 0 && { key }),
    ...(iv.length > 0 && { iv }),
    ...(macKey.length > 0 && { macKey }),
    ...(secret.length > 0 && { secret }),
    sequence,
    ...(hasNonce && { explicitNonce }),
  };
}

// The connection keeps it: in one allocation of its own.
function exporterOf(
  { suite }: Profile | KnownProfile,
  secret: Buffer,
  randoms: Buffer,
): Exporter | undefined {
  if (secret.length === 0) return undefined;
  const own = Buffer.allocUnsafeSlow(secret.length + randoms.length);
  secret.copy(own);
  randoms.copy(own, secret.length);
  return {
    suite,
    secret: own.subarray(0, secret.length),
    randoms: randoms.length > 0 ? own.subarray(secret.length) : undefined,
  };
}

/** A profile with the server's certificate as an object. */
export interface KnownProfile extends Omit<Profile, 'own'> {
  own: X509Certificate | undefined;
  /** Where directions are made with the handshake. */
  common?: Common | undefined;
}

/** Of a connection that is gone. */
export function disposeOf({ handOver, summary }: Outcome): void {
  summary.dispose();
  if ('disown' in handOver) handOver.disown();
}

/** The client's certificates, for an {@link Extra}. */
export function chainOfPeer(facts: SummaryFacts): Pick<Extra, 'chain' | 'isRooted'> {
  if (facts.peer === undefined) return {};
  const chain: Uint8Array[] = [];
  let isRooted = false;
  type Link = tls.DetailedPeerCertificate;
  for (let link = facts.peerChain as Link | undefined; link?.raw !== undefined; ) {
    chain.push(link.raw);
    const next: Link | undefined = link.issuerCertificate;
    isRooted = next === link;
    link = isRooted ? undefined : next;
  }
  return { chain, isRooted };
}

function chainOf(extra: Extra | undefined): Pick<SummaryFacts, 'peer' | 'peerChain'> {
  if (extra?.chain === undefined) return { peer: undefined, peerChain: undefined };
  const chain = extra.chain.map((der) => new X509Certificate(der));
  const legacy = chain.map((one) => one.toLegacyObject() as unknown as tls.DetailedPeerCertificate);
  chain.forEach((one, i) => {
    const issuer = chain[i + 1];
    if (issuer !== undefined) Object.defineProperty(one, 'issuerCertificate', { value: issuer });
    const above = legacy[i + 1] ?? (extra.isRooted ? legacy[i] : undefined);
    if (above !== undefined) legacy[i]!.issuerCertificate = above;
  });
  return { peer: chain[0], peerChain: legacy[0] as unknown as tls.PeerCertificate };
}

/** What came from another thread is a Uint8Array. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

const latin1 = (value: string | undefined): Buffer | undefined =>
  value === undefined ? undefined : Buffer.from(value, 'latin1');

const text = (bytes: Buffer): string | undefined =>
  bytes.length === 0 ? undefined : bytes.toString('latin1');
