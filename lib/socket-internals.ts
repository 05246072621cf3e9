import type { CipherName, MacName } from './crypt-options.js';
import type { SoCryptError } from './errors.js';
import type { Terms } from './kernel/engine.js';
import type { KernelPort } from './kernel/port.js';
import type { SshCipherName, SshMacName } from './packets/options.js';
import type { Callback } from './records/direction.js';
import type { RecordStream } from './records/record-stream.js';
import type { Relay } from './relay/relay.js';
import type { FileTransfer } from './send-file.js';

import type { SendableHandle } from './sent-away.js';

/** libuv's handle, as far as it is used here. */
export interface Handle {
  isStreamBase?: boolean;
  reading?: boolean;
  readonly fd?: number;
  readonly writeQueueSize?: number;
  readStart?(): number;
  readStop?(): number;
  hasRef?(): boolean;
}

/** Takes the bytes of a connection in place of the stream, while a handshake runs. */
export interface Tap {
  /** False: read no more until {@link kReadOn} is called. */
  receive(bytes: Buffer): boolean;
  /** FIN. */
  end(): void;
}

/** A chunk of the writable side's queue. */
export interface Entry {
  chunk: Buffer | string;
  encoding: BufferEncoding | 'buffer';
}

/** All a Socket knows beyond net.Socket. A plain socket has none. */
export class State {
  records: RecordStream | null = null;
  cipher: CipherName | SshCipherName | undefined;
  mac: MacName | SshMacName | undefined;
  driver: string | undefined;
  /** Application writes wait here until the socket is armed. null: they need not. */
  gate: { run: () => void; fail: Callback }[] | null = null;
  tap: Tap | null = null;
  /** The descriptor, for system calls beside libuv's. */
  port: KernelPort | undefined;
  /** The write direction may go over to the kernel, on these terms. */
  upgradeTerms: Terms | undefined;
  /** Files in the writable queue, by the empty Buffer that holds their place. */
  files: Map<Buffer, FileTransfer> | undefined;
  /** Bytes that sendfile(2) has sent, which libuv does not count. (-0 as in RecordStream.) */
  fileBytes = -0;
  /** Carries the plaintext to a handle of its own. */
  relay: Relay | null = null;
  /** Entries of the writable queue that were written before the write direction was armed. */
  plainEntries = 0;
  /** Entries that have left the writable queue and wait for those of another kind before them. */
  heldEntries = 0;
  /** Waits until the data before it is consumed. */
  truncation: SoCryptError | undefined;
  /** The handle as it was when Node's `send()` came. */
  sendable: SendableHandle | undefined;
  /** A read, or the end of a write, for which the timer does not run anew yet. */
  isTouched = false;
  /** Writes in this turn of the event loop. */
  writes = 0;
  /** The stream is corked by us. */
  corked = false;
  /** The last turn brought several writes. */
  streaming = false;
}

export const kState = Symbol('so-crypt.state');
export const kEnsureState = Symbol('so-crypt.ensureState');
export const kArm = Symbol('so-crypt.arm');
export const kOpenGate = Symbol('so-crypt.openGate');
export const kHideHandle = Symbol('so-crypt.hideHandle');
export const kReadOn = Symbol('so-crypt.readOn');
export const kRawWrite = Symbol('so-crypt.rawWrite');
export const kRawWritev = Symbol('so-crypt.rawWritev');
export const kOnread = Symbol('so-crypt.onread');
export const kReceive = Symbol('so-crypt.receive');
export const kDeliver = Symbol('so-crypt.deliver');
export const kHold = Symbol('so-crypt.hold');
export const kSealNow = Symbol('so-crypt.sealNow');
export const kFlushCork = Symbol('so-crypt.flushCork');
export const kOneByOne = Symbol('so-crypt.oneByOne');
export const kPort = Symbol('so-crypt.port');
export const kPlace = Symbol('so-crypt.place');
export const kRunFile = Symbol('so-crypt.runFile');
