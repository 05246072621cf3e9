import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** poll(2)'s bits. */
export const POLLIN = 1;
export const POLLOUT = 4;
export const MSG = {
  peek: 2,
  dontwait: 0x40,
  waitall: 0x100,
  waitforone: 0x10000,
  more: 0x8000,
  eor: 0x80,
  ctrunc: 8,
} as const;
export const errno = {
  EIO: -5,
  EAGAIN: -11,
  EFAULT: -14,
  EEXIST: -17,
  ENODEV: -19,
  EINVAL: -22,
  EPIPE: -32,
  ENOENT: -2,
  E2BIG: -7,
  EBADMSG: -74,
  EMSGSIZE: -90,
  ENOPROTOOPT: -92,
  EOPNOTSUPP: -95,
  ECONNABORTED: -103,
  ECONNRESET: -104,
  ENOTCONN: -107,
  EKEYEXPIRED: -127,
} as const;

export interface Received {
  /** Bytes, or -errno. */
  result: number;
  /** The record type of the control message, -1 when there was none. */
  type: number;
  flags: number;
  data: Buffer;
}

/** The option is reached at SOL_SOCKET, which a patched kernel has, and TCP_ULP is set by it (pair.h). */
export const atSocket = process.env.SO_CRYPT_LEVEL === 'socket';

/** Milliseconds between what is sent together: more where lockdep slows everything down. */
const PATIENCE = existsSync('/proc/lockdep') ? 60 : 8;

/** driver.c: a TCP connection whose end `a` gets SO_CRYPT and whose end `b` is plain. */
export class Driver {
  readonly #process: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  constructor() {
    const folder = process.env.SO_CRYPT_BIN;
    if (!folder) throw new Error('run by npm run test:kernel');
    this.#process = spawn(`${folder}/driver`, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#answers = createInterface({ input: this.#process.stdout! })[Symbol.asyncIterator]();
  }

  async line(...words: (string | number)[]): Promise<string> {
    this.#process.stdin!.write(`${words.join(' ')}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`the driver ended at: ${words.slice(0, 3).join(' ')}`);
    return value;
  }

  async number(...words: (string | number)[]): Promise<number> {
    return Number(await this.line(...words));
  }

  /** A fresh connection; `a` is ours to arm. */
  async connect(family: 4 | 6 = 4): Promise<void> {
    await this.ok('connect', family);
    if (!atSocket) await this.ok('ulp', 'a');
  }

  /** A command that has to succeed. */
  async ok(...words: (string | number)[]): Promise<number> {
    const result = await this.number(...words);
    if (result < 0) throw new Error(`${words.slice(0, 2).join(' ')}: ${result}`);
    return result;
  }

  async arm(info: Uint8Array, end = 'a'): Promise<number> {
    return this.number('arm', end, Buffer.from(info).toString('hex'));
  }

  /** Plain bytes into the armed end. */
  async send(data: Uint8Array | string, { type = -1, flags = 0, end = 'a' } = {}): Promise<number> {
    return this.number('send', end, type, flags, Buffer.from(data as Uint8Array).toString('hex'));
  }

  /** Several messages by one sendmmsg(): how many went. `null` is one that the kernel can't read. */
  async sendMany(messages: (Uint8Array | null)[], flags = 0): Promise<number> {
    const texts = messages.map((data) => (data ? Buffer.from(data).toString('hex') : '-'));
    return this.number('sendmany', 'a', flags, ...texts);
  }

  /** Several messages by one recvmmsg(): how many came, and they. */
  async recvMany(count: number, { length = 65_536, flags = 0 } = {}): Promise<[number, ...Buffer[]]> {
    const [result, ...texts] = (await this.line('recvmany', 'a', count, length, flags)).split(' ');
    return [Number(result), ...texts.map((text) => Buffer.from(text, 'hex'))];
  }

  /** Bytes into the wire, towards the armed end. */
  async wire(data: Uint8Array): Promise<void> {
    const sent = await this.send(data, { end: 'b' });
    if (sent !== data.length) throw new Error(`the wire took ${sent} of ${data.length}`);
  }

  async recv(length = 65_536, { flags = 0, control = true, end = 'a' } = {}): Promise<Received> {
    const words = (await this.line('recv', end, length, flags, control ? 1 : 0)).split(' ');
    return {
      result: Number(words[0]),
      type: Number(words[1] ?? -1),
      flags: Number(words[2] ?? 0),
      data: Buffer.from(words[3] ?? '', 'hex'),
    };
  }

  /** What the wire carried, until nothing comes for `patience` ms (for the first bytes, 20 times as long). `ended`: 1 FIN, -errno, else 0. */
  async drain(end = 'b', patience = PATIENCE): Promise<{ data: Buffer; ended: number }> {
    const words = (await this.line('drain', end, patience)).split(' ');
    return { data: Buffer.from(words[2] ?? '', 'hex'), ended: Number(words[1]) };
  }

  async end(): Promise<void> {
    this.#process.stdin!.end();
    await new Promise((resolve) => this.#process.once('exit', resolve));
  }
}
