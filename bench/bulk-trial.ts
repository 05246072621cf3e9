import type { BulkJob } from './bulk-job.js';
import { Child, withChildren } from './child.js';
import type { CpuTime } from './messages.js';
import { attachCounter } from './syscalls.js';

/** What was measured, before it is related to the size. */
export interface BulkSample {
  readonly seconds: number;
  readonly sender: CpuTime;
  readonly receiver: CpuTime;
}

export interface CallCount {
  readonly sender: number;
  readonly receiver: number;
}

interface Pair {
  readonly sender: Child;
  readonly receiver: Child;
}

/** One pass, from the sender's first write to the receiver's acknowledgement of the last byte. */
async function runPass({ sender, receiver }: Pair): Promise<BulkSample> {
  receiver.send('start', {});
  await receiver.expect('started');
  sender.send('start', {});
  const [sent, got] = await Promise.all([sender.expect('sent'), receiver.expect('received')]);
  return { seconds: sent.seconds, sender: sent.cpu, receiver: got.cpu };
}

async function verifyPass({ sender, receiver }: Pair, job: BulkJob): Promise<void> {
  sender.send('stop', {});
  receiver.send('stop', {});
  const [sent, got] = await Promise.all([sender.expect('digest'), receiver.expect('digest')]);
  if (got.bytes === sent.bytes && got.sha256 === sent.sha256) return;
  throw new Error(
    `${job.engine} ${job.cipher} in ${job.chunk} byte writes: sent ${sent.bytes} bytes with SHA-256 ` +
      `${sent.sha256}, received ${got.bytes} with ${got.sha256}`,
  );
}

/** A fresh process pair with a warm connection; `measure` is called for each pass, which is verified after it. */
function inPair<T>(job: BulkJob, measure: (pair: Pair) => Promise<T>): Promise<T[]> {
  const pair = { receiver: new Child('bulk-receiver', job), sender: new Child('bulk-sender', job) };
  const { sender, receiver } = pair;
  return withChildren([sender, receiver], async () => {
    sender.send('connect', await receiver.expect('listening'));
    await Promise.all([sender.expect('warm'), receiver.expect('warm')]);
    const results: T[] = [];
    for (let i = 0; i < job.passes; i++) {
      results.push(await measure(pair));
      await verifyPass(pair, job);
    }
    await receiver.expect('ended');
    return results;
  });
}

/** A timed trial: the sum of its passes. */
export async function timeBulk(job: BulkJob): Promise<BulkSample> {
  const passes = await inPair(job, runPass);
  const sum = (part: (pass: BulkSample) => number): number =>
    passes.reduce((all, pass) => all + part(pass), 0);
  return {
    seconds: sum(({ seconds }) => seconds),
    sender: { user: sum((pass) => pass.sender.user), system: sum((pass) => pass.sender.system) },
    receiver: { user: sum((pass) => pass.receiver.user), system: sum((pass) => pass.receiver.system) },
  };
}

/** The system calls of both sides, per pass. Not timed: strace slows what it watches. */
export async function countBulk(job: BulkJob): Promise<CallCount> {
  const [calls] = await inPair({ ...job, passes: 1 }, async (pair) => {
    const counters = await Promise.all([attachCounter(pair.sender.pid), attachCounter(pair.receiver.pid)]);
    await runPass(pair);
    const [sender, receiver] = await Promise.all(counters.map((counter) => counter.stop()));
    return { sender: sender as number, receiver: receiver as number };
  });
  return calls as CallCount;
}
