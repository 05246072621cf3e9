import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { own } from './child.js';

/** Counts the system calls of a running process, all its threads included, until it is stopped. */
export interface CallCounter {
  stop(): Promise<number>;
}

/** Why system calls can't be counted here, or null when they can. */
export function countingUnavailable(): string | null {
  const { error } = spawnSync('strace', ['-V'], { stdio: 'ignore' });
  if (error !== undefined) return 'strace is not installed (apt-get install strace)';
  // strace may be there and ptrace forbidden, as in many containers.
  const { status, stderr } = spawnSync('strace', ['-c', 'true'], { encoding: 'utf8' });
  return status === 0 ? null : `strace does not work here: ${stderr.split('\n')[0]}`;
}

/** Takes the sum out of the table that `strace -c` prints; the fourth column of its last line. */
export function totalCalls(summary: string): number {
  const total = /^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?total\s*$/m.exec(summary)?.[1];
  // A phase without any call has no table at all.
  if (total === undefined && summary.includes('% time'))
    throw new Error(`unexpected summary of strace:\n${summary}`);
  return Number(total ?? 0);
}

export async function attachCounter(pid: number): Promise<CallCounter> {
  const strace = spawn('strace', ['-c', '-f', '-p', String(pid)], { stdio: ['ignore', 'ignore', 'pipe'] });
  own(strace);
  let output = '';
  await new Promise<void>((resolve, reject) => {
    strace.once('error', reject);
    strace.once('close', () => reject(new Error(`strace ended: ${output}`)));
    strace.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      // The one line that names the process with all of its threads: from here on no call is missed.
      if (output.includes(' attached')) resolve();
    });
  });
  return {
    async stop() {
      const closed = once(strace, 'close');
      // On SIGINT strace detaches, prints its summary and leaves the process running.
      strace.kill('SIGINT');
      await closed;
      return totalCalls(output);
    },
  };
}
