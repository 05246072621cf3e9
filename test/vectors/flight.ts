import type { CipherName, MacName, Protocol } from '../../lib/crypt-options.js';

/** One record of a trace. */
export interface TraceRecord {
  /** Content type; in TLS 1.3 the inner one. */
  readonly type: number;
  /** On the wire, with its header, in hex. */
  readonly record: string;
  /** In hex. */
  readonly plaintext: string;
}

/** Records that follow each other in one direction under one key. */
export interface Flight {
  readonly source: string;
  readonly protocol: Protocol;
  readonly cipher: CipherName;
  readonly mac?: MacName;
  /** Hex, as `DirectionKeys` takes them. The iv of TLS 1.0 CBC is that of the first record here. */
  readonly key: string;
  readonly iv?: string;
  readonly macKey?: string;
  readonly secret?: string;
  /** Sequence number of the first record. */
  readonly sequence: number;
  readonly records: readonly TraceRecord[];
}
