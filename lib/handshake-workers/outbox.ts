import type { X509Certificate } from 'node:crypto';
import type tls from 'node:tls';
import type { MessagePort } from 'node:worker_threads';
import { agreedBy } from '../handshake/agreed.js';
import type { HandOver } from '../handshake/handshake.js';
import { suiteOf } from '../handshake/suite.js';
import { type SummaryFacts, summaryFactsOf } from '../handshake/summary.js';
import { type Extra, type FromThread, MOST_REMEMBERED, type Profile, type ThreadEvent } from './messages.js';
import { chainOfPeer, LONGEST_OUTCOME, packOutcome } from './outcome.js';
import { Packer } from './packing.js';

/** What the thread has to say, in one message for a turn of the event loop. */
export class Outbox {
  readonly #port: MessagePort;
  readonly #packer = new Packer();
  readonly #known = new Map<string, number>();
  // By object, and by what it is: a client's choices of algorithms must not make the same one many.
  readonly #certificates = new WeakMap<X509Certificate, [number, generation: number]>();
  #fingerprints = new Map<string, number>();
  #generation = 0;
  /** Of the certificate that has just got a number. */
  #newDer: Uint8Array | undefined;
  #lastProfile = 0;
  #lastCertificate = 0;
  #events: ThreadEvent[] = [];
  #profiles: [number, Profile][] = [];
  #extras: [number, Extra][] = [];
  #isScheduled = false;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  tell(event: ThreadEvent): void {
    this.#events.push(event);
    this.#schedule();
  }

  done(id: number, ssl: tls.TLSSocket, handOver: HandOver): void {
    if (!this.#packer.hasRoom(LONGEST_OUTCOME)) this.#flush();
    const facts = summaryFactsOf(ssl);
    const { servername, ...agreed } = agreedBy(ssl);
    const profile = this.#profileOf(agreed, facts, handOver);
    packOutcome(this.#packer, id, profile, handOver, facts, servername);
    const extra: Extra = chainOfPeer(facts);
    // In memory of its own: it stands in a larger buffer.
    if (handOver.rest.length > 0) extra.rest = Uint8Array.prototype.slice.call(handOver.rest);
    if (extra.rest !== undefined || extra.chain !== undefined) this.#extras.push([id, extra]);
    this.#schedule();
  }

  #profileOf(agreed: Profile['agreed'], facts: SummaryFacts, { options }: HandOver): number {
    const { cipher, protocol, sigalgs } = facts;
    const own = this.#numberOf(facts.own);
    const encryptThenMac = options.encryptThenMac === true;
    const { maxFragment } = options;
    const key = JSON.stringify([cipher, protocol, sigalgs, own, encryptThenMac, maxFragment, agreed]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= MOST_REMEMBERED) {
      // The main thread forgets at the next profile: what names earlier ones must be there before.
      this.#flush();
      this.#known.clear();
    }
    const number = ++this.#lastProfile;
    this.#known.set(key, number);
    const suite = suiteOf(protocol ?? '', cipher.standardName);
    const common = { suite, encryptThenMac, maxFragment, cipher, protocol, sigalgs, own, agreed };
    this.#profiles.push([number, { ...common, ...(this.#newDer && { der: this.#newDer }) }]);
    this.#newDer = undefined;
    return number;
  }

  #numberOf(certificate: X509Certificate | undefined): number {
    if (certificate === undefined) return 0;
    const [known, generation] = this.#certificates.get(certificate) ?? [];
    if (known !== undefined && generation === this.#generation) return known;
    const { fingerprint256, raw } = certificate;
    let number = this.#fingerprints.get(fingerprint256);
    if (number === undefined) {
      if (this.#fingerprints.size >= MOST_REMEMBERED) {
        this.#fingerprints.clear();
        this.#generation++;
      }
      number = ++this.#lastCertificate;
      this.#fingerprints.set(fingerprint256, number);
      this.#newDer = raw;
    }
    this.#certificates.set(certificate, [number, this.#generation]);
    return number;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#isScheduled = false;
    if (this.#events.length === 0 && this.#packer.isEmpty) return;
    const message: FromThread = {};
    if (this.#events.length > 0) message.events = this.#events;
    if (this.#profiles.length > 0) message.profiles = this.#profiles;
    if (this.#extras.length > 0) message.extras = this.#extras;
    const transfer: ArrayBuffer[] = [];
    if (!this.#packer.isEmpty) {
      message.done = this.#packer.take();
      transfer.push(message.done);
    }
    this.#events = [];
    this.#profiles = [];
    this.#extras = [];
    this.#port.postMessage(message, transfer);
  }
}
