import { type ChildProcess, fork } from 'node:child_process';
import { Mailbox } from './mailbox.js';
import type { Envelope, Messages, MessageType } from './messages.js';

const running = new Set<ChildProcess>();

/** For Ctrl-C and for errors: no process of the bench outlives it. */
export function killChildren(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** Puts a helper command, such as strace, under the same care as the workers. */
export function own(child: ChildProcess): void {
  running.add(child);
  child.once('exit', () => running.delete(child));
}

export interface ChildSetup {
  /** Milliseconds after which the process is killed: a hang must not be one of the whole bench. */
  readonly timeLimit?: number;
  readonly execArgv?: readonly string[];
}

/** A worker process: dist/bench/<module>.js with a job. */
export class Child {
  readonly #process: ChildProcess;
  readonly #mailbox = new Mailbox();
  readonly #exited: Promise<void>;
  #stderr = '';

  constructor(module: string, job: object, { timeLimit = 120_000, execArgv = [] }: ChildSetup = {}) {
    const child = fork(new URL(`./${module}.js`, import.meta.url), [JSON.stringify(job)], {
      execArgv: [...execArgv],
      // stdout belongs to the table or the JSON document alone.
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#process = child;
    own(child);

    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, timeLimit);

    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    child.on('message', (message) => this.#mailbox.put(message as Envelope));
    child.once('error', (error) => this.#mailbox.fail(error));
    // 'close' comes after the last of stderr, 'exit' may come before it.
    this.#exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        clearTimeout(timer);
        const why = late ? `was killed after ${timeLimit / 1000} s` : `ended (${signal ?? `code ${code}`})`;
        this.#mailbox.fail(new Error(`${module} ${why}: ${JSON.stringify(job)}\n${this.#stderr}`.trimEnd()));
        resolve();
      });
    });
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  send<K extends MessageType>(type: K, body: Messages[K]): void {
    // A failed send means that the process is gone, which its 'close' reports with the reason.
    this.#process.send({ type, body } satisfies Envelope<K>, () => {});
  }

  expect<K extends MessageType>(type: K): Promise<Messages[K]> {
    return this.#mailbox.expect(type);
  }

  /** Kills the process, which has done its work or failed, and waits until it is gone. */
  async stop(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exited;
  }
}

/** Runs `work` with worker processes that are gone afterwards, however it ends. */
export async function withChildren<T>(children: readonly Child[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
}
