import fs from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { pause } from './patience.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Descriptors that this process has open. */
export const descriptors = (): number => fs.readdirSync('/proc/self/fd').length;

/** Bytes of memory that this process has once what is garbage is gone. */
export async function settledMemory(): Promise<number> {
  for (let i = 0; i < 5; i++) {
    collectGarbage();
    await pause(30);
  }
  return process.memoryUsage().rss;
}
