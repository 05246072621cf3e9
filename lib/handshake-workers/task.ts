import { closeSync } from 'node:fs';
import net from 'node:net';
import type tls from 'node:tls';
import { SoCryptError } from '../errors.js';
import { type HandOver, Handshake } from '../handshake/handshake.js';
import { ktls } from '../kernel/ktls.js';
import { systemError } from '../kernel/port.js';
import { soCrypt } from '../kernel/so-crypt.js';
import { native } from '../native.js';
import { ask } from '../tls-server-view.js';
import { listened, type Setup, type Start } from './messages.js';

/** What a task needs of its thread. */
export interface TaskHost {
  readonly engine: Setup['engine'];
  /** Runs Node's connection listener; `view` has what differs from the server. */
  listen(view: PropertyDescriptorMap, wire: object): void;
  keylog(task: Task, line: Buffer): void;
  /** To the application, whose answer comes by args' last. */
  question(task: Task, event: 'newSession' | 'resumeSession' | 'OCSPRequest', args: unknown[]): void;
  failed(task: Task, error: unknown, ssl?: tls.TLSSocket): void;
  done(task: Task, ssl: tls.TLSSocket, handOver: HandOver): void;
  /** The connection is the main thread's again. */
  released(task: Task): void;
}

/** All reads of the thread land here, and are copied before anything else can run. */
const inbox = Buffer.allocUnsafeSlow(65_536);

/**
 * A handshake of this thread, on a descriptor of its own of a connection that the main thread has accepted. Closing a duplicate ends
 * nothing: as long as the main thread has its descriptor, the connection is there.
 */
export class Task {
  readonly id: number;
  /** Numbers of what the application has been asked. */
  readonly questions: number[] = [];
  readonly #host: TaskHost;
  readonly #listeners: number;
  readonly #handshake: Handshake;
  #socket: net.Socket | undefined;
  #isOver = false;

  constructor(host: TaskHost, { id, fd, listeners, unread }: Start) {
    this.id = id;
    this.#host = host;
    this.#listeners = listeners;
    this.#handshake = new Handshake(
      {
        rawWrite: (bytes, callback) => void this.#socket!.write(bytes, callback),
        readOn: () => void this.#socket!.resume(),
        // What was wrong, OpenSSL's side tells in the next ticks.
        closed: () => void setImmediate(() => this.#end()),
      },
      true,
    );
    try {
      this.#socket = this.#open(fd);
    } catch (error) {
      this.#isOver = true;
      host.failed(this, error);
      host.released(this);
      return;
    }
    this.#attachEarly();
    this.#begin();
    if (unread !== undefined) this.#handshake.receive(Buffer.from(unread));
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The application has closed the connection. */
  abort(): void {
    this.#handshake.wire.destroy();
  }

  #open(fd: number): net.Socket {
    const own = native.duplicate!(fd);
    if (own < 0) throw systemError(own, 'dup');
    let socket: net.Socket;
    try {
      socket = new net.Socket({
        fd: own,
        // FIN is not to be answered by one of ours.
        allowHalfOpen: true,
        onread: {
          buffer: inbox,
          callback: (length: number) =>
            !this.#isOver && this.#handshake.receive(Buffer.from(inbox.subarray(0, length))),
        },
      } as net.SocketConstructorOpts);
    } catch (error) {
      closeSync(own);
      throw error;
    }
    socket.on('end', () => this.#handshake.end());
    socket.on('error', (error) => void this.#handshake.wire.destroy(error));
    return socket;
  }

  // As TLSSocket does: what is wrong is found out when the keys come.
  #attachEarly(): void {
    const { engine } = this.#host;
    if (engine === undefined) return;
    const { fd } = (this.#socket as unknown as { _handle: { fd: number } })._handle;
    try {
      (engine === 'ktls' ? ktls : soCrypt).attach(fd);
    } catch (error) {
      if (!(error instanceof SoCryptError)) throw error;
    }
  }

  #begin(): void {
    const listenerCount = (event: string): number => {
      if (event === 'keylog') return 1;
      const bit = (listened as Record<string, number>)[event];
      return bit !== undefined && (this.#listeners & bit) !== 0 ? 1 : 0;
    };
    const emit = (event: string, ...args: unknown[]): boolean => this.#onEvent(event, args, listenerCount);
    this.#host.listen(
      {
        task: { value: this },
        emit: { value: emit },
        listenerCount: { value: listenerCount },
        pauseOnConnect: { value: false },
      },
      this.#handshake.wire,
    );
  }

  #onEvent(event: string, args: unknown[], listenerCount: (event: string) => number): boolean {
    switch (event) {
      case 'keylog':
        this.#handshake.onKeylog(args[0] as Buffer);
        if ((this.#listeners & listened.keylog) !== 0) this.#host.keylog(this, args[0] as Buffer);
        return true;
      case 'newSession':
      case 'resumeSession': {
        const emit = (_event: string, ...asked: unknown[]): boolean => {
          this.#host.question(this, event, asked);
          return true;
        };
        return ask({ emit, listenerCount }, event, args, this.#handshake);
      }
      case 'OCSPRequest':
        this.#host.question(this, event, args);
        return true;
      case 'tlsClientError':
        this.#host.failed(this, args[0], args[1] as tls.TLSSocket);
        return true;
      case 'secureConnection':
        this.#complete(args[0] as tls.TLSSocket);
        return true;
      default:
        return false;
    }
  }

  #complete(ssl: tls.TLSSocket): void {
    // What comes from here on is better read by the main thread.
    (this.#socket as unknown as { _handle: { readStop(): number } | null })._handle?.readStop();
    ssl.on('error', (error) => {
      if (!this.#isOver) this.#host.failed(this, error, ssl);
      this.#end();
    });
    this.#handshake.complete(ssl, (error, handOver) => {
      if (this.#isOver) return;
      if (handOver === undefined) {
        this.#host.failed(this, error, ssl);
        return this.#end();
      }
      this.#isOver = true;
      this.#host.done(this, ssl, handOver);
      handOver.wipe();
      handOver.exporter?.secret.fill(0);
      ssl.destroy();
      // All that OpenSSL has written is in the kernel. This closes the duplicate, at once.
      this.#socket!.destroy();
    });
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#handshake.detach();
    this.#handshake.wire.destroy();
    this.#socket!.destroy();
    this.#host.released(this);
  }
}
