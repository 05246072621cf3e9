import { connect, createSecureContext } from 'node:tls';
import { benchCertificate, benchRsaCertificate } from './certificate.js';
import { cipherByName } from './ciphers.js';
import type { HandshakeJob } from './handshake-job.js';
import { expect, jobOf, report, startCpu } from './worker.js';

// The load: always node:tls, whatever the server is. It opens the next connection when one is closed.

const job = jobOf<HandshakeJob>();
const cipher = cipherByName(job.cipher);
// One context for all: to parse the certificate again for each connection would slow the generator.
const secureContext = createSecureContext({
  ca: [benchCertificate, benchRsaCertificate],
  ciphers: cipher.suite,
  minVersion: cipher.version,
  maxVersion: cipher.version,
});
const { port } = await expect('connect');
let count = 0;
let resumed = 0;

function run(session?: Buffer): void {
  let ticket = session;
  const options = { host: '127.0.0.1', port, servername: 'localhost', secureContext };
  const socket = connect(
    job.resume && ticket !== undefined ? { ...options, session: ticket } : options,
    () => {
      count++;
      if (socket.isSessionReused()) resumed++;
    },
  );
  if (job.resume) {
    socket.on('session', (fresh) => {
      ticket = fresh;
    });
  }
  socket.on('error', (error) => {
    throw error;
  });
  socket.on('close', () => run(ticket));
  socket.resume();
}
for (let i = 0; i < job.concurrency; i++) run();

await expect('start');
const first = { count, resumed };
const cpu = startCpu();
const start = performance.now();
await expect('stop');
report('handshakes', {
  count: count - first.count,
  resumed: resumed - first.resumed,
  seconds: (performance.now() - start) / 1000,
  cpu: cpu(),
});
