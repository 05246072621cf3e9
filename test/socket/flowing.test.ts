import assert from 'node:assert/strict';
import { once } from 'node:events';
import type net from 'node:net';
import { PassThrough, Writable } from 'node:stream';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { armedPair } from '../support/armed.js';
import { contentType } from '../support/oracle-keys.js';
import { patient } from '../support/patience.js';
import { Random } from '../support/random.js';
import { connectedPair, sha256, until } from '../support/sockets.js';
import { suiteNamed } from '../support/suites.js';

// A flowing socket gives plaintext to the listeners of 'data' without a way through the stream's buffer. Nothing may be seen of that.

const suite = suiteNamed('tls1.3 aes-128-gcm');

interface Source {
  readonly ours: net.Socket;
  send(data: Buffer): void;
  end(): void;
}

// An armed socket of ours, or one of node:net; nobody listens yet.
async function source(isArmed: boolean): Promise<Source> {
  if (!isArmed) {
    const { ours: peer, peer: ours } = await connectedPair();
    peer.on('error', () => {});
    return { ours, send: (data) => void peer.write(data), end: () => void peer.end() };
  }
  const { ours, peer, sealer } = await armedPair(suite);
  ours.removeAllListeners('data');
  const send = (data: Buffer): void => {
    for (let at = 0; at < data.length; at += 16_384)
      peer.write(sealer.seal(contentType.applicationData, data.subarray(at, at + 16_384)));
  };
  const end = (): void => void peer.end(sealer.seal(contentType.alert, Buffer.from([1, 0])));
  return { ours, send, end };
}

type Scenario = (source: Source, log: unknown[]) => Promise<void>;

async function warm({ ours, send }: Source): Promise<void> {
  // The first read goes by push() in any case.
  for (let i = 0; i < 3; i++) {
    send(Buffer.from('warm'));
    await once(ours, 'data');
    await setTimeout(2);
  }
}

const scenarios: Record<string, Scenario> = {
  'pause() in a listener keeps what comes, resume() brings it': async (from, log) => {
    const { ours, send, end } = from;
    ours.on('data', () => {});
    await warm(from);
    let received = '';
    ours.on('data', (chunk: Buffer) => {
      received += chunk;
      if (!received.includes('b')) ours.pause();
    });
    send(Buffer.from('a'));
    await until(() => received === 'a', 'the first');
    log.push(ours.isPaused(), ours.readableLength);
    send(Buffer.from('b'));
    await until(() => ours.readableLength === 1, 'the second waits');
    log.push(received, ours.readableFlowing);
    ours.resume();
    await until(() => received === 'ab', 'the second');
    send(Buffer.from('c'));
    await until(() => received === 'abc', 'the third');
    end();
    await once(ours, 'end');
    log.push(received, ours.readableEnded, ours.bytesRead);
  },

  'a socket that is paused for long stops its peer, and goes on': async (from, log) => {
    const { ours, send, end } = from;
    ours.on('data', () => {});
    await warm(from);
    ours.pause();
    const data = new Random(3).bytes(6_000_000);
    send(data);
    await until(() => ours.readableLength >= ours.readableHighWaterMark, 'it is full');
    await setTimeout(50);
    log.push(ours.readableLength < 400_000);
    const parts: Buffer[] = [];
    ours.on('data', (chunk: Buffer) => {
      parts.push(chunk);
      if (parts.length % 5 > 0) return;
      ours.pause();
      setImmediate(() => ours.resume());
    });
    ours.resume();
    end();
    await once(ours, 'end');
    log.push(sha256(Buffer.concat(parts)) === sha256(data), ours.bytesRead);
  },

  'a pipe to a slow one': async (from, log) => {
    const { ours, send, end } = from;
    ours.on('data', () => {});
    await warm(from);
    ours.removeAllListeners('data');
    const data = new Random(4).bytes(1_000_000);
    const parts: Buffer[] = [];
    const slow = new Writable({
      highWaterMark: 1000,
      write(chunk: Buffer, _encoding, callback) {
        parts.push(chunk);
        setImmediate(callback);
      },
    });
    ours.pipe(slow);
    const other = new PassThrough();
    ours.pipe(other).resume();
    send(data);
    end();
    await once(slow, 'finish');
    log.push(sha256(Buffer.concat(parts)) === sha256(data), other.readableEnded || other.writableEnded);
  },

  'listeners that come and go': async (from, log) => {
    const { ours, send, end } = from;
    const first = (): void => {};
    ours.on('data', first);
    await warm(from);
    const seen: string[] = [];
    ours.once('data', (chunk: Buffer) => {
      ours.removeListener('data', first);
      seen.push(`once ${chunk}`);
    });
    send(Buffer.from('x'));
    await until(() => seen.length === 1, 'once');
    log.push(ours.listenerCount('data'), ours.readableFlowing);
    ours.pause();
    ours.on('readable', () => {
      for (let chunk = ours.read(1); chunk !== null; chunk = ours.read(1)) seen.push(`read ${chunk}`);
    });
    send(Buffer.from('yz'));
    await until(() => seen.length === 3, 'readable');
    ours.removeAllListeners('readable');
    ours.on('data', (chunk: Buffer) => seen.push(`data ${chunk}`));
    ours.resume();
    send(Buffer.from('1'));
    await until(() => seen.length === 4, 'data again');
    end();
    await once(ours, 'end');
    log.push(seen);
  },

  'unshift() and setEncoding() in a listener': async (from, log) => {
    const { ours, send, end } = from;
    ours.on('data', () => {});
    await warm(from);
    const seen: unknown[] = [];
    let isFirst = true;
    ours.on('data', (chunk: Buffer | string) => {
      seen.push(chunk.toString());
      if (!isFirst) return;
      isFirst = false;
      ours.unshift(Buffer.from('again'));
      ours.setEncoding('utf8');
    });
    send(Buffer.from('x'));
    await until(() => seen.length === 2, 'both');
    send(Buffer.from('€').subarray(0, 2));
    await setTimeout(5);
    send(Buffer.from('€').subarray(2));
    await until(() => seen.length === 3, 'the character');
    end();
    await once(ours, 'end');
    log.push(seen);
  },

  'an error of a listener': async (from, log) => {
    const { ours, send, end } = from;
    ours.on('data', () => {});
    await warm(from);
    let received = '';
    ours.on('data', (chunk: Buffer) => {
      received += chunk;
      if (received === 'a') throw new Error('of the listener');
    });
    const thrown: unknown[] = [];
    const onError = (error: Error): void => void thrown.push(error.message);
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', onError);
    try {
      send(Buffer.from('a'));
      await until(() => thrown.length === 1, 'the error');
    } finally {
      process.removeListener('uncaughtException', onError);
      for (const other of others) process.on('uncaughtException', other);
    }
    send(Buffer.from('b'));
    await until(() => received === 'ab', 'the next');
    end();
    await once(ours, 'end');
    log.push(received, thrown);
  },

  'a timeout runs anew with each read, and with a listener that sets it': async (from, log) => {
    const { ours, send } = from;
    ours.on('data', () => {});
    await warm(from);
    let timeouts = 0;
    ours.on('timeout', () => timeouts++);
    ours.setTimeout(patient(150));
    for (let i = 0; i < 8; i++) {
      send(Buffer.from('x'));
      await setTimeout(patient(40));
    }
    log.push(timeouts);
    await setTimeout(patient(250));
    log.push(timeouts);
    // As http does it: none while it works, a new one behind the answer.
    ours.on('data', () => {
      ours.setTimeout(0);
      process.nextTick(() => ours.setTimeout(patient(50)));
    });
    send(Buffer.from('y'));
    await setTimeout(patient(150));
    log.push(timeouts);
    ours.setTimeout(0);
    send(Buffer.from('z'));
    ours.removeAllListeners('data');
    await setTimeout(patient(100));
    log.push(timeouts);
  },

  'destroy() in a listener': async (from, log) => {
    const { ours, send } = from;
    ours.on('data', () => {});
    await warm(from);
    let count = 0;
    ours.on('data', () => {
      count++;
      ours.destroy();
    });
    send(Buffer.alloc(50_000));
    send(Buffer.alloc(50_000));
    await once(ours, 'close');
    log.push(count, ours.readableFlowing);
  },
};

for (const [name, scenario] of Object.entries(scenarios))
  test(`${name}: as with node:net`, async () => {
    const logs: unknown[][] = [];
    for (const isArmed of [false, true]) {
      const log: unknown[] = [];
      await scenario(await source(isArmed), log);
      logs.push(log);
    }
    assert.deepEqual(logs[1], logs[0]);
  });
