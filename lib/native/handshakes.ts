/** A secure context for handshakes in threads without JavaScript (native/handshake). */
export interface HandshakeContext {
  readonly nothing?: never;
}

/** Handshakes without JavaScript, in threads of their own or in this one (native/handshake/threads.h, here.h). */
export interface HandshakeThreads {
  /** 0 or -errno. To be called again when a context has been made. */
  start(): number;
  /** The index of the thread that got it. */
  submit(id: number, fd: number, context: HandshakeContext): number;
  abort(thread: number, id: number): void;
  /**
   * They accept the connections of a listening socket of libuv's, and libuv does not. 0 or -errno; -ENOENT: libuv has not begun to wait for
   * it. Not in this thread.
   */
  listen?(fd: number, context: HandshakeContext): number;
  /** They accept no more, and libuv does again; fd -1: libuv does not either, because the socket is about to be closed. */
  unlisten?(fd: number): void;
  /** Connections that they have accepted, ever. */
  readonly accepted?: number;
  /**
   * All that they have told: lib/handshake-workers/native-events.ts. Wipe it. Ahead, how many connections are among them, and for each its
   * descriptor and 1, in the machine's order: 0 is to be put there as soon as a handle has the descriptor, in the same statement as it were.
   * In a thread that ends before that it is closed.
   */
  take(): Buffer;
  /** Closes the connections of the last take() that no handle has. */
  closeGiven?(): void;
  /** Whether they keep the process alive. */
  setRef(on: boolean): void;
  /** For good. */
  stop(): void;
}
