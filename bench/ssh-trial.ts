import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child, own } from './child.js';
import type { CpuTime } from './messages.js';
import { opensshCommand } from './openssh.js';
import type { SshJob } from './ssh-job.js';

/** What one round of a trial took: a job's passes by one connection. */
export interface SshSample {
  readonly seconds: number;
  /** CPU of the client; of OpenSSH all processes on that side. */
  readonly client: CpuTime;
  /** Of the server, where it is ours to ask. */
  readonly server: CpuTime | null;
}

/**
 * The processes of one row. They stay for all rounds: in the first gigabyte of a fresh one V8's compilers take up to a third.
 */
export interface SshTrial {
  /** Once, before all rounds. */
  warm(): Promise<void>;
  time(): Promise<SshSample>;
  stop(): Promise<unknown>;
}

/** A client of a library to sshd. */
export function clientTrial(job: SshJob, port: number, timeLimit: number): SshTrial {
  const client = new Child('ssh-client', job, { timeLimit });
  return {
    async warm() {
      client.send('connect', { port });
      await client.expect('warm');
    },
    async time() {
      client.send('start', {});
      const { seconds, cpu } = await client.expect('sent');
      return { seconds, client: cpu, server: null };
    },
    stop: () => client.stop(),
  };
}

/** A client and a server of the same library. */
export function pairTrial(job: SshJob, timeLimit: number): SshTrial {
  const server = new Child('ssh-server', job, { timeLimit });
  const client = new Child('ssh-client', job, { timeLimit });
  return {
    async warm() {
      client.send('connect', await server.expect('listening'));
      await client.expect('warm');
    },
    async time() {
      server.send('start', {});
      await server.expect('started');
      client.send('start', {});
      const { seconds, cpu } = await client.expect('sent');
      server.send('stop', {});
      return { seconds, client: cpu, server: (await server.expect('received')).cpu };
    },
    stop: () => Promise.all([client.stop(), server.stop()]),
  };
}

/** OpenSSH's client to sshd. Each pass is a connection of its own; the time of an empty one is taken off. */
export function opensshTrial(job: SshJob, port: number): SshTrial {
  const file = (name: string, bytes: number): void =>
    writeFileSync(join(job.folder, name), Buffer.alloc(bytes, 'so-crypt'));
  const measure = async (bytes: number, passes: number): Promise<SshSample> => {
    if (job.operation !== 'exec receive') file(job.operation === 'sftp get' ? 'remote' : 'local', bytes);
    const command = opensshCommand({ ...job, bytes }, port);
    return timeShell(Array(passes).fill(command).join(' && '));
  };
  const less = (one: number, other: number): number => Math.max(0.001, one - other);
  return {
    async warm() {
      await measure(1, 1);
    },
    async time() {
      const empty = await measure(1, job.passes);
      const full = await measure(job.bytes, job.passes);
      return {
        seconds: less(full.seconds, empty.seconds),
        client: {
          user: less(full.client.user, empty.client.user),
          system: less(full.client.system, empty.client.system),
        },
        server: null,
      };
    },
    stop: async () => {},
  };
}

// The shell tells what its children took.
async function timeShell(command: string): Promise<SshSample> {
  const start = performance.now();
  const child = spawn('bash', ['-c', `${command}; status=$?; times; exit $status`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  own(child);
  let output = '';
  let errors = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  child.stderr.on('data', (text) => {
    errors += text;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`${command} failed: ${errors}`);
  const [user, system] = output
    .trim()
    .split('\n')
    .at(-1)!
    .split(' ')
    .map((text) => {
      const [, minutes, seconds] = /^(\d+)m([\d.]+)s$/.exec(text)!;
      return Number(minutes) * 60 + Number(seconds);
    });
  const seconds = (performance.now() - start) / 1000;
  return { seconds, client: { user: user!, system: system! }, server: null };
}
