import type { Envelope, Messages, MessageType } from './messages.js';

/** Turns the messages of one IPC peer into promises. Each side talks in a fixed order, so one reader is enough. */
export class Mailbox {
  readonly #queue: Envelope[] = [];
  #waiting: { resolve: (envelope: Envelope) => void; reject: (error: Error) => void } | undefined;
  #failure: Error | undefined;

  /** A message has arrived. */
  put(envelope: Envelope): void {
    if (this.#waiting === undefined) {
      this.#queue.push(envelope);
      return;
    }
    this.#waiting.resolve(envelope);
    this.#waiting = undefined;
  }

  /** No message will arrive any more. Those that are here can still be read. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#waiting?.reject(this.#failure);
    this.#waiting = undefined;
  }

  /** The next message, which must be of this type. */
  async expect<K extends MessageType>(type: K): Promise<Messages[K]> {
    const envelope = await this.#next();
    if (envelope.type !== type) throw new Error(`expected the message '${type}', got '${envelope.type}'`);
    return envelope.body as Messages[K];
  }

  #next(): Promise<Envelope> {
    const envelope = this.#queue.shift();
    if (envelope !== undefined) return Promise.resolve(envelope);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }
}
