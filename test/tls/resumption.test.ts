import assert from 'node:assert/strict';
import { constants } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { opensslClient, opensslServer } from '../support/peers.js';
import { until, waitFor } from '../support/sockets.js';
import { libraryPairs, type TlsSocket, tested, tlsClient, tlsListener } from '../support/tls-ends.js';

const versions = ['TLSv1.2', 'TLSv1.3'] as const;

/** Connects, sends and gets a line, closes; what session there is afterwards, and whether one was resumed. */
async function visit(
  library: 'so-crypt' | 'node',
  port: number,
  version: (typeof versions)[number],
  session?: Buffer,
): Promise<{ session: Buffer | undefined; reused: boolean }> {
  const client = tlsClient(library, port, {
    minVersion: version,
    maxVersion: version,
    ...(session && { session }),
  });
  const sessions: Buffer[] = [];
  client.on('session', (one: Buffer) => sessions.push(one));
  await waitFor(client, 'secureConnect');
  const closed = new Promise((resolve) => client.once('close', resolve));
  client.write('hello\n');
  await waitFor(client, 'data');
  const reused = client.isSessionReused();
  // Node tells of a session when it is new.
  if (!reused) await until(() => sessions.length > 0, 'a session');
  assert.ok((client.getSession()?.length ?? 0) > 0);
  client.end();
  client.resume();
  await closed;
  return { session: sessions.at(-1), reused };
}

for (const version of versions) {
  for (const [client, server] of libraryPairs)
    test(`tickets: ${client} resumes with ${server}, ${version}`, async () => {
      const reused: boolean[] = [];
      const { port } = await tlsListener(server, {}, (socket) => {
        reused.push(socket.isSessionReused());
        socket.pipe(socket);
      });
      const first = await visit(client, port, version);
      const second = await visit(client, port, version, first.session);
      assert.deepEqual([first.reused, second.reused], [false, true]);
      assert.deepEqual(reused, [false, true]);
    });

  test(`our client resumes with s_server, ${version}`, async (t) => {
    const { peer, port } = await opensslServer(['-rev'], { quiet: false });
    t.after(() => peer.stop());
    const first = await visit(tested, port, version);
    const second = await visit(tested, port, version, first.session);
    assert.deepEqual([first.reused, second.reused], [false, true]);
  });

  for (const delay of [0, 20])
    test(`session ids: our server is asked, and answers after ${delay} ms, ${version}`, async () => {
      const stored = new Map<string, Buffer>();
      const later = (run: () => void) => (delay === 0 ? run() : setTimeout(run, delay));
      const { server, port } = await tlsListener(
        tested,
        { secureOptions: constants.SSL_OP_NO_TICKET },
        (socket: TlsSocket) => socket.pipe(socket),
      );
      server.on('newSession', (id: Buffer, data: Buffer, done: () => void) => {
        stored.set(id.toString('hex'), data);
        later(done);
      });
      const asked: boolean[] = [];
      server.on('resumeSession', (id: Buffer, done: (error: null, data: Buffer | null) => void) => {
        const data = stored.get(id.toString('hex')) ?? null;
        asked.push(data !== null);
        later(() => done(null, data));
      });
      const first = await visit('node', port, version);
      const second = await visit('node', port, version, first.session);
      assert.ok(stored.size > 0);
      assert.equal(first.reused, false);
      // Node resumes TLS 1.3 by tickets only.
      if (version === 'TLSv1.2') assert.deepEqual([second.reused, asked.at(-1)], [true, true]);
    });

  test(`s_client resumes with our server, ${version}`, async (t) => {
    const file = path.join(os.tmpdir(), `so-crypt-session-${process.pid}-${version}`);
    t.after(() => fs.rmSync(file, { force: true }));
    const reused: boolean[] = [];
    const { port } = await tlsListener(tested, {}, (socket) => {
      reused.push(socket.isSessionReused());
      socket.on('data', () => socket.end('bye\n'));
    });
    const flag = version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3';
    for (const option of ['-sess_out', '-sess_in']) {
      const peer = opensslClient(port, [flag, option, file]);
      t.after(() => peer.stop());
      peer.write('hello\n');
      await peer.exit();
    }
    assert.deepEqual(reused, [false, true]);
  });
}
