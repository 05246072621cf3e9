import type tls from 'node:tls';
import type { CryptOptions } from '../crypt-options.js';
import { SoCryptError } from '../errors.js';
import type { Tap } from '../socket.js';
import { cryptOptionsOf, type Secrets } from './hand-over.js';
import { RecordSplitter } from './records.js';
import { suiteOf } from './suite.js';
import { type Exporter, exporterOf } from './summary.js';
import { Transcript } from './transcript.js';
import { Wire, type WireEnd } from './wire.js';

type Callback = (error?: Error | null) => void;

/** What a handshake asks of its socket. */
export interface HandshakeHost {
  /** Bytes to the peer. */
  rawWrite(bytes: Buffer, callback: Callback): void;
  /** OpenSSL's side has closed: nothing more will come. */
  closed(): void;
}

/** All that the engine goes on with. */
export interface HandOver {
  options: CryptOptions;
  /** Bytes of the peer that lie behind the handshake. */
  rest: Buffer;
  /** The peer's FIN has come. */
  ended: boolean;
  exporter: Exporter | undefined;
}

/**
 * Runs a handshake of Node's TLSSocket over a socket of ours and stops it exactly behind its last record.
 *
 * OpenSSL reads whatever it is given and may write at any time, so each record is fed alone, and only when all output of the
 * step before is out: then OpenSSL's state is known, and what it puts out in one step belongs to that step.
 */
export class Handshake implements Tap, WireEnd {
  readonly wire = new Wire(this);
  readonly #host: HandshakeHost;
  readonly #isServer: boolean;
  readonly #splitter = new RecordSplitter();
  readonly #sent = new Transcript();
  readonly #received = new Transcript();
  readonly #secrets: Secrets = { clientRandom: Buffer.alloc(0), byLabel: new Map() };
  #output: Buffer[] = [];
  #unsettled = 0;
  #holds = 0;
  #ended = false;
  #endFed = false;
  #detached = false;
  /** Called when the handshake is done and its output is out. */
  #finish: (() => void) | undefined;

  constructor(host: HandshakeHost, isServer: boolean) {
    this.#host = host;
    this.#isServer = isServer;
  }

  /** A line of the key log: label, client's random, secret. */
  onKeylog(line: Buffer): void {
    const [label, random, secret] = line.toString('latin1').trim().split(' ') as [string, string, string];
    this.#secrets.clientRandom = Buffer.from(random, 'hex');
    this.#secrets.byLabel.set(label, Buffer.from(secret, 'hex'));
  }

  /** While the application is asked for something OpenSSL must not be fed: returns what ends that. */
  hold(): () => void {
    this.#holds++;
    return () => {
      this.#holds--;
      this.#pump();
    };
  }

  receive(bytes: Buffer): void {
    this.#splitter.push(bytes);
    this.#pump();
  }

  end(): void {
    this.#ended = true;
    this.#pump();
  }

  /** OpenSSL has finished; the callback gets what the engine needs as soon as all of OpenSSL's output is out. */
  complete(
    ssl: tls.TLSSocket,
    callback: (error: SoCryptError | undefined, handOver: HandOver | undefined) => void,
  ): void {
    this.#finish = () => {
      try {
        callback(undefined, this.#handOver(ssl));
      } catch (error) {
        if (!(error instanceof SoCryptError)) throw error;
        callback(error, undefined);
      }
    };
    // The output of this very step comes behind the event that says it is done.
    process.nextTick(() => this.#settle());
  }

  /** Cuts the connection between OpenSSL and the socket; OpenSSL may then be let go of without a word to the peer. */
  detach(): void {
    this.#detached = true;
  }

  /** Feeds OpenSSL a record of ours: a ticket that reached the engine. */
  feed(record: Buffer): void {
    this.wire.feed(record);
  }

  onOutput(bytes: Buffer, callback: Callback): void {
    if (this.#detached) return callback();
    this.#sent.add(bytes);
    this.#output.push(bytes);
    this.#unsettled++;
    this.#host.rawWrite(bytes, (error) => {
      // Not at once: OpenSSL may still be inside the call that brought this output.
      setImmediate(() => {
        callback(error);
        this.#unsettled--;
        this.#settle();
      });
    });
  }

  onWireClosed(): void {
    if (!this.#detached) this.#host.closed();
  }

  #settle(): void {
    if (this.#unsettled > 0) return;
    const finish = this.#finish;
    if (finish === undefined) return this.#pump();
    this.#finish = undefined;
    finish();
  }

  #pump(): void {
    while (this.#unsettled === 0 && this.#holds === 0 && !this.#isOver) {
      const record = this.#splitter.next();
      if (record === undefined) {
        if (this.#ended && !this.#endFed) {
          this.#endFed = true;
          this.wire.feedEnd();
        }
        return;
      }
      this.#received.add(record);
      this.#output = [];
      this.wire.feed(record);
    }
  }

  get #isOver(): boolean {
    return this.#finish !== undefined || this.#detached || this.wire.destroyed;
  }

  #handOver(ssl: tls.TLSSocket): HandOver {
    const suite = suiteOf(ssl.getProtocol() ?? '', ssl.getCipher().standardName);
    const options = cryptOptionsOf({
      suite,
      isServer: this.#isServer,
      secrets: this.#secrets,
      sent: this.#sent,
      received: this.#received,
      lastOutput: Buffer.concat(this.#output),
    });
    this.#detached = true;
    const serverRandom = (this.#isServer ? this.#sent : this.#received).hello.facts?.random;
    const exporter = exporterOf(suite, this.#secrets, serverRandom);
    return { options, rest: this.#splitter.rest(), ended: this.#ended, exporter };
  }
}
