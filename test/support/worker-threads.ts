import { syncBuiltinESMExports } from 'node:module';
import workerThreads from 'node:worker_threads';

const made: workerThreads.Worker[] = [];

/** All threads that were started since this module was loaded, in order. */
export const threads: readonly workerThreads.Worker[] = made;

workerThreads.Worker = class extends workerThreads.Worker {
  constructor(...args: ConstructorParameters<typeof workerThreads.Worker>) {
    super(...args);
    made.push(this);
  }
};
syncBuiltinESMExports();
