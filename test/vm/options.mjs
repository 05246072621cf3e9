// The command line: options, then the command. Parsing stops at the first word that is no option, so that the command's own options
// stay its own.
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure, USAGE } from './failure.mjs';

export const usage = `npm run -s vm -- [OPTION…] CMD…

Runs CMD in this directory under a stock Debian kernel in QEMU. What CMD writes and its exit status pass through; its standard
input is empty. It sees this machine's files; what it writes to them stays in the guest and vanishes.

  --kernel V      6.1 (default), 6.12, newest (that boots), sid, experimental
  --accelerator   add a virtio-crypto device and load its driver
  --icount        a clock of instructions: one CPU, 1 ns per instruction
  --timeout S     seconds until the guest is killed (600)
  --out DIR       what CMD writes to the directory $SO_CRYPT_OUT appears in DIR
  --modules DIR   build and load the kernel modules of DIR (kernel-patch/linux of this checkout, if it is there)
  --no-modules    build and load none
  --memory M      of the guest, as QEMU takes it (3G)
  --cpus N        of the guest (2, or 1 on a machine with one)

Exit status: CMD's own (128+n if signal n ended it, 127 if there is none), or
  64  the command line is wrong
  65  the modules of this checkout can't be built or loaded
  69  the lab can't run here; the message says what is missing
  70  the guest crashed; the kernel's log is in .cache/vm-console.log
  124 timeout
`;

const wrong = (message) => new Failure(USAGE, `${message}\n\n${usage}`);

function positive(name, text) {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw wrong(`${name} takes a positive number, not "${text}"`);
  return value;
}

/** What each option that takes a value does with it. */
const withValue = {
  '--kernel': (o, text) => {
    o.kernel = text;
  },
  '--timeout': (o, text) => {
    o.timeout = positive('--timeout', text);
  },
  '--out': (o, text) => {
    o.out = resolve(text);
  },
  '--modules': (o, text) => {
    o.modules = resolve(text);
    if (!existsSync(join(o.modules, 'Makefile'))) throw wrong(`there is no Makefile in ${text}`);
  },
  '--memory': (o, text) => {
    if (!/^[1-9]\d*[MG]?$/.test(text)) throw wrong(`--memory takes 3G or 3000M, not "${text}"`);
    o.memory = text;
  },
  '--cpus': (o, text) => {
    o.cpus = Math.ceil(positive('--cpus', text));
  },
};

export function parse(args) {
  const options = {
    kernel: '6.1',
    accelerator: false,
    icount: false,
    timeout: 600,
    out: undefined,
    modules: fileURLToPath(new URL('../../kernel-patch/linux', import.meta.url)),
    memory: '3G',
    cpus: Math.min(2, availableParallelism()),
    help: false,
    command: [],
  };
  let at = 0;
  for (; at < args.length && args[at].startsWith('-'); at++) {
    if (args[at] === '--') {
      at++;
      break;
    }
    const equals = args[at].indexOf('=');
    const name = equals < 0 ? args[at] : args[at].slice(0, equals);
    if (name in withValue) {
      const text = equals < 0 ? args[++at] : args[at].slice(equals + 1);
      if (!text) throw wrong(`${name} takes a value`);
      withValue[name](options, text);
    } else if (args[at] === '--accelerator') options.accelerator = true;
    else if (args[at] === '--icount') options.icount = true;
    else if (args[at] === '--no-modules') options.modules = undefined;
    else if (args[at] === '--help' || args[at] === '-h') options.help = true;
    else throw wrong(`unknown option ${args[at]}`);
  }
  options.command = args.slice(at);
  if (options.command.length === 0 && !options.help) throw wrong('a command is missing');
  return options;
}
