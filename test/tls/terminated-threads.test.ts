import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { certificates } from '../support/certificates.js';
import { waitFor } from '../support/sockets.js';
import { closeAfterTest, engine } from '../support/tls-ends.js';

// In a thread that is being terminated, and has not noticed yet, nothing works that may run JavaScript: what calls the addon then must not
// end the process, nor leave a connection open. Threads of which each has a server and clients of its own are ended at random moments.
const thread = `
  const { workerData, parentPort } = require('node:worker_threads');
  import(workerData.library).then(({ createServer, connect }) => {
    const { engine, options } = workerData;
    const server = createServer(options, (socket) => socket.on('error', () => {}).pipe(socket));
    server.on('tlsClientError', () => {});
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      const run = () => {
        const client = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, engine }, () => client.write(Buffer.alloc(30_000)));
        let left = 30_000;
        client.on('data', ({ length }) => { if ((left -= length) === 0) client.destroy(); });
        client.on('error', () => {}).on('close', run);
      };
      for (let i = 0; i < 6; i++) run();
      parentPort.postMessage('up');
    });
  });`;

const program = `
  import fs from 'node:fs';
  import { once } from 'node:events';
  import { setTimeout as sleep } from 'node:timers/promises';
  import { Worker } from 'node:worker_threads';
  const { thread, modes, ...given } = JSON.parse(process.argv[1]);
  // (Threads that end while they load leave files of Node's loader open.)
  const sockets = () => fs.readdirSync('/proc/self/fd').filter((fd) => {
    try { return fs.readlinkSync('/proc/self/fd/' + fd).startsWith('socket:'); } catch { return false; }
  }).length;
  const before = sockets();
  let ended = 0;
  for (const end = Date.now() + 8000; ended < modes.length || Date.now() < end; ended++) {
    const options = { ...given.options, handshakeWorkers: modes[ended % modes.length] };
    const worker = new Worker(thread, { eval: true, execArgv: [], workerData: { ...given, options } });
    // Some before they are up.
    const isEarly = ended % 4 === 3;
    if (!isEarly) await once(worker, 'message');
    await sleep(Math.random() * (isEarly ? 150 : 30));
    await worker.terminate();
  }
  await sleep(200);
  console.log(JSON.stringify({ ended, left: sockets() - before }));`;

test('threads that are terminated at any moment end neither the process nor leave sockets', async () => {
  const { cert, key } = certificates().server;
  const given = {
    thread,
    modes: [2, 0, { threads: 0, native: false }],
    library: new URL('../../lib/tls.js', import.meta.url).href,
    engine,
    options: { cert, key, engine },
  };
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, JSON.stringify(given)]);
  closeAfterTest({ destroy: () => child.kill('SIGKILL') });
  const [out, err, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    waitFor(child, 'exit', 60_000),
  ]);
  assert.deepEqual([code, signal], [0, null], err);
  const { ended, left } = JSON.parse(out) as { ended: number; left: number };
  assert.ok(ended >= 3);
  assert.equal(left, 0);
});
