import { createHash } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type net from 'node:net';
import { afterEach } from 'node:test';
import ssh2 from 'ssh2';
import * as ours from '../../lib/ssh.js';
import { hostKey, userKey } from './openssh.js';
import { Random } from './random.js';
import { until, waitFor } from './sockets.js';
import { closeAfterTest } from './tls-ends.js';

/** Whose ssh2 an end of a connection uses. */
export type Library = 'so-crypt' | 'ssh2';

/** The pairs of libraries that a test should run: client, server. */
export const libraryPairs: readonly (readonly [client: Library, server: Library])[] = [
  ['so-crypt', 'ssh2'],
  ['ssh2', 'so-crypt'],
  ['so-crypt', 'so-crypt'],
];

/** What passwordServer and {@link sshListener} let in. */
export const password = 'correct horse';

export interface SshListener {
  readonly server: ours.Server | ssh2.Server;
  readonly port: number;
  /** Connections, oldest first. */
  readonly connections: ours.Connection[];
  /** Errors of all connections. */
  readonly errors: Error[];
}

interface Listeners {
  readonly onConnection?: (connection: ours.Connection) => void;
  readonly onSession?: (session: ssh2.Session) => void;
}

/** Destroyed, whatever state it is in, when the test is over. */
const open = new Set<{ _sock?: { destroy(): void } }>();
afterEach(() => {
  for (const one of open) one._sock?.destroy();
  open.clear();
});

/** The same, as ssh2 does not have it. */
export function socketOf(connection: object): net.Socket {
  return (connection as { _sock: net.Socket })._sock;
}

/**
 * A listening server with {@link hostKey} that lets in {@link userKey} and {@link password}. It runs `cat` (sends back what comes),
 * `count` (tells how many bytes came, and their hash), `send N SEED` (N bytes of Random) and `exit N`; all else is up to the listeners.
 */
export async function sshListener(
  library: Library,
  config: Partial<ours.ServerConfig> = {},
  { onConnection, onSession }: Listeners = {},
): Promise<SshListener> {
  const Server = library === 'ssh2' ? ssh2.Server : ours.Server;
  const server = new Server({ hostKeys: [hostKey.private], ...config } as ours.ServerConfig);
  const listener: SshListener = { server, port: 0, connections: [], errors: [] };
  server.on('connection', (client: ssh2.Connection) => {
    const connection = client as ours.Connection;
    open.add(client as object);
    listener.connections.push(connection);
    connection.on('error', (error) => listener.errors.push(error));
    connection.on('authentication', authenticate);
    connection.on('session', (accept) => {
      const session = accept();
      session.on('exec', (acceptExec, _reject, { command }) => void run(command, acceptExec()));
      onSession?.(session);
    });
    onConnection?.(connection);
  });
  server.listen(0, '127.0.0.1');
  await waitFor(server, 'listening');
  closeAfterTest({ close: () => server.close() });
  return Object.assign(listener, { port: (server.address() as net.AddressInfo).port });
}

function authenticate(context: ssh2.AuthContext): void {
  if (context.method === 'password' && context.password === password) return context.accept();
  if (context.method !== 'publickey') return context.reject(['publickey', 'password']);
  const key = ssh2.utils.parseKey(userKey.public) as ssh2.ParsedKey;
  const isTheirs = key.getPublicSSH().equals(context.key.data);
  const { blob, signature, hashAlgo } = context as { blob?: Buffer; signature?: Buffer; hashAlgo?: string };
  if (isTheirs && (!signature || key.verify(blob!, signature, hashAlgo) === true)) context.accept();
  else context.reject(['publickey', 'password']);
}

async function run(command: string, channel: ssh2.ServerChannel): Promise<void> {
  const [name, ...args] = command.split(' ');
  const leave = (code: number): void => {
    channel.exit(code);
    channel.end();
  };
  switch (name) {
    case 'cat':
      channel.on('data', (bytes: Buffer) => {
        if (!channel.write(bytes)) {
          channel.pause();
          channel.once('drain', () => channel.resume());
        }
      });
      channel.once('end', () => leave(0));
      return;
    case 'count': {
      const hash = createHash('sha256');
      let bytes = 0;
      for await (const chunk of channel) {
        hash.update(chunk as Buffer);
        bytes += (chunk as Buffer).length;
      }
      channel.write(`${bytes} ${hash.digest('hex')}\n`);
      return leave(0);
    }
    case 'send': {
      channel.exit(0);
      channel.end(new Random(Number(args[1])).bytes(Number(args[0])));
      return;
    }
    case 'exit':
      channel.stderr.write('leaving\n');
      return leave(Number(args[0]));
    default:
      channel.stderr.write(`no ${name}\n`);
      leave(127);
  }
}

/** A client that begins to connect to 127.0.0.1; destroyed after the test. */
export function sshConnect(
  library: Library,
  port: number,
  config: ours.ConnectConfig = {},
): ours.Client | ssh2.Client {
  const client = library === 'ssh2' ? new ssh2.Client() : new ours.Client();
  open.add(client as object);
  const credentials = config.password === undefined ? { privateKey: userKey.private } : {};
  client.connect({ host: '127.0.0.1', port, username: 'tester', ...credentials, ...config });
  return client;
}

/** A client that is let in. */
export async function sshClient(
  library: Library,
  port: number,
  config: ours.ConnectConfig = {},
): Promise<ours.Client> {
  const client = sshConnect(library, port, config);
  await waitFor(client, 'ready', 20_000);
  return client as ours.Client;
}

/** Resolves when the connection is closed, whatever its errors. */
export async function closed(connection: EventEmitter, ms = 20_000): Promise<void> {
  let isClosed = false;
  connection.once('close', () => {
    isClosed = true;
  });
  await until(() => isClosed, 'the connection closes', ms);
}

/** Runs a command; resolves with its channel. */
export function exec(client: ssh2.Client, command: string): Promise<ssh2.ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => (error ? reject(error) : resolve(channel)));
  });
}

export interface Outcome {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs a command to its end, with all of `input` on its stdin. */
export async function execute(client: ssh2.Client, command: string, input?: Buffer): Promise<Outcome> {
  const channel = await exec(client, command);
  return outcome(channel, input);
}

/** What a channel brings, and its exit code; it gets all of `input`. */
export async function outcome(channel: ssh2.ClientChannel, input?: Buffer): Promise<Outcome> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  channel.on('data', (bytes: Buffer) => stdout.push(bytes));
  channel.stderr.on('data', (bytes: Buffer) => stderr.push(bytes));
  channel.end(input);
  const [code] = (await waitFor(channel, 'close', 60_000)) as [number | null];
  return { code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() };
}
