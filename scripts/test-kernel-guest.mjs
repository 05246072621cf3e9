// In the lab: loads modules, runs test files, unloads the modules, and fails if the kernel complained meanwhile.
import { spawnSync } from 'node:child_process';
import { basename } from 'node:path';

const [modules, ...files] = process.argv.slice(2);
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
const loaded = modules.split(',').filter(Boolean);
for (const module of loaded) {
  for (const needed of output('modinfo', ['-F', 'depends', module]).trim().split(',').filter(Boolean))
    output('modprobe', [needed]);
  output('insmod', [module]);
}

const args = ['--test', '--test-concurrency=1', '--test-reporter=spec', ...files];
let { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });

for (const module of loaded.reverse()) output('rmmod', [basename(module, '.ko')]);
const news = log().slice(before - 1);
if (news.some((line) => complaint.test(line))) {
  process.stdout.write(`The kernel complained:\n${news.join('\n')}\n`);
  status = 1;
}
process.exit(status ?? 1);
