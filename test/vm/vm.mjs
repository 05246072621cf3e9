// The lab: runs a command in this directory under a stock Debian kernel. The usage is in options.mjs.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { boot } from './boot.mjs';
import { CRASHED, Failure, MODULES, TIMEOUT } from './failure.mjs';
import { initramfs } from './initramfs.mjs';
import { busybox, newest } from './kernels.mjs';
import { kernelWithModules } from './modules.mjs';
import { parse, usage } from './options.mjs';
import { firstThatBoots, kvmWorks } from './probe.mjs';
import { requireQemu } from './qemu.mjs';
import { say } from './tools.mjs';

async function prepare(name, modules) {
  const it = await kernelWithModules(name, modules);
  return { kernel: it, initramfs: await initramfs(it, await busybox()) };
}

/** The kernel's log, for reading after a failure. Renamed into place, for two guests may run in one checkout. */
function keepLog(text) {
  const folder = join(process.cwd(), '.cache');
  const place = join(folder, 'vm-console.log');
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${place}.${process.pid}`, text);
  renameSync(`${place}.${process.pid}`, place);
  return place;
}

function tail(text, lines) {
  return text.replaceAll('\r', '').trimEnd().split('\n').slice(-lines).join('\n');
}

/** What the kernel said of its crash: from the first such line on, however long the trace, or else its last lines. */
function crash(text) {
  const lines = text.replaceAll('\r', '').trimEnd().split('\n');
  const first = lines.findIndex((line) => /BUG: |Oops: |Kernel panic|sysrq triggered crash/.test(line));
  return (first === -1 ? lines.slice(-40) : lines.slice(first, first + 200)).join('\n');
}

/** The exit status, after saying what there is to say. */
function conclude(result, options) {
  const log = keepLog(result.console);
  if (result.end === 'exit') return result.status;
  if (result.end === 'timeout') {
    const where = result.started === undefined ? ' before the command started' : '';
    say(`timeout after ${options.timeout} s${where}; the kernel's log is in ${log}`);
    return TIMEOUT;
  }
  if (result.end === 'unloadable') {
    process.stderr.write(`${tail(result.console, 20)}\n`);
    say(`a module of this checkout can't be loaded: ${result.reason}; the kernel's log is in ${log}`);
    return MODULES;
  }
  if (result.console) process.stderr.write(`${crash(result.console)}\n`);
  if (result.qemu) process.stderr.write(result.qemu);
  say(`the guest crashed; the kernel's log is in ${log}`);
  return CRASHED;
}

async function main(signal) {
  const options = parse(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(usage);
    return 0;
  }
  requireQemu();
  const name =
    options.kernel === 'newest'
      ? await firstThatBoots(newest, (name) => prepare(name), signal)
      : options.kernel;
  const prepared = await prepare(name, options.modules);
  // An instruction clock is a thing of software emulation.
  options.kvm = !options.icount && (await kvmWorks(prepared.kernel, prepared.initramfs, signal));
  if (options.out) mkdirSync(options.out, { recursive: true });
  const result = await boot({
    ...{ ...prepared, options, signal, command: options.command, directory: process.cwd() },
    ...{ stdout: process.stdout, stderr: process.stderr },
  });
  signal.throwIfAborted();
  return conclude(result, options);
}

/** A signal, or nobody reading our output, ends the guest; then the exit status is a shell's for that. */
const end = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(name, () => end.abort(128 + constants.signals[name]));
for (const stream of [process.stdout, process.stderr])
  stream.on('error', () => end.abort(128 + constants.signals.SIGPIPE));

try {
  process.exitCode = await main(end.signal);
} catch (error) {
  if (end.signal.aborted) process.exitCode = end.signal.reason;
  else if (error instanceof Failure) {
    say(error.message);
    process.exitCode = error.code;
  } else throw error;
}
