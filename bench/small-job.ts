/** What the small operations are measured with. */
export interface SmallJob {
  readonly engine: string;
  readonly ciphers: readonly string[];
  /** Milliseconds that each seal and open is repeated. */
  readonly ms: number;
  /** How often the operations are done that take a connection each. */
  readonly connections: number;
}
