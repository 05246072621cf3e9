import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';

// Each thread has its own instance of the addon, and a thread that is terminated takes its sockets with it.
const program = `
  import { parentPort, workerData } from 'node:worker_threads';
  const { createServer, connect } = await import(workerData);
  const keys = (n) => ({ secret: Buffer.alloc(32, n) });
  const base = { protocol: 'tls1.3', cipher: 'aes-128-gcm' };
  const server = createServer((socket) => {
    socket.setCrypt({ ...base, write: keys(2), read: keys(1) });
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1', () => {
    const crypt = { ...base, write: keys(1), read: keys(2) };
    const client = connect({ port: server.address().port, host: '127.0.0.1', crypt });
    const block = Buffer.alloc(1 << 20, 5);
    let echoed = 0;
    client.on('data', (data) => {
      echoed += data.length;
      if (echoed === 8 * block.length) parentPort.postMessage('done');
    });
    for (let i = 0; i < 8; i++) client.write(block);
  });
`;

function start(): Worker {
  const url = new URL(`data:text/javascript,${encodeURIComponent(program)}`);
  return new Worker(url, { workerData: new URL('../../lib/index.js', import.meta.url).href });
}

test('several threads carry records at once, also after one has been terminated', async () => {
  for (let round = 0; round < 3; round++) {
    const workers = [start(), start(), start()];
    const answers = await Promise.all(
      workers.map(
        (worker) =>
          new Promise((resolve, reject) => {
            worker.once('message', resolve);
            worker.once('error', reject);
          }),
      ),
    );
    assert.deepEqual(answers, ['done', 'done', 'done']);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
});
