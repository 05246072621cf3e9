/** What a sender and a receiver have to know of their trial. */
export interface BulkJob {
  readonly engine: string;
  readonly cipher: string;
  /** Bytes that each write() gets. */
  readonly chunk: number;
  /** Bytes of one pass: the file, or its beginning. */
  readonly bytes: number;
  /** How often they go over the connection before anything is measured. */
  readonly warmup: number;
  /** How often they go over it measured. */
  readonly passes: number;
  readonly file: string;
}

// The receiver acknowledges a pass with one byte once it has all of it: the sender's clock then covers the
// arrival too, and not only the copy into the socket buffers.
export const acknowledgement = Buffer.from([6]);
