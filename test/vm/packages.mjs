// Debian packages, fetched and unpacked with apt and dpkg but beside the system: apt works on folders of its own. Of the system it takes
// the mirror, the keys and the configuration (a proxy, say).
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, unavailable } from './failure.mjs';
import { exists, run } from './tools.mjs';

/** The system's apt source for Debian itself, as [file, which entry in it]. */
function mirrorEntry() {
  const release = readFileSync('/etc/os-release', 'utf8');
  if (!/^ID=debian$/m.test(release) || !exists('apt-get'))
    throw unavailable(
      'the lab takes its kernels from the package manager of a Debian system, and this is none.\n' +
        'Run it in a Debian container or virtual machine.',
    );
  const codename = /^VERSION_CODENAME=(.*)$/m.exec(release)?.[1];
  const suites = [codename, 'oldstable', 'stable', 'testing', 'unstable', 'sid'];
  const format = '$(COMPONENT)|$(RELEASE)|$(REPO_URI)|$(SOURCESENTRY)';
  const entries = run('apt-get', ['indextargets', 'Created-By: Packages', '--format', format])
    .split('\n')
    .map((line) => line.split('|'))
    .filter(([component, suite]) => component === 'main' && suites.includes(suite));
  // Other repositories may use Debian's names for their suites.
  const entry = entries.find(([, , uri]) => /debian(?!-security)/.test(uri)) ?? entries[0];
  if (!entry) throw unavailable(`apt has no source for Debian (${codename}, main) on this machine`);
  const [, file, at] = /^(.*):(\d+)$/.exec(entry[3]);
  return { file, at: Number(at) };
}

/**
 * The same entry (URI, keys and all) for another suite. In the format of *.sources apt counts stanzas from 1, in that of *.list
 * lines.
 */
function sourceFor(suite) {
  const { file, at } = mirrorEntry();
  const text = readFileSync(file, 'utf8');
  if (file.endsWith('.sources')) {
    const stanza = text
      .replace(/^#.*\n/gm, '')
      .split(/\n\s*\n/)
      .filter((part) => part.trim() !== '')[at - 1];
    const kept = stanza
      .split('\n')
      .filter((_, i, all) => !belongsTo(all, i, /^(types|suites|components|enabled):/i));
    return {
      name: 'lab.sources',
      text: `Types: deb\nSuites: ${suite}\nComponents: main\n${kept.join('\n').trim()}\n`,
    };
  }
  const [, options = '', uri] = /^deb\s+(\[[^\]]*\])?\s*(\S+)/.exec(text.split('\n')[at - 1].trim());
  return { name: 'lab.list', text: `deb ${options} ${uri} ${suite} main\n` };
}

/** Whether line i belongs to a field whose name matches: lines that begin with a space continue the field above. */
function belongsTo(lines, i, name) {
  let first = i;
  while (first > 0 && /^\s/.test(lines[first])) first--;
  return name.test(lines[first]);
}

/** Makes an apt of our own in `folder` that knows one suite, and fetches the suite's index. Returns apt's options. */
function aptFor(suite, folder) {
  const source = sourceFor(suite);
  for (const name of ['lists/partial', 'cache/archives/partial'])
    mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, source.name), source.text);
  writeFileSync(join(folder, 'status'), '');
  writeFileSync(
    join(folder, 'apt.conf'),
    `Dir::State "${folder}";
Dir::State::lists "${folder}/lists";
Dir::State::status "${folder}/status";
Dir::Cache "${folder}/cache";
Dir::Etc::sourcelist "${folder}/${source.name}";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Architecture "amd64";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
`,
  );
  const options = ['-c', join(folder, 'apt.conf')];
  run('apt-get', [...options, '-q', 'update']);
  return options;
}

/** What `name` depends on, directly or not, of the names that match. */
export function dependencies(apt, name, pattern) {
  const only = ['recommends', 'suggests', 'enhances', 'breaks', 'conflicts', 'replaces'].map(
    (k) => `--no-${k}`,
  );
  const listed = run('apt-cache', [...apt, 'depends', '--recurse', ...only, name]).split('\n');
  return [...new Set(listed.filter((line) => pattern.test(line)))];
}

/** Downloads packages and unpacks them into `folder`. */
function unpack(apt, names, folder) {
  const archives = join(folder, '.archives');
  mkdirSync(archives, { recursive: true });
  run('apt-get', [...apt, '-q', 'download', ...names], { cwd: archives });
  for (const archive of readdirSync(archives)) run('dpkg', ['-x', join(archives, archive), folder]);
}

/**
 * Unpacks what `choose(apt)` names into `folder`, from the first of the suites that has it: suites end, and what was a backport is in
 * the next release.
 */
export function unpackFrom(suites, choose, folder) {
  const problems = [];
  for (const suite of suites) {
    const own = join(folder, '.apt', suite);
    try {
      const apt = aptFor(suite, own);
      unpack(apt, choose(apt), folder);
      return;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      problems.push(`${suite}: ${error.message}`);
    } finally {
      rmSync(own, { recursive: true, force: true });
      rmSync(join(folder, '.archives'), { recursive: true, force: true });
    }
  }
  throw unavailable(`no package to be had.\n${problems.join('\n')}`);
}
