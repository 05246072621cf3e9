// Runs Node's own tests of net, tls, https and http2 on so-crypt: `npm run conformance -- FOLDER [net|tls|https|http2] [FILTER]`.
//
// FOLDER holds Node's test/ (a checkout of Node, or a copy of its tests); nothing of it is part of this repository. A test that fails
// is run again with Node's own modules: what fails there, too, says nothing about so-crypt. The rest are the deviations; those that
// are known stand with their reasons in conformance/known.mjs, and any other makes the run fail.
import { existsSync, mkdirSync, readdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { knownWith } from './conformance/known.mjs';
import { runTest } from './conformance/run-test.mjs';
import { nodeOf } from './nodes.mjs';

const known = knownWith(process.env.SO_CRYPT_ENGINE);
const MODULES = ['net', 'tls', 'https', 'http2'];
const usage = `npm run conformance -- FOLDER [${MODULES.join('|')}] [FILTER]

  FOLDER        a folder with Node's test/ in it
  --with-node   run the tests with Node's own modules: the base to compare with
  --node NODE   major version of Node to fetch, or the path of a binary (default 24)
  --jobs N      tests at a time (default 2)
  --limit S     seconds a test may take (default 30)
  --verbose     show the output of tests that fail
  --json        the results as one JSON document on standard output
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'with-node': { type: 'boolean', default: false },
    node: { type: 'string', default: '24' },
    jobs: { type: 'string', default: '2' },
    limit: { type: 'string', default: '30' },
    verbose: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const [folder, ...rest] = positionals;
if (values.help || folder === undefined) {
  process.stderr.write(usage);
  process.exit(values.help ? 0 : 2);
}
const given = existsSync(join(folder, 'test/parallel')) ? join(folder, 'test') : folder;
if (!existsSync(join(given, 'parallel')) || !existsSync(join(given, 'common'))) {
  process.stderr.write(`${folder} holds no test/parallel and test/common\n`);
  process.exit(2);
}
const tests = realpathSync(given);
const modules = MODULES.includes(rest[0]) ? [rest.shift()] : MODULES;
const [filter = ''] = rest;
const node = /^\d+$/.test(values.node) ? nodeOf(values.node) : resolve(values.node);
const scratch = join(tmpdir(), 'so-crypt-conformance');
mkdirSync(scratch, { recursive: true });

const names = readdirSync(join(tests, 'parallel'))
  .filter((name) => /\.m?js$/.test(name) && name.includes(filter))
  .filter((name) => modules.some((module) => name.startsWith(`test-${module}-`)))
  .sort();
if (names.length === 0) {
  process.stderr.write('no test matches\n');
  process.exit(2);
}

/** One test: its result, and why where it is no pass. */
async function examine(name, slot) {
  const where = { node, tests, name, slot, scratch, limit: Number(values.limit) * 1000 };
  const module = MODULES.find((module) => name.startsWith(`test-${module}-`));
  const first = await runTest({ ...where, ours: !values['with-node'] });
  const about = { name, module, seconds: first.seconds };
  if (first.result !== 'fail') {
    const isStale = !values['with-node'] && known.has(name) && first.result === 'pass';
    return {
      ...about,
      result: first.result,
      ...(isStale && { reason: 'listed as a deviation, but passes' }),
    };
  }
  const failed = { ...about, error: first.error, output: first.output };
  if (values['with-node']) return { ...failed, result: 'fail' };
  const base = await runTest({ ...where, ours: false });
  if (base.result === 'fail') return { ...failed, result: 'base', reason: "fails with Node's modules, too" };
  if (known.has(name)) return { ...failed, result: 'known', reason: known.get(name) };
  return { ...failed, result: 'deviation' };
}

const results = [];
const queue = [...names];
await Promise.all(
  Array.from({ length: Number(values.jobs) }, async (_, slot) => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const result = await examine(name, slot + 1);
      results.push(result);
      if (result.result === 'pass' || result.result === 'skip') continue;
      process.stderr.write(`${result.result.padEnd(10)} ${name}  ${result.error}\n`);
      if (values.verbose) process.stderr.write(`${result.output}\n`);
    }
  }),
);
results.sort((a, b) => (a.name < b.name ? -1 : 1));

const columns = ['pass', 'skip', 'base', 'known', 'deviation', 'fail'];
const table = modules
  .map((module) => {
    const own = results.filter((result) => result.module === module);
    const counts = columns.map((column) => [column, own.filter((test) => test.result === column).length]);
    return { module, tests: own.length, ...Object.fromEntries(counts) };
  })
  .filter((row) => row.tests > 0);

if (values.json) {
  process.stdout.write(`${JSON.stringify({ node, ours: !values['with-node'], table, results }, null, 1)}\n`);
} else {
  const shown = ['module', 'tests', ...columns];
  for (const cells of [shown, ...table.map((row) => shown.map((column) => row[column]))])
    process.stdout.write(`${cells.map((cell) => String(cell).padStart(9)).join(' ')}\n`);
  for (const { name, reason } of results.filter((test) => test.reason !== undefined))
    process.stdout.write(`${name}: ${reason}\n`);
}
if (results.some((test) => test.result === 'deviation' || test.result === 'fail')) process.exitCode = 1;
