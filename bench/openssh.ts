import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { own } from './child.js';
import type { SshJob } from './ssh-job.js';

const SSHD = '/usr/sbin/sshd';

/** Why OpenSSH can't be measured here; null: it can. */
export function opensshUnavailable(): string | null {
  return existsSync(SSHD) ? null : 'no sshd: apt-get install openssh-server openssh-client';
}

/** Keys, and files to transfer. */
export function makeFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'so-crypt-bench-ssh-'));
  for (const name of ['host_key', 'user_key'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(path, name)]);
  copyFileSync(join(path, 'user_key.pub'), join(path, 'authorized_keys'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** An sshd that lets in the folder's user_key. */
export async function startSshd(folder: string): Promise<{ port: number; stop(): void }> {
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const port = await freePort();
  const file = join(folder, 'sshd_config');
  const lines = [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${join(folder, 'host_key')}`,
    `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
    'PidFile none',
    'StrictModes no',
    'UsePAM no',
    'PermitRootLogin yes',
    'Subsystem sftp internal-sftp',
    // bash reads ~/.bashrc when sshd starts it as the first shell, which can take as long as the transfer.
    'SetEnv SHLVL=1',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const child = spawn(SSHD, ['-D', '-f', file], { stdio: 'ignore' });
  own(child);
  await listening(child, port);
  return { port, stop: () => child.kill('SIGKILL') };
}

async function listening(child: ChildProcess, port: number): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (child.exitCode !== null) throw new Error('sshd ended: is its configuration allowed here?');
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (open) return;
    await sleep(50);
  }
  throw new Error('sshd does not listen');
}

/** The command by which OpenSSH's own client does a job's passes. */
export function opensshCommand({ operation, bytes, folder, cipher, mac }: SshJob, port: number): string {
  const options = [
    '-F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o IdentityAgent=none',
    `-i ${join(folder, 'user_key')} -o Ciphers=${cipher}`,
    mac === null ? '' : `-o MACs=${mac}`,
  ].join(' ');
  const target = `${userInfo().username}@127.0.0.1`;
  const [local, remote] = [join(folder, 'local'), join(folder, 'remote')];
  switch (operation) {
    case 'exec receive':
      return `ssh ${options} -p ${port} ${target} 'head -c ${bytes} /dev/zero' > /dev/null`;
    case 'exec send':
      return `ssh ${options} -p ${port} ${target} 'cat > /dev/null' < ${local}`;
    case 'sftp get':
      return `echo 'get ${remote} ${local}' | sftp -q ${options} -P ${port} -b - ${target} > /dev/null`;
    default:
      return `echo 'put ${local} ${remote}' | sftp -q ${options} -P ${port} -b - ${target} > /dev/null`;
  }
}
