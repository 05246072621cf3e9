import type tls from 'node:tls';
import type { Agreed } from '../handshake/agreed.js';
import type { Suite } from '../handshake/suite.js';
import type { KernelEngine } from '../kernel/engine.js';
import type { PlainError } from './plain-error.js';

/** What a thread needs to be the server: options without functions and objects of classes. */
export interface Setup {
  options: Record<string, unknown>;
  contexts: NamedContext[];
  secrets: SharedSecrets;
  defaults: Defaults;
  hasSniCallback: boolean;
  /** A kernel engine that must be attached before the peer's FIN can come. */
  engine: KernelEngine['name'] | undefined;
  priority: number;
}

/** What must be the same in all threads, so that a client can resume with any of them. */
export interface SharedSecrets {
  ticketKeys: Uint8Array;
  sessionIdContext: string;
}

/** The properties of node:tls that decide where options are silent. */
export type Defaults = Record<
  'DEFAULT_CIPHERS' | 'DEFAULT_ECDH_CURVE' | 'DEFAULT_MIN_VERSION' | 'DEFAULT_MAX_VERSION',
  string
>;

/** The options of a secure context: the object itself can't go to another thread. */
export type ContextOptions = Record<string, unknown>;

export type NamedContext = [servername: string, options: ContextOptions];

/** Events that a server's listeners are waited for, or told at once: a thread must know which have any. */
export const listened = {
  newSession: 1,
  resumeSession: 2,
  OCSPRequest: 4,
  keylog: 8,
} as const satisfies Record<string, number>;

export type Question = Exclude<keyof typeof listened, 'keylog'> | 'SNICallback';

export interface Start {
  id: number;
  /** The main thread's descriptor, which stays open until the handshake is over. */
  fd: number;
  /** Of {@link listened}. */
  listeners: number;
  /** Bytes that were read before. */
  unread?: Uint8Array;
}

/** What SNICallback chose. The options come with the first use of a number. */
export interface ChosenContext {
  number: number;
  options?: ContextOptions;
}

export type ToThread =
  | { kind: 'start'; all: Start[] }
  | { kind: 'abort'; id: number }
  | {
      kind: 'answer';
      question: number;
      error?: PlainError;
      value?: unknown;
      context?: ChosenContext | undefined;
    }
  | { kind: 'secureContext'; options: ContextOptions; secrets: SharedSecrets; defaults: Defaults }
  | { kind: 'addContext'; context: NamedContext; defaults: Defaults }
  | { kind: 'ticketKeys'; ticketKeys: Uint8Array };

/** What the connections of a server mostly have in common. */
export interface Profile {
  suite: Suite;
  encryptThenMac: boolean;
  maxFragment: number | undefined;
  cipher: tls.CipherNameAndProtocol;
  protocol: string | null;
  sigalgs: readonly string[];
  /** Number of the server's own certificate; 0: none. */
  own: number;
  /** With the first profile that names it: DER. */
  der?: Uint8Array;
  /** All but the name that the client has asked for. */
  agreed: Omit<Agreed, 'servername'>;
}

/** What few connections have. */
export interface Extra {
  /** The peer's bytes behind the handshake. */
  rest?: Uint8Array;
  /** The client's certificate and those that have signed it, DER. */
  chain?: Uint8Array[];
  /** The last of the chain has signed itself. */
  isRooted?: boolean;
}

export type ThreadEvent =
  | {
      kind: 'failed';
      id: number;
      error: PlainError;
      servername: string | false | null;
      authorizationError: unknown;
    }
  /** The thread has let go of the connection, which is to be closed. */
  | { kind: 'released'; id: number }
  | { kind: 'keylog'; id: number; line: Uint8Array }
  | { kind: 'question'; id: number; question: number; event: Question; args: unknown[] };

export interface FromThread {
  events?: ThreadEvent[];
  /** Outcomes in the form of outcome.ts: keys, so it is transferred, and wiped afterwards. */
  done?: ArrayBuffer;
  profiles?: [number, Profile][];
  extras?: [id: number, Extra][];
}

/** Profiles, certificates and chosen contexts that both sides remember. Then both forget all, at the same message. */
export const MOST_REMEMBERED = 256;
