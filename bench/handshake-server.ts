import { readFileSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { cipherByName } from './ciphers.js';
import { engineByName } from './engines.js';
import { EventWatch } from './event-wait.js';
import type { HandshakeJob } from './handshake-job.js';
import { expect, jobOf, report, startCpu } from './worker.js';

const job = jobOf<HandshakeJob>();
let count = 0;

/** CPU seconds of this thread; nothing where the kernel does not tell. */
function mainCpu(): number | undefined {
  try {
    const path = `/proc/self/task/${process.pid}/schedstat`;
    return Number(readFileSync(path, 'latin1').split(' ')[0]) / 1e9;
  } catch {
    return undefined;
  }
}

function onConnection(socket: Socket): void {
  if (++count === job.warmup) report('warm', {});
  socket.on('error', (error) => {
    throw error;
  });
  socket.resume();
  // The server ends first, so that TIME_WAIT keeps none of the clients' ports. Not at once: node:tls sends the
  // session tickets after this listener, and an ended socket sends none.
  setImmediate(() => socket.end());
}

const server = await engineByName(job.engine).server(cipherByName(job.cipher), onConnection, job);
server.on('tlsClientError', (error) => {
  throw error;
});
// No client is to wait a second for its SYN to be sent again.
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
  report('listening', { port: (server.address() as AddressInfo).port }),
);

await expect('start');
const first = count;
const cpu = startCpu();
const start = performance.now();
const mainStart = mainCpu();
await expect('stop');
const mainEnd = mainCpu();
report('handshakes', {
  count: count - first,
  resumed: 0,
  seconds: (performance.now() - start) / 1000,
  cpu: cpu(),
  ...(mainStart !== undefined && mainEnd !== undefined && { mainCpu: mainEnd - mainStart }),
});

// Later: to watch takes more than a thousand events a second, which would be a tenth of what the main thread does with workers.
await expect('watch');
const events = new EventWatch();
await events.started;
events.reset();
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
await expect('stop');
delay.disable();
report('waits', { eventWait: events.end(), loopDelayP99: delay.percentile(99) / 1e6 });
