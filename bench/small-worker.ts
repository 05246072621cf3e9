import { Bench } from 'tinybench';
import { cipherByName, mainCipher } from './ciphers.js';
import type { SmallResult } from './document.js';
import { armOperation } from './small-arm.js';
import { handOvers } from './small-handover.js';
import type { SmallJob } from './small-job.js';
import { recordOperations } from './small-records.js';
import { round } from './statistics.js';
import { jobOf, report } from './worker.js';

const job = jobOf<SmallJob>();
const results: SmallResult[] = [];

/** Repeated for a time. */
const timed = { time: job.ms, warmupTime: job.ms / 4 };
/** Repeated so many times: each takes a connection, whose setup is not measured and takes much longer. */
const counted = { time: 0, iterations: job.connections, warmupTime: 0, warmupIterations: job.connections };

/** Runs one operation; `add` gives it to tinybench. */
async function run(
  operation: string,
  cipher: string,
  bytes: number | null,
  options: object,
  add: (bench: Bench) => Bench,
): Promise<void> {
  const bench = add(new Bench({ ...options, throws: true, subtractTimerOverhead: true }));
  const [task] = await bench.run();
  if (task?.result.state !== 'completed') throw new Error(`${operation}: ${task?.result.state}`);
  const ms = task.result.latency.p50;
  results.push({
    operation,
    engine: job.engine,
    cipher,
    bytes,
    medianNs: round(ms * 1e6),
    perSecond: round(1e3 / ms),
    mbPerSecond: bytes === null ? null : round(bytes / 1e3 / ms),
  });
}

for (const name of job.ciphers) {
  for (const bytes of [256, 1024, 16384, 65536]) {
    const { seal, open } = await recordOperations(cipherByName(name), bytes);
    await run('seal', name, bytes, timed, (bench) => bench.add('seal', seal));
    await run('open', name, bytes, timed, (bench) => bench.add('open', open));
  }
}

const { prepare, arm, finish } = await armOperation(mainCipher, job.engine);
await run('arm both directions', mainCipher.name, null, counted, (bench) =>
  bench.add('arm', arm, { async: false, beforeEach: prepare, afterEach: finish }),
);

const { port, next } = await handOvers(mainCipher, job.engine);
// Not before: main sends a process with clients there, which would disturb what is above.
report('listening', { port });
await run('hand-over, handshake done to armed', mainCipher.name, null, counted, (bench) =>
  bench.add('hand-over', async () => ({ overriddenDuration: await next() }), { async: true }),
);

report('result', { json: JSON.stringify(results) });
