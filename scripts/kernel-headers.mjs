// Prints the folder with the headers of a lab kernel (6.1 if none is named), for `make -C "$(node scripts/kernel-headers.mjs)" M=… modules`.
import { Failure } from '../test/vm/failure.mjs';
import { kernelWithHeaders } from '../test/vm/headers.mjs';
import { say } from '../test/vm/tools.mjs';

try {
  const { headers } = await kernelWithHeaders(process.argv[2] ?? '6.1');
  process.stdout.write(`${headers}\n`);
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  say(error.message);
  process.exitCode = error.code;
}
