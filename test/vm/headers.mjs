// The headers of a lab kernel: what modules for it are built with, unpacked in the cache. They are of exactly the cached kernel's release.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached, cacheFolder } from './cache.mjs';
import { Failure, unavailable } from './failure.mjs';
import { kernel, suites } from './kernels.mjs';
import { dependencies, unpackFrom } from './packages.mjs';
import { canRun, install, say } from './tools.mjs';

/**
 * A kernel as kernel() gives it, with `headers`: the folder for `make -C`. A mirror keeps one release; if that is no longer the cached
 * kernel's, both are fetched anew.
 */
export async function kernelWithHeaders(name) {
  const it = await newestWithHeaders(name);
  if (existsSync(join(it.headers, '.kernelvariables'))) requireTools(it.headers);
  return it;
}

async function newestWithHeaders(name) {
  const old = await kernel(name);
  // Built here.
  if (old.headers) return old;
  try {
    return await withHeaders(old);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const now = await kernel(name, { insteadOf: old.release });
    if (now.release === old.release) throw error;
    rmSync(join(cacheFolder, `headers-${old.release}`), { recursive: true, force: true });
    return await withHeaders(now);
  }
}

async function withHeaders(it) {
  const place = await cached(`headers-${it.release}`, (folder) => {
    say(`fetching the headers of ${it.release} (some 12 MB)`);
    const pattern = /^linux-(headers|kbuild)-\d/;
    unpackFrom(suites[it.name], (apt) => dependencies(apt, `linux-headers-${it.release}`, pattern), folder);
    arrange(folder, it.release);
  });
  return { ...it, headers: sources(place, it.release) };
}

const sources = (place, release) => join(place, 'usr/src', `linux-headers-${release}`);

/** Debian's headers know that they are below /usr/src. Afterwards they may be anywhere. */
function arrange(folder, release) {
  // Links to /usr/src, for the system's /lib/modules.
  rmSync(join(folder, 'lib'), { recursive: true, force: true });
  const headers = sources(folder, release);
  edit(join(headers, 'Makefile'), (text) =>
    text.replace('include /usr/src/', 'include $(dir $(lastword $(MAKEFILE_LIST)))../'),
  );
  // Type information for modules would take pahole and the kernel's own. C code sees autoconf.h, so the layout of structs stays.
  edit(join(headers, 'include/config/auto.conf'), (text) =>
    text.replace(/^CONFIG_DEBUG_INFO_BTF_MODULES=.*\n/m, ''),
  );
  const utsrelease = readFileSync(join(headers, 'include/generated/utsrelease.h'), 'utf8');
  if (!utsrelease.includes(`"${release}"`))
    throw unavailable(`these are no headers of ${release}: ${utsrelease}`);
}

function edit(path, change) {
  writeFileSync(path, change(readFileSync(path, 'utf8')));
}

/** make, the compiler that the kernel was built with (another version's code can differ where modules and kernel meet), and kbuild's own. */
function requireTools(headers) {
  const variables = readFileSync(join(headers, '.kernelvariables'), 'utf8');
  const version = /gcc-(\d+)/.exec(variables)?.[1];
  install([
    ['make', 'make'],
    [`gcc-${version}`, `gcc-${version}`],
    ['ld', 'binutils'],
  ]);
  for (const program of ['scripts/basic/fixdep', 'scripts/mod/modpost'])
    if (!existsSync(join(headers, program)) || !canRun(join(headers, program)))
      throw unavailable(
        `${program} of the kernel's headers does not run on this machine: its libraries are too old`,
      );
}
