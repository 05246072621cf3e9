import { execFileSync } from 'node:child_process';
import { patient } from './patience.js';

/** Debian's packages of the commands that the tests run. */
const packages = {
  openssl: 'openssl',
  curl: 'curl',
  nginx: 'nginx',
  ssh: 'openssh-client',
  sftp: 'openssh-client',
  'ssh-keygen': 'openssh-client',
  // By its path: it starts itself again.
  '/usr/sbin/sshd': 'openssh-server',
} as const;

export type Command = keyof typeof packages;

/** The error for a command that isn't there: tests fail then, they are never skipped. */
export function missingCommand(command: Command): Error {
  return new Error(`the tests need the command '${command}': apt-get install ${packages[command]}`);
}

/** Runs a command to its end and returns its stdout. */
export function run(command: Command, args: readonly string[], cwd: string): Buffer {
  try {
    return execFileSync(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: patient(30_000) });
  } catch (error) {
    const { code, stderr } = error as NodeJS.ErrnoException & { stderr?: Buffer };
    if (code === 'ENOENT') throw missingCommand(command);
    throw new Error(`${command} ${args.join(' ')} failed: ${stderr?.toString() ?? code}`);
  }
}
