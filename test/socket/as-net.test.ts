import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import type net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ends, kinds } from '../support/net-kinds.js';
import { Random } from '../support/random.js';
import { collect, sha256, until, waitFor } from '../support/sockets.js';

// What a program can see of a socket is the same on node:net, on an unarmed Socket and on an armed one.

function record(socket: net.Socket, events: string[], name: string): void {
  for (const event of ['data', 'end', 'finish', 'error', 'timeout', 'drain'])
    socket.on(event, (argument: unknown) =>
      events.push(`${name} ${event}${event === 'data' ? ` ${argument}` : ''}`),
    );
  socket.on('close', (hadError: boolean) => events.push(`${name} close ${hadError}`));
}

for (const kind of kinds) {
  test(`${kind}: end() on one side ends both, in net's order`, async () => {
    const { client, server } = await ends(kind);
    const events: string[] = [];
    record(client, events, 'client');
    server.resume();
    client.end('hello');
    await waitFor(client, 'close');
    assert.deepEqual(events, ['client finish', 'client end', 'client close false']);
    assert.deepEqual([client.destroyed, client.readyState], [true, 'closed']);
  });

  test(`${kind}: allowHalfOpen keeps the other direction`, async () => {
    const { client, server } = await ends(kind, { allowHalfOpen: true });
    client.end('request');
    assert.equal(String(await collect(server)), 'request');
    assert.equal(server.writable, true);
    await sleep(20);
    server.end('late answer');
    assert.equal(String(await collect(client)), 'late answer');
  });

  test(`${kind}: write callbacks come in order, each once`, async () => {
    const { client, server } = await ends(kind);
    server.resume();
    const order: number[] = [];
    const done = Array.from({ length: 50 }, (_, i) => {
      return new Promise<void>((resolve) => {
        client.write(Buffer.alloc(i * 100), () => {
          order.push(i);
          resolve();
        });
      });
    });
    await Promise.all(done);
    assert.deepEqual(order, [...order.keys()]);
    assert.equal(order.length, 50);
  });

  test(`${kind}: what is written before destroy() arrives`, async () => {
    for (const writes of [1, 3, 40]) {
      const { client, server } = await ends(kind);
      server.on('error', () => {}); // an armed one misses close_notify
      const received: Buffer[] = [];
      server.on('data', (data: Buffer) => received.push(data));
      const closed = new Promise((resolve) => server.once('close', resolve));
      for (let i = 0; i < writes; i++) client.write(`message ${i};`);
      client.destroy();
      await closed;
      assert.equal(
        String(Buffer.concat(received)),
        Array.from({ length: writes }, (_, i) => `message ${i};`).join(''),
      );
    }
  });

  test(`${kind}: back-pressure stops the writer, and 'drain' starts it again`, async () => {
    const { client, server } = await ends(kind);
    server.pause();
    const block = Buffer.alloc(65_536, 1);
    let written = 0;
    for (let taken = true; taken; await sleep(1)) {
      // The kernel takes some megabytes; then the queue fills.
      while (client.write(block)) written += block.length;
      const before = client.writableLength;
      await sleep(20);
      taken = client.writableLength < before;
      if (written > 64 << 20) assert.fail('a paused reader stops nobody');
    }
    assert.equal(client.writableNeedDrain, true);
    let read = 0;
    server.on('data', (data: Buffer) => {
      read += data.length;
    });
    server.resume();
    await waitFor(client, 'drain');
    client.end();
    await waitFor(server, 'end');
    assert.equal(read, client.bytesWritten);
    assert.equal(server.bytesRead, read);
  });

  test(`${kind}: 10,000 writes of a byte and one of 30 MB`, async () => {
    const { client, server } = await ends(kind);
    const large = new Random(5).bytes(30_000_001);
    const received = collect(server);
    for (let i = 0; i < 10_000; i++) client.write(Buffer.of(i));
    client.write(Buffer.alloc(0));
    client.end(large);
    const expected = Buffer.concat([Buffer.from(Array.from({ length: 10_000 }, (_, i) => i & 255)), large]);
    assert.equal(sha256(await received), sha256(expected));
  });

  test(`${kind}: strings in every encoding, and setEncoding over split characters`, async () => {
    const { client, server } = await ends(kind);
    server.setEncoding('utf8');
    let text = '';
    server.on('data', (part: string) => {
      text += part;
    });
    client.write('naïve ');
    client.write('636166c3a9', 'hex');
    client.write(' \xe9', 'latin1'); // no UTF-8: becomes U+FFFD
    client.cork();
    for (const byte of Buffer.from('€𝄞')) client.write(Buffer.of(byte));
    client.uncork();
    client.end('.', 'ascii');
    await waitFor(server, 'end');
    assert.equal(text, 'naïve café \ufffd€𝄞.');
  });

  test(`${kind}: read(n) in paused mode, unshift, async iteration`, async () => {
    const { client, server } = await ends(kind);
    client.write('0123456789');
    await until(() => server.readableLength === 10 || server.read(0) !== null, 'ten bytes');
    assert.equal(String(server.read(4)), '0123');
    server.unshift(Buffer.from('ab'));
    assert.equal(String(server.read(3)), 'ab4');
    client.end('!');
    let rest = '';
    for await (const part of server) rest += part;
    assert.equal(rest, '56789!');
  });

  for (const shape of ['one buffer', 'a function'] as const)
    test(`${kind}: onread with ${shape}, and with pauses`, async () => {
      const received: Buffer[] = [];
      const one = Buffer.alloc(1000);
      let resume = () => {};
      const onread = {
        buffer: shape === 'one buffer' ? one : () => Buffer.alloc(700),
        callback(length: number, buffer: Uint8Array): boolean {
          received.push(Buffer.from(buffer.subarray(0, length)));
          if (received.length % 5 !== 0) return true;
          setTimeout(resume, 2);
          return false;
        },
      };
      const { client, server } = await ends(kind, { client: { onread } as net.SocketConstructorOpts });
      resume = () => client.resume();
      const data = new Random(9).bytes(50_000);
      server.end(data);
      client.resume();
      await waitFor(client, 'end');
      assert.equal(sha256(Buffer.concat(received)), sha256(data));
      assert.equal(client.bytesRead, data.length);
    });

  test(`${kind}: setTimeout, destroySoon, resetAndDestroy, AbortSignal`, async () => {
    const idle = await ends(kind);
    idle.client.setTimeout(20);
    await waitFor(idle.client, 'timeout', 2000);
    assert.equal(idle.client.destroyed, false);

    const soon = await ends(kind);
    const got = collect(soon.server);
    soon.client.write(Buffer.alloc(300_000, 7));
    soon.client.destroySoon();
    assert.equal((await got).length, 300_000);

    const reset = await ends(kind);
    const failed = once(reset.server, 'error').catch((error) => [error]) as Promise<[NodeJS.ErrnoException]>;
    reset.server.resume();
    reset.client.resetAndDestroy();
    assert.equal((await failed)[0].code, 'ECONNRESET');

    const abort = new AbortController();
    const aborted = await ends(kind, { client: { signal: abort.signal } });
    const error = once(aborted.client, 'error') as Promise<[Error]>;
    abort.abort();
    assert.equal((await error)[0].name, 'AbortError');
  });

  test(`${kind}: write after end and after destroy are errors`, async () => {
    const { client, server } = await ends(kind);
    server.resume();
    client.end();
    const [late] = (await Promise.all([once(client, 'error'), client.write('late')]))[0] as [
      NodeJS.ErrnoException,
    ];
    assert.equal(late.code, 'ERR_STREAM_WRITE_AFTER_END');
    const gone = await new Promise<NodeJS.ErrnoException | null | undefined>((resolve) => {
      client.destroy();
      client.write('x', (error) => resolve(error));
    });
    assert.ok(gone instanceof Error);
  });

  test(`${kind}: pipeline of a file there and back`, async () => {
    const { client, server } = await ends(kind, { allowHalfOpen: true });
    const file = path.join(os.tmpdir(), `so-crypt-pipeline-${process.pid}`);
    const data = new Random(11).bytes(3_000_000);
    fs.writeFileSync(file, data);
    try {
      const back = collect(client.pipe(new PassThrough()));
      await Promise.all([pipeline(fs.createReadStream(file), client), pipeline(server, server)]);
      assert.equal(sha256(await back), sha256(data));
    } finally {
      fs.rmSync(file);
    }
  });

  test(`${kind}: an unref'd socket keeps no process, addresses are those of the connection`, async () => {
    const { client, server } = await ends(kind);
    assert.equal(client.unref(), client);
    assert.equal(client.ref(), client);
    assert.deepEqual(client.address(), { address: '127.0.0.1', family: 'IPv4', port: server.remotePort });
    assert.equal(client.remotePort, server.localPort);
    assert.equal(client.setNoDelay(true).setKeepAlive(true, 1000), client);
  });
}
