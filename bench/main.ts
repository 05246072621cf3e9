import { killChildren } from './child.js';
import { messageOf } from './error-message.js';
import { help, parseOptions, UsageError } from './options.js';
import { runPaper } from './paper/paper.js';
import type { Payload } from './payload.js';
import { Progress } from './progress.js';
import { present } from './report.js';
import { runBench } from './run.js';

const progress = new Progress();
let payload: Payload | undefined;

function cleanUp(): void {
  killChildren();
  payload?.remove();
  progress.end();
}

// Children that ignore Ctrl-C, because they have their own handlers or none yet, would go on loading the machine.
for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => {
    cleanUp();
    process.exit(status);
  });
}

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  if (args[0] === 'paper') {
    const text = await runPaper(args.slice(1), progress);
    progress.end();
    process.stdout.write(`${text}\n`);
    return;
  }
  const options = parseOptions(args);
  if (options === 'help') {
    process.stdout.write(help);
    return;
  }
  const document = await runBench(options, progress, (created) => {
    payload = created;
  });
  progress.end();
  const text = options.json
    ? JSON.stringify(document, null, 2)
    : present(document, options.markdown ? 'markdown' : 'text');
  process.stdout.write(`${text}\n`);
  for (const failure of document.failures) process.stderr.write(`bench: ${failure}\n`);
  if (document.failures.length > 0) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  cleanUp();
  const message = messageOf(error);
  process.stderr.write(`bench: ${message}\n${error instanceof UsageError ? 'Try --help.\n' : ''}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
