// A folder of things that are expensive to make: each is made once, in a temporary folder beside its place, and then renamed. A lock
// keeps two runs from making the same; a run that is killed leaves nothing half-made behind a good name.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { unavailable } from './failure.mjs';

/** Shared by all checkouts: a fresh clone finds its kernels here. */
export const cacheFolder = join(process.env.SO_CRYPT_CACHE || join(homedir(), '.cache', 'so-crypt'), 'vm');

const unfinished = '.making-';

export const isCached = (name) => existsSync(join(cacheFolder, name));

/**
 * flock(1) holds the lock as long as its standard input is open. So the lock ends with this process however that ends. The function that is
 * returned ends it at once, also where the event loop does not turn before somebody else is waited for (spawnSync).
 */
export async function lock(name) {
  const holder = spawn('flock', ['-o', join(cacheFolder, name), 'sh', '-c', 'echo; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  // 'end' without data: flock failed, and has said why.
  const locked = once(holder.stdout, 'data').then(() => true);
  const failed = Promise.race([once(holder, 'error'), once(holder.stdout, 'end')]).then(() => false);
  if (!(await Promise.race([locked, failed])))
    throw unavailable('flock(1) (package util-linux) does not work');
  return () => {
    holder.stdin.end();
    holder.kill('SIGKILL');
  };
}

/**
 * The path of `name` in the cache. If it is not there, or `stale(path)`, `make(folder)` makes it: it fills the folder, or it may return the
 * path of something in it that alone is to be kept.
 */
export async function cached(name, make, stale = () => false) {
  const place = join(cacheFolder, name);
  const good = () => existsSync(place) && !stale(place);
  if (good()) return place;
  mkdirSync(cacheFolder, { recursive: true });
  const unlock = await lock('lock');
  for (const left of readdirSync(cacheFolder).filter((name) => name.startsWith(unfinished)))
    rmSync(join(cacheFolder, left), { recursive: true, force: true });
  const folder = mkdtempSync(join(cacheFolder, unfinished));
  const old = mkdtempSync(join(cacheFolder, unfinished));
  try {
    if (good()) return place;
    const made = (await make(folder)) ?? folder;
    if (existsSync(place)) renameSync(place, join(old, 'old'));
    renameSync(made, place);
    return place;
  } finally {
    for (const left of [folder, old]) rmSync(left, { recursive: true, force: true });
    unlock();
  }
}
