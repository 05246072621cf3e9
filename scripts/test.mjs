// Runs the tests: all, or those whose path contains one of the arguments. SO_CRYPT_ENGINE names the engine under test.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

process.chdir(new URL('..', import.meta.url).pathname);
const wanted = process.argv.slice(2);
const files = readdirSync('dist/test', { recursive: true })
  .filter((name) => name.endsWith('.test.js') && !name.startsWith('kernel/')) // those run in the lab
  .map((name) => join('dist/test', name))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .sort();
if (files.length === 0) {
  process.stderr.write(`no test matches ${wanted.join(' ')}\n`);
  process.exit(2);
}
const reporter = process.stdout.isTTY ? 'spec' : 'dot';
const args = [
  '--test',
  '--test-concurrency=2',
  `--test-reporter=${reporter}`,
  '--test-reporter-destination=stdout',
];
// The dots show no failure; the summary of a second reporter does.
if (reporter === 'dot') args.push('--test-reporter=spec', '--test-reporter-destination=.cache/test.log');
const { mkdirSync, readFileSync } = await import('node:fs');
mkdirSync('.cache', { recursive: true });
const { status } = spawnSync(process.execPath, [...args, ...files], { stdio: 'inherit' });
if (reporter === 'dot') {
  const log = readFileSync('.cache/test.log', 'utf8');
  const from = log.lastIndexOf('ℹ tests ');
  process.stdout.write(`\n${from < 0 ? log : log.slice(from)}\n`);
}
process.exit(status ?? 1);
