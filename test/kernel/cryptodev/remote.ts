import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';

/** Where scripts/test-cryptodev.mjs has put the programs of this folder. */
export function program(name: string): string {
  const folder = process.env.SO_CRYPT_KERNEL_BUILD;
  if (folder === undefined) throw new Error('these tests are run by `npm run test:kernel`');
  return join(folder, 'bin', name);
}

/** Of two names for one number the kernel's: EAGAIN and EOPNOTSUPP. */
const errnoNames = new Map(
  Object.entries(constants.errno)
    .filter(([name]) => name !== 'EWOULDBLOCK' && name !== 'ENOTSUP')
    .map(([name, number]) => [number, name]),
);

/** A system call failed; `code` is the errno's name. */
export class SystemCallError extends Error {
  constructor(
    readonly code: string,
    what: string,
  ) {
    super(`${what}: ${code}`);
  }
}

// One that a failed test leaves behind would keep this process alive.
const running = new Set<ChildProcessWithoutNullStreams>();
after(() => {
  for (const child of running) child.kill();
});

/** The program remote.c: system calls on the device, by a process that is not Node. */
export class Remote {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting: ((line: string) => void)[] = [];
  base = 0;
  size = 0;

  static async start(): Promise<Remote> {
    const remote = new Remote();
    const [base, size] = (await remote.say('arena')).split(' ').map(Number);
    remote.base = base!;
    remote.size = size!;
    return remote;
  }

  private constructor() {
    this.#child = spawn(program('cryptodev-remote'));
    this.#child.stderr.pipe(process.stderr);
    running.add(this.#child);
    this.#child.once('exit', () => running.delete(this.#child));
    createInterface(this.#child.stdout).on('line', (line) => this.#waiting.shift()!(line));
  }

  /** One line there, one line back. */
  say(line: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#child.once('exit', reject);
      this.#waiting.push((answer) => {
        this.#child.off('exit', reject);
        resolve(answer);
      });
      this.#child.stdin.write(`${line}\n`);
    });
  }

  /** A command that answers with a number; errno as a SystemCallError. */
  async call(line: string): Promise<number> {
    const result = Number(await this.say(line));
    if (result < 0) throw new SystemCallError(errnoNames.get(-result) ?? `errno ${-result}`, line);
    return result;
  }

  async put(offset: number, data: Uint8Array): Promise<void> {
    if (data.length > 0) await this.say(`put ${offset} ${Buffer.from(data).toString('hex')}`);
  }

  async get(offset: number, length: number): Promise<Buffer> {
    return Buffer.from(await this.say(`get ${offset} ${length}`), 'hex');
  }

  async end(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin.end();
    await gone;
  }
}
