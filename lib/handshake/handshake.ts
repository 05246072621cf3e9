import type tls from 'node:tls';
import type { CryptOptions } from '../crypt-options.js';
import { SoCryptError } from '../errors.js';
import type { Tap } from '../socket-internals.js';
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
  /** The peer's bytes are wanted again. */
  readOn(): void;
  /** OpenSSL's side has closed: nothing more will come. */
  closed(): void;
}

// A peer that sends on while OpenSSL waits (for the application's answer about a certificate, say) shall not fill the memory.
const MOST_WAITING = 65_536;

/** All that the engine goes on with. */
export interface HandOver {
  options: CryptOptions;
  /** Bytes of the peer that lie behind the handshake. */
  rest: Buffer;
  /** The peer's FIN has come. */
  ended: boolean;
  exporter: Exporter | undefined;
  /** Overwrites the secrets and keys, once they have been taken over. */
  wipe(): void;
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
  #full = false;
  #detached = false;
  /** Called when the handshake is done and its output is out. */
  #finish: (() => void) | undefined;

  constructor(host: HandshakeHost, isServer: boolean) {
    this.#host = host;
    this.#isServer = isServer;
  }

  /** A line of the key log: label, client's random, secret. */
  onKeylog(line: Buffer): void {
    const first = line.indexOf(' ');
    const second = line.indexOf(' ', first + 1);
    const label = line.toString('latin1', 0, first);
    this.#secrets.clientRandom = fromHex(line.subarray(first + 1, second));
    this.#secrets.byLabel.set(label, fromHex(line.subarray(second + 1)));
  }

  /** While the application is asked for something OpenSSL must not be fed: returns what ends that. */
  hold(): () => void {
    this.#holds++;
    return () => {
      // Not at once: the answer may be given from inside OpenSSL, which then has more to say.
      setImmediate(() => {
        this.#holds--;
        this.#settle();
      });
    };
  }

  receive(bytes: Buffer): boolean {
    this.#splitter.push(bytes);
    this.#pump();
    this.#full = this.#splitter.length > MOST_WAITING;
    return !this.#full;
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
      // The connection was destroyed while OpenSSL's output was on its way.
      if (this.#detached) return;
      let handOver: HandOver;
      try {
        handOver = this.#handOver(ssl);
      } catch (error) {
        this.#wipeSecrets();
        if (!(error instanceof SoCryptError)) throw error;
        return callback(error, undefined);
      }
      // Not inside: what the application throws is none of our errors, whatever its class.
      callback(undefined, handOver);
    };
    // The output of this very step comes behind the event that says it is done.
    setImmediate(() => this.#settle());
  }

  /** Cuts the connection between OpenSSL and the socket; OpenSSL may then be let go of without a word to the peer. */
  detach(): void {
    this.#detached = true;
    this.#wipeSecrets();
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
    // OpenSSL keeps back what it has to say (tickets, say) while the application is asked.
    if (this.#unsettled > 0 || this.#holds > 0) return;
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
      if (this.#full && this.#splitter.length <= MOST_WAITING) {
        this.#full = false;
        this.#host.readOn();
      }
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
    const wipe = (): void => {
      this.#wipeSecrets();
      for (const keys of [options.write, options.read])
        for (const bytes of [keys?.key, keys?.macKey]) bytes?.fill(0);
    };
    return { options, rest: this.#splitter.rest(), ended: this.#ended, exporter, wipe };
  }

  #wipeSecrets(): void {
    for (const secret of this.#secrets.byLabel.values()) secret.fill(0);
  }
}

// Not by way of a string, which could not be wiped. Ends at the first byte that is no hexadecimal digit.
function fromHex(digits: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(digits.length >> 1);
  let length = 0;
  for (; length < bytes.length; length++) {
    const high = digitOf(digits[2 * length]!);
    const low = digitOf(digits[2 * length + 1]!);
    if (high < 0 || low < 0) break;
    bytes[length] = (high << 4) | low;
  }
  return bytes.subarray(0, length);
}

function digitOf(digit: number): number {
  if (digit >= 0x30 && digit <= 0x39) return digit - 0x30;
  if (digit >= 0x61 && digit <= 0x66) return digit - 0x57;
  return -1;
}
