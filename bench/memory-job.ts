/** What the server and the client of a memory trial have to know. */
export interface MemoryJob {
  readonly engine: string;
  readonly cipher: string;
}
