// In the lab: loads a module, runs test files, unloads the module, and fails if the kernel complained meanwhile.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';

const [module, ...files] = process.argv.slice(2);
const name = basename(module, '.ko');
const complaint =
  /BUG|WARNING|Oops|KASAN|UBSAN|Call Trace|cut here|general protection|refcount|blocked for more|atomic|lockdep|leak/i;

function output(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(`${[command, ...args].join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}

const log = () => output('dmesg', []).split('\n');
const before = log().length;
// It may be there already.
if (existsSync(`/sys/module/${name}`)) output('rmmod', [name]);
output('sh', ['test/kernel/leaks.sh', 'begin']);
output('insmod', [module]);
const args = ['--test', '--test-concurrency=1', '--test-reporter=spec', ...files];
let { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
// Fails if a test has leaked a reference.
output('rmmod', [name]);
const leaks = spawnSync('sh', ['test/kernel/leaks.sh', 'end'], { stdio: ['ignore', 'inherit', 'inherit'] });
if (leaks.status !== 0) status = 1;
const news = log()
  .slice(before - 1)
  .filter((line) => !/kmemleak: Auto|VM_FAULT_OOM leaked/.test(line));
if (news.some((line) => complaint.test(line))) {
  process.stdout.write(`The kernel complained:\n${news.join('\n')}\n`);
  status = 1;
}
process.exit(status ?? 1);
