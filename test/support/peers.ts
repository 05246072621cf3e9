import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { certificates } from './certificates.js';
import { type Command, missingCommand } from './commands.js';
import { listeningPort } from './listening-port.js';
import { patient } from './patience.js';

/** How a child process ended. */
export interface Exit {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Options of all peers. */
export interface PeerOptions {
  /** Milliseconds after which the peer is killed and its promises reject. Default 15,000, more on a slow machine. */
  timeout?: number;
  /** s_server and s_client: with `-quiet`, so that stdin and stdout carry nothing but data. Default true. */
  quiet?: boolean;
  env?: NodeJS.ProcessEnv;
}

/** A child process that speaks TLS with the test. */
export class Peer {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #name: string;
  readonly #stdout: Buffer[] = [];
  readonly #stderr: Buffer[] = [];
  readonly #deadline: number;
  readonly #timer: NodeJS.Timeout;
  #failure: Error | undefined;
  #done = false;
  readonly #exit: Promise<number | null>;

  constructor(command: Command, args: readonly string[], { timeout = 15_000, env }: PeerOptions = {}) {
    const limit = patient(timeout);
    this.#name = `${command} ${args.join(' ')}`;
    this.#deadline = Date.now() + limit;
    this.#child = spawn(command, args, { stdio: 'pipe', env: { ...process.env, ...env } });
    this.#child.stdout.on('data', (chunk: Buffer) => this.#stdout.push(chunk));
    this.#child.stderr.on('data', (chunk: Buffer) => this.#stderr.push(chunk));
    this.#child.stdin.on('error', () => {}); // EPIPE: the exit tells more
    this.#timer = setTimeout(() => {
      this.#failure ??= this.#error(`did not end within ${limit} ms`);
      this.#child.kill('SIGKILL');
    }, limit);
    this.#exit = new Promise((resolve) => {
      const finish = (code: number | null) => {
        clearTimeout(this.#timer);
        this.#done = true;
        resolve(code);
      };
      this.#child.on('close', finish);
      this.#child.on('error', (error: NodeJS.ErrnoException) => {
        this.#failure ??= error.code === 'ENOENT' ? missingCommand(command) : error;
        finish(null);
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** What it has printed so far: with -quiet, the data that it has received. */
  get stdout(): Buffer {
    return Buffer.concat(this.#stdout);
  }

  get stderr(): string {
    return Buffer.concat(this.#stderr).toString();
  }

  /** Feeds stdin; a command letter of s_client and s_server needs a line of its own. */
  write(data: string | Uint8Array): void {
    this.#child.stdin.write(data);
  }

  /** Ends stdin: s_client and s_server then close the connection. */
  end(data?: string | Uint8Array): void {
    this.#child.stdin.end(data ?? '');
  }

  /** Resolves when the condition holds; rejects when the process ends without, or the time is up. */
  async until(condition: () => boolean, what: string): Promise<void> {
    while (!condition()) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#done) throw this.#error(`ended before: ${what}`);
      if (Date.now() > this.#deadline) throw this.#error(`not in time: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Resolves when stdout has a text, or so many bytes. */
  async printed(expected: string | number): Promise<Buffer> {
    const has = () =>
      typeof expected === 'number' ? this.stdout.length >= expected : this.stdout.includes(expected);
    await this.until(
      has,
      `stdout has ${typeof expected === 'number' ? `${expected} bytes` : `'${expected}'`}`,
    );
    return this.stdout;
  }

  /** Resolves when stderr has a text. */
  async complained(text: string): Promise<void> {
    await this.until(() => this.stderr.includes(text), `stderr has '${text}'`);
  }

  /** How it ended; rejects when it had to be killed for its time. */
  async exit(): Promise<Exit> {
    const code = await this.#exit;
    if (this.#failure !== undefined) throw this.#failure;
    return { code, stdout: this.stdout, stderr: this.stderr };
  }

  /** For cleanup: kills it if it still runs, and waits till it is gone. */
  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exit;
  }

  #error(what: string): Error {
    const printed = this.stdout.subarray(0, 2000).toString('latin1');
    return new Error(
      `${this.#name}\n${what}; stderr: ${this.stderr || '(nothing)'}; stdout: ${printed || '(nothing)'}`,
    );
  }
}

/** A Peer that listens on a loopback port. */
export interface ServerPeer {
  readonly peer: Peer;
  readonly port: number;
}

async function listen(args: string[], options: PeerOptions): Promise<ServerPeer> {
  const peer = new Peer('openssl', args, options);
  let port: number | undefined;
  try {
    await peer.until(() => {
      port = peer.pid === undefined ? undefined : listeningPort(peer.pid);
      return port !== undefined;
    }, 'it listens');
  } catch (error) {
    await peer.stop();
    throw error;
  }
  return { peer, port: port! };
}

/**
 * `openssl s_server` on a free port of 127.0.0.1, with the P-256 certificate unless `args` has a `-cert`. It
 * serves connections one after the other.
 */
export function opensslServer(args: readonly string[] = [], options: PeerOptions = {}): Promise<ServerPeer> {
  const { server } = certificates();
  const credential = args.includes('-cert') ? [] : ['-cert', server.certFile, '-key', server.keyFile];
  const quiet = (options.quiet ?? true) ? ['-quiet'] : [];
  return listen(['s_server', '-accept', '127.0.0.1:0', ...credential, ...quiet, ...args], options);
}

/**
 * `openssl s_client` to a port of 127.0.0.1, trusting the test CA. Without `quiet` the letters K, k, Q … are
 * commands.
 */
export function opensslClient(port: number, args: readonly string[] = [], options: PeerOptions = {}): Peer {
  const quiet = (options.quiet ?? true) ? ['-quiet', '-no_ign_eof'] : [];
  const base = ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', certificates().ca.certFile];
  return new Peer('openssl', [...base, ...quiet, ...args], options);
}

/**
 * What s_client prints (without -quiet) once the handshake is through; what it prints of tickets stays in its
 * buffer.
 */
export const handshakeDone = 'Verify return code: ';

/** Arguments of s_server and s_client that let them speak TLS 1.0 and 1.1, and with small keys. */
export const oldTls = ['-cipher', 'ALL:@SECLEVEL=0'] as const;

/** `curl --silent --show-error`, trusting the test CA; resolves when it has ended. */
export async function curl(args: readonly string[], options: PeerOptions = {}): Promise<Exit> {
  const base = ['--silent', '--show-error', '--cacert', certificates().ca.certFile, '--noproxy', '*'];
  return new Peer('curl', [...base, ...args], options).exit();
}
