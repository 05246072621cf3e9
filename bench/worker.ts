import { Mailbox } from './mailbox.js';
import type { CpuTime, Envelope, Messages, MessageType } from './messages.js';

// The worker's end of the IPC channel. A worker prints nothing: what it throws goes to stderr, which main shows.

const mailbox = new Mailbox();
process.on('message', (message) => mailbox.put(message as Envelope));
// Without main there is nobody to report to, and a worker that stayed would load the machine for the next run.
process.on('disconnect', () => process.exit(1));

/** The job that main has forked this worker for. */
export function jobOf<T>(): T {
  return JSON.parse(process.argv[2] ?? 'null') as T;
}

export function expect<K extends MessageType>(type: K): Promise<Messages[K]> {
  return mailbox.expect(type);
}

export function report<K extends MessageType>(type: K, body: Messages[K]): void {
  process.send?.({ type, body } satisfies Envelope<K>);
}

/** Starts to count this process's CPU time; the function it returns tells the seconds since. All threads count. */
export function startCpu(): () => CpuTime {
  const start = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(start);
    return { user: user / 1e6, system: system / 1e6 };
  };
}
