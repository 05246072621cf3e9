import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import * as ours from '../lib/ssh.js';
import type { SshJob } from './ssh-job.js';

/** The same classes, of the package alone or of so-crypt. */
export function libraryOf({ library }: SshJob): { Client: typeof ours.Client; Server: typeof ours.Server } {
  return (library === 'ssh2' ? ssh2 : ours) as typeof ours;
}

/** Options of both ends. */
export function optionsOf({ library, cipher, mac }: SshJob): { algorithms: ours.Algorithms } {
  const algorithms = { cipher: [cipher], ...(mac !== null && { hmac: [mac] }) } as ours.Algorithms;
  const engine = library === 'ssh2' ? {} : { engine: library };
  return { algorithms, ...engine };
}

export function readKey({ folder }: SshJob, name: 'host_key' | 'user_key'): Buffer {
  return readFileSync(join(folder, name));
}
