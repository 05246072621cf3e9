// SPDX-License-Identifier: MIT
// Requests to `so_crypt_test records`: all are written first, then answered in one run.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import type { CipherName, MacName, Protocol } from '../../lib/crypt-options.js';

const protocols: Record<Protocol, number> = { 'tls1.0': 1, 'tls1.1': 2, 'tls1.2': 3, 'tls1.3': 4 };

/** What the option's struct is filled with. */
export interface Fields {
  protocol: number;
  flags?: number;
  cipher: string;
  mac?: string | undefined;
  key: Uint8Array;
  mackey?: Uint8Array | undefined;
  iv?: Uint8Array | undefined;
  seq?: bigint | number | undefined;
  tag?: number;
  max?: number;
  layout?: Uint8Array;
}

/** The kernel's names of a TLS suite. */
export function tlsFields(
  protocol: Protocol,
  cipher: CipherName,
  mac: MacName | undefined,
  encryptThenMac: boolean,
): Pick<Fields, 'protocol' | 'flags' | 'cipher' | 'mac' | 'tag'> {
  const kernel = /gcm|ccm/.test(cipher)
    ? `${cipher.slice(8, 11)}(aes)`
    : cipher.includes('poly')
      ? 'rfc7539(chacha20,poly1305)'
      : cipher.startsWith('des')
        ? 'cbc(des3_ede)'
        : 'cbc(aes)';
  const macName = mac && `hmac(${mac.slice('hmac-'.length)})`;
  const tag = cipher.endsWith('ccm8') ? 8 : 0;
  return { protocol: protocols[protocol], flags: encryptThenMac ? 1 : 0, cipher: kernel, mac: macName, tag };
}

export interface Message {
  type: number;
  text: Buffer;
}

export interface Answer {
  /** The stream that was sealed. */
  wire: Buffer;
  /** What was opened: adjacent application data comes in one piece. */
  messages: Message[];
  error: number;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

function encode(fields: Fields): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value instanceof Uint8Array ? hex(value) : value}`)
    .join(' ');
}

function decode(line: string): Answer {
  const answer: Answer = { wire: Buffer.alloc(0), messages: [], error: 0 };
  const tokens = line.split(' ');
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (token === 'error') answer.error = Number(tokens[++i]);
    else if (token.includes(':')) {
      const [type, text] = token.split(':');
      answer.messages.push({ type: Number(type), text: Buffer.from(text!, 'hex') });
    } else if (token !== 'ok') answer.wire = Buffer.from(token, 'hex');
  }
  return answer;
}

export class Requests {
  readonly #lines: string[] = [];
  readonly #checks: ((answer: Answer) => void)[] = [];

  /** Seal the messages; random are the first random bytes the kernel gets. */
  seal(fields: Fields, messages: Message[], check: (answer: Answer) => void, random?: Uint8Array): void {
    const data = messages.map(({ type, text }) => `data=${type}:${hex(text)}`).join(' ');
    this.#lines.push(`seal ${encode(fields)}${random ? ` random=${hex(random)}` : ''} ${data} `);
    this.#checks.push(check);
  }

  open(fields: Fields, wire: Uint8Array, check: (answer: Answer) => void): void {
    this.#lines.push(`open ${encode(fields)} wire=${hex(wire)} `);
    this.#checks.push(check);
  }

  /** Run the program, and check all answers. Returns their number. */
  run(program: string): number {
    const { stdout, stderr, status } = spawnSync(program, ['records'], {
      input: this.#lines.map((line) => `${line}\n`).join(''),
      maxBuffer: 1 << 30,
      encoding: 'utf8',
    });
    const answers = stdout.split('\n');
    this.#checks.forEach((check, i) => {
      assert.ok(i < answers.length - 1, `no answer to ${this.#lines[i]!.slice(0, 300)}: ${stderr}`);
      try {
        check(decode(answers[i]!));
      } catch (error) {
        process.stderr.write(`${this.#lines[i]!.slice(0, 600)}\n${answers[i]!.slice(0, 600)}\n`);
        throw error;
      }
    });
    assert.equal(status, 0, stderr);
    return answers.length - 1;
  }
}

/** Join what a reader gets in one piece. */
export function joined(messages: readonly Message[]): Message[] {
  const out: Message[] = [];
  for (const { type, text } of messages) {
    const last = out[out.length - 1];
    if (type === 23 && last?.type === 23) last.text = Buffer.concat([last.text, text]);
    else if (text.length > 0) out.push({ type, text });
  }
  return out;
}
