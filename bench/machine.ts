import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, type } from 'node:os';
import { promisify } from 'node:util';

/** Where the numbers come from; without it they can't be compared with any others. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
  /** TCP's, of sockets that ask for none; null: the kernel does not tell. */
  readonly congestionControl: string | null;
  readonly node: string;
  readonly openssl: string;
  /** `-dirty` is appended when the tree has changes. null outside a git checkout. */
  readonly commit: string | null;
  readonly date: string;
}

async function commit(): Promise<string | null> {
  try {
    const args = ['describe', '--always', '--abbrev=40', '--dirty', '--exclude=*'];
    const { stdout } = await promisify(execFile)('git', args, { cwd: new URL('.', import.meta.url) });
    return stdout.trim();
  } catch {
    return null;
  }
}

function congestionControl(): string | null {
  try {
    return readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'latin1').trim();
  } catch {
    return null;
  }
}

/** What slows down all that goes over loopback, and more so who sends much at a time; null: nothing. */
export function pacingOf({ congestionControl }: Machine): string | null {
  if (congestionControl !== 'bbr') return null;
  return (
    'bbr paces what goes over loopback, too, with a timer for each 64 KB; with net.ipv4.tcp_congestion_control=cubic, ' +
    "Linux's default, all is faster, and what sends much at a time gains most"
  );
}

export async function describeMachine(): Promise<Machine> {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    kernel: `${type()} ${release()}`,
    congestionControl: congestionControl(),
    node: process.version,
    openssl: process.versions.openssl ?? 'unknown',
    commit: await commit(),
    date: new Date().toISOString(),
  };
}
