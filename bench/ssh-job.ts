/** What a worker of an SSH trial has to know. */
export interface SshJob {
  /** ssh2: the package alone; else so-crypt/ssh on this engine. */
  readonly library: string;
  readonly cipher: string;
  readonly mac: string | null;
  readonly operation: SshOperation;
  /** Bytes of a pass. */
  readonly bytes: number;
  /** Passes that are not measured, and those that are. */
  readonly warmup: number;
  readonly passes: number;
  /** Keys of the host and the user; where files are. */
  readonly folder: string;
}

/** Through a command's stdout and stdin, and a file down and up by SFTP; as the client sees it. */
export const sshOperations = ['exec receive', 'exec send', 'sftp get', 'sftp put'] as const;
export type SshOperation = (typeof sshOperations)[number];
