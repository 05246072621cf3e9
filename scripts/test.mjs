// Runs the tests: all, or those whose path contains one of the arguments; an argument with "-" before it leaves tests out. SO_CRYPT_ENGINE
// names the engine under test.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

process.chdir(new URL('..', import.meta.url).pathname);
const args = process.argv.slice(2);
const wanted = args.filter((arg) => !arg.startsWith('-'));
const unwanted = args.filter((arg) => arg.startsWith('-')).map((arg) => arg.slice(1));
const files = readdirSync('dist/test', { recursive: true })
  .filter((name) => name.endsWith('.test.js') && !name.startsWith('kernel/')) // those run in the lab
  .map((name) => join('dist/test', name))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .filter((name) => !unwanted.some((part) => name.includes(part)))
  .filter((name) => !name.startsWith('dist/test/ktls/') || /\bktls\b/.test(process.env.SO_CRYPT_ENGINE ?? ''))
  .sort();
if (files.length === 0) {
  process.stderr.write(`no test matches ${args.join(' ')}\n`);
  process.exit(2);
}
const reporter = process.env.SO_CRYPT_REPORTER ?? (process.stdout.isTTY ? 'spec' : 'dot');
const options = [
  '--test',
  '--test-concurrency=2',
  `--test-reporter=${reporter}`,
  '--test-reporter-destination=stdout',
];
// The dots show no failure; the summary of a second reporter does.
if (reporter === 'dot') options.push('--test-reporter=spec', '--test-reporter-destination=.cache/test.log');
mkdirSync('.cache', { recursive: true });
const { status } = spawnSync(process.execPath, [...options, ...files], { stdio: 'inherit' });
if (reporter === 'dot') {
  const log = readFileSync('.cache/test.log', 'utf8');
  const from = log.lastIndexOf('ℹ tests ');
  const skipped = from < 0 ? [] : log.slice(0, from).match(/^ *﹣ .*$/gm);
  process.stdout.write(`\n${[...(skipped ?? []), ''].join('\n')}${from < 0 ? log : log.slice(from)}\n`);
}
process.exit(status ?? 1);
