import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach } from 'node:test';
import { run } from './commands.js';
import { listeningPort } from './listening-port.js';
import { Peer, type PeerOptions } from './peers.js';
import { waitFor } from './sockets.js';

/** A key pair, also as a file that OpenSSH takes. */
export interface SshKey {
  readonly private: string;
  readonly public: string;
  readonly file: string;
}

/** Where the keys and other files of a test file are; removed when its tests are done. */
export const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'so-crypt-ssh-'));
after(() => fs.rmSync(folder, { recursive: true }));

// (The keys that ssh2 makes are malformed now and then.)
function makeKey(name: string): SshKey {
  run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', name], folder);
  const file = path.join(folder, name);
  return { private: `${fs.readFileSync(file)}`, public: `${fs.readFileSync(`${file}.pub`)}`.trim(), file };
}

export const hostKey = makeKey('host_key');
export const userKey = makeKey('user_key');
/** One that nobody has let in, and no host has. */
export const strangerKey = makeKey('stranger_key');

/** Whom sshd lets in with {@link userKey}: who runs the tests. */
export const username = os.userInfo().username;

const open = new Set<Peer>();
// Not waited for: sshd's processes for connections hold its stderr until those are closed.
afterEach(() => {
  for (const peer of open) void peer.stop();
  open.clear();
});

// sshd takes no port 0.
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await waitFor(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

let servers = 0;

/** An sshd of one's own on a free port of 127.0.0.1, with these lines in its configuration; stopped after the test. */
export async function opensshServer(lines: readonly string[] = []): Promise<number> {
  if (process.getuid?.() === 0) fs.mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const port = await freePort();
  const file = path.join(folder, `sshd_config.${servers++}`);
  const configuration = [
    ...lines, // sshd takes the first value that it reads
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${hostKey.file}`,
    `AuthorizedKeysFile ${userKey.file}.pub`,
    'PidFile none',
    'StrictModes no',
    'UsePAM no',
    'PermitRootLogin yes',
    'PrintMotd no',
    'Subsystem sftp internal-sftp',
    'MaxStartups 100',
    // bash reads ~/.bashrc when sshd starts it as the first shell, and what that does, or says, is not the test's.
    'SetEnv SHLVL=1',
  ];
  fs.writeFileSync(file, `${configuration.join('\n')}\n`);
  const peer = new Peer('/usr/sbin/sshd', ['-D', '-e', '-f', file], { timeout: 120_000 });
  open.add(peer);
  await peer.until(() => listeningPort(peer.pid!) !== undefined, 'sshd listens');
  return port;
}

function clientOptions(port: number, identity: SshKey): string[] {
  const known = path.join(folder, `known_hosts.${port}`);
  fs.writeFileSync(known, `[127.0.0.1]:${port} ${hostKey.public}\n`);
  const options = [
    `UserKnownHostsFile=${known}`,
    'GlobalKnownHostsFile=none',
    'StrictHostKeyChecking=yes',
    `IdentityFile=${identity.file}`,
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
  ];
  return ['-F', 'none', ...options.flatMap((option) => ['-o', option])];
}

export interface ClientOptions extends PeerOptions {
  /** Default: with {@link userKey}, and never asking for anything. */
  password?: string;
  identity?: SshKey;
}

function client(
  command: 'ssh' | 'sftp',
  port: number,
  before: readonly string[],
  behind: readonly string[],
  { password, identity = userKey, env, timeout = 60_000 }: ClientOptions,
): Peer {
  const asking =
    password === undefined
      ? ['-o', 'BatchMode=yes']
      : ['-o', 'PubkeyAuthentication=no', '-o', 'NumberOfPasswordPrompts=1'];
  const args = [
    ...before, // ssh, too, takes what comes first
    ...clientOptions(port, identity),
    ...asking,
    ...(command === 'ssh' ? ['-p', `${port}`] : ['-P', `${port}`]),
    `${username}@127.0.0.1`,
    ...behind,
  ];
  const peer = new Peer(command, args, {
    timeout,
    env: { ...env, ...(password !== undefined && askingEnv(password)) },
  });
  open.add(peer);
  return peer;
}

// Without a terminal ssh asks this program for the password.
function askingEnv(password: string): NodeJS.ProcessEnv {
  const file = path.join(folder, 'askpass');
  fs.writeFileSync(file, '#!/bin/sh\nprintf "%s\\n" "$SO_CRYPT_TEST_PASSWORD"\n', { mode: 0o700 });
  return { SSH_ASKPASS: file, SSH_ASKPASS_REQUIRE: 'force', SO_CRYPT_TEST_PASSWORD: password };
}

/** `ssh` to a port of 127.0.0.1, knowing {@link hostKey}; stopped after the test. */
export function ssh(
  port: number,
  command: readonly string[],
  args: readonly string[] = [],
  options: ClientOptions = {},
): Peer {
  return client('ssh', port, args, command, options);
}

/** `sftp` likewise, with commands for its batch. */
export function sftp(
  port: number,
  commands: readonly string[],
  args: readonly string[] = [],
  options: ClientOptions = {},
): Peer {
  const peer = client('sftp', port, ['-b', '-', ...args], [], options);
  peer.end(`${commands.join('\n')}\n`);
  return peer;
}
