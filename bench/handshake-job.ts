import type { CredentialName } from './certificate.js';

/** What the server and the load generator of a handshake trial have to know. */
export interface HandshakeJob {
  readonly engine: string;
  readonly cipher: string;
  readonly resume: boolean;
  /** Handshakes at the same time. */
  readonly concurrency: number;
  readonly certificate?: CredentialName;
  /** Handshakes after which the server says that it is warm. */
  readonly warmup?: number;
  /** so-crypt's handshakeWorkers. */
  readonly workers?: number;
}
