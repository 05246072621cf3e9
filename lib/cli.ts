#!/usr/bin/env node
import { engines } from './engines.js';

const usage = `usage: so-crypt engines

  engines   each engine, whether it works on this machine, and if not, what would make it work
`;

const [command, ...rest] = process.argv.slice(2);
if (command === 'engines' && rest.length === 0) {
  for (const { name, available, description, reason, hint } of engines()) {
    console.log(
      `${name.padEnd(10)} ${available ? 'yes' : 'no '}  ${description}${reason ? `: ${reason}` : ''}`,
    );
    if (hint) console.log(`${' '.repeat(15)} ${hint}`);
  }
} else {
  process.stderr.write(usage);
  process.exitCode = command === undefined || command === '--help' ? 0 : 2;
}
