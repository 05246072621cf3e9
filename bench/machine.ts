import { execFile } from 'node:child_process';
import { cpus, release, type } from 'node:os';
import { promisify } from 'node:util';

/** Where the numbers come from; without it they can't be compared with any others. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
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

export async function describeMachine(): Promise<Machine> {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    kernel: `${type()} ${release()}`,
    node: process.version,
    openssl: process.versions.openssl ?? 'unknown',
    commit: await commit(),
    date: new Date().toISOString(),
  };
}
