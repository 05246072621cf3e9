/** What a server of an https trial has to know. */
export interface HttpsJob {
  /** 'node', or the engine of so-crypt. */
  readonly way: string;
  readonly isHttp2: boolean;
  /** Of the files. */
  readonly folder: string;
}
