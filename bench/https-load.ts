import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { own } from './child.js';

/** Debian's packages of the load generators; nginx is there for the tests, too. */
const packages = { wrk: 'wrk', h2load: 'nghttp2-client', nginx: 'nginx' };

/** Why https can't be measured here, or null. */
export function loadUnavailable(): string | null {
  const missing = (Object.keys(packages) as (keyof typeof packages)[]).filter(
    (command) => spawnSync('which', [command], { env: withSbin }).status !== 0,
  );
  if (missing.length === 0) return null;
  return `missing: ${missing.join(', ')}. As root: apt-get install ${missing.map((one) => packages[one]).join(' ')}`;
}

export const withSbin = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };

/** CPU time of all threads of a process in microseconds, as the scheduler counts it. */
export function cpuTimeOf(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]);
    } catch {
      // It has just ended.
    }
  }
  return nanoseconds / 1000;
}

export interface Load {
  readonly requests: number;
  readonly seconds: number;
}

async function run(command: string, args: readonly string[]): Promise<string> {
  const child: ChildProcess = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  own(child);
  let text = '';
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${text}`);
  return text;
}

/** Asks for one URL again and again, by 32 connections of one thread. */
export async function wrk(url: string, seconds: number): Promise<Load> {
  const text = await run('wrk', ['-t1', '-c32', `-d${seconds}`, url]);
  const bad = /Non-2xx.*|Socket errors.*/.exec(text);
  const found = /(\d+) requests in ([\d.]+)s/.exec(text);
  if (bad || found === null) throw new Error(`wrk ${url}: ${bad?.[0] ?? text}`);
  return { requests: Number(found[1]), seconds: Number(found[2]) };
}

/** The same over http2: 8 connections with 16 streams each. */
export async function h2load(url: string, seconds: number): Promise<Load> {
  const text = await run('h2load', ['-t1', '-c8', '-m16', `-D${seconds}`, '--warm-up-time=0', url]);
  const found = /(\d+) total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed/.exec(text);
  if (found === null || found[2] !== found[3]) throw new Error(`h2load ${url}: ${text}`);
  return { requests: Number(found[3]), seconds };
}
