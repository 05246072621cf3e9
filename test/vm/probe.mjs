// What only a boot can tell, asked once per machine and remembered in the cache.
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, hostname, release } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { boot } from './boot.mjs';
import { cached, cacheFolder } from './cache.mjs';
import { say } from './tools.mjs';

const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });

/** Whether a boot with these options gets as far as a command. */
async function boots({ kernel, initramfs, options, signal }) {
  const probe = { memory: '1G', cpus: 1, accelerator: false, icount: false, ...options };
  const result = await boot({
    ...{ kernel, initramfs, signal, options: probe, command: ['true'], directory: '/' },
    ...{ stdout: nowhere(), stderr: nowhere() },
  });
  signal?.throwIfAborted();
  return result.end === 'exit' && result.status === 0;
}

async function remembered(name, ask) {
  const place = join(cacheFolder, name);
  if (!existsSync(place)) {
    const answer = await ask();
    await cached(name, (folder) => {
      writeFileSync(join(folder, 'answer'), `${answer}\n`);
      return join(folder, 'answer');
    });
  }
  return readFileSync(place, 'utf8').trim();
}

/** KVM where it works. A machine that is virtual itself may have /dev/kvm and yet hang on a stock kernel. */
export async function kvmWorks(kernel, initramfs, signal) {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch {
    return false;
  }
  const machine = [hostname(), release(), cpus()[0]?.model, kernel.release].join();
  const key = createHash('sha256').update(machine).digest('hex').slice(0, 12);
  const answer = await remembered(`kvm-${key}`, () => {
    say(`trying KVM with kernel ${kernel.release} (once, 15 s at most)`);
    return boots({ kernel, initramfs, signal, options: { kvm: true, timeout: 15 } });
  });
  return answer === 'true';
}

/** The first of some kernels that boots in software emulation. */
export function firstThatBoots(names, prepare, signal) {
  return remembered('newest', async () => {
    let problem;
    for (const name of names) {
      try {
        const prepared = await prepare(name);
        say(`trying kernel ${prepared.kernel.release} (once)`);
        if (await boots({ ...prepared, signal, options: { kvm: false, timeout: 60 } })) return name;
        problem = new Error(`kernel ${prepared.kernel.release} does not boot`);
      } catch (error) {
        signal?.throwIfAborted();
        problem = error;
      }
      say(problem.message);
    }
    throw problem;
  });
}
