// What the guest is to do, as files in a folder that it mounts.
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Variables that the guest takes over from here. */
const passed = /^(SO_CRYPT_|NODE_|npm_config_|CI$|HOME$|PATH$|USER$|LANG$|LC_|TZ$|TERM$)/;

const names = (name) => passed.test(name) && /^[A-Za-z_]\w*$/.test(name);

/** NUL ends each string: it is the one byte that none contains. */
const strings = (list) => list.map((text) => `${text}\0`).join('');

export function writeJob(folder, { command, directory, kernel, options }) {
  const environment = Object.entries(process.env)
    .filter(([name]) => names(name) && name !== 'SO_CRYPT_OUT')
    .map(([name, text]) => `${name}=${text}`);
  if (options.out) {
    environment.push('SO_CRYPT_OUT=/run/lab/out');
    writeFileSync(join(folder, 'out'), '');
  }
  writeFileSync(join(folder, 'argv'), strings(command));
  writeFileSync(join(folder, 'environment'), strings(environment));
  writeFileSync(join(folder, 'directory'), directory);
  writeFileSync(join(folder, 'modules'), kernel.modules);
  writeFileSync(join(folder, 'load'), options.accelerator ? 'virtio_crypto' : '');
  const extra = kernel.extra ?? { names: [], files: [], dep: '' };
  writeFileSync(join(folder, 'extra.load'), extra.names.join('\n'));
  writeFileSync(join(folder, 'extra.dep'), extra.dep);
  writeFileSync(join(folder, 'extra.files'), strings(extra.files));
  copyFileSync(new URL('run.sh', import.meta.url), join(folder, 'run.sh'));
}
