// SPDX-License-Identifier: MIT
// What lib/kernel/ relies on when it waits for a socket, whatever the system waits with: the same for epoll and, SO_CRYPT_ADDON being the
// addon of scripts/openbsd-addon.mjs, for kqueue.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { native } from '../../lib/native.js';

const READABLE = 1;
const WRITABLE = 2;
const ID = 7;

assert.ok(native.kernel, 'the addon has kernel engines');
const seen: [id: number, mask: number][] = [];
const readiness = new native.kernel.Readiness((ids, events, count) => {
  for (let i = 0; i < count; i++) seen.push([ids[i]!, events[i]!]);
});
assert.equal(readiness.error, 0);

/** What has come, of all events since the last call. */
async function told(): Promise<{ readable: boolean; writable: boolean; count: number }> {
  await sleep(50);
  const masks = seen.splice(0).map(([id, mask]) => {
    assert.equal(id, ID);
    return mask;
  });
  const all = masks.reduce((sum, mask) => sum | mask, 0);
  return { readable: (all & READABLE) !== 0, writable: (all & WRITABLE) !== 0, count: masks.length };
}

const nothing = { readable: false, writable: false, count: 0 };
const server = net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
await once(server, 'listening');
const peer = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
const [socket] = (await once(server, 'connection')) as [net.Socket];
const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
const inbox = new Uint8Array(65_536);
const drain = (): void => {
  while (native.kernel!.receivePlain(fd, inbox) > 0);
};

assert.equal(readiness.watch(fd, ID, false, false), 0);
assert.deepEqual(await told(), nothing, 'nothing is there');
peer.write('a');
assert.deepEqual(await told(), { readable: true, writable: false, count: 1 });
assert.deepEqual(await told(), nothing, 'an edge comes once, although the byte is still there');
peer.write('b');
assert.equal((await told()).readable, true, 'and again with each new byte');
assert.equal(readiness.watch(fd, ID, false, true), 0);
assert.equal((await told()).readable, true, 'what is there already is told to who asks anew');
drain();
assert.equal(readiness.watch(fd, ID, false, true), 0);
assert.deepEqual(await told(), nothing);

assert.equal(readiness.watch(fd, ID, true, true), 0);
assert.deepEqual(await told(), { readable: false, writable: true, count: 1 }, 'there is room');
peer.pause();
while (native.kernel.sendRecord(fd, 23, inbox) > 0); // without keys, plain bytes
assert.equal(readiness.watch(fd, ID, true, true), 0);
assert.equal((await told()).writable, false, 'there is none');
peer.resume();
assert.equal((await told()).writable, true, 'there is again');
assert.equal(readiness.watch(fd, ID, false, true), 0);
seen.length = 0;
while (native.kernel.sendRecord(fd, 23, inbox) > 0);
assert.equal((await told()).writable, false, 'nobody asks any more');

readiness.forget(fd);
peer.write('c');
assert.deepEqual(await told(), nothing, 'forgotten');
assert.equal(readiness.watch(fd, ID, false, false), 0);
assert.equal((await told()).readable, true);
drain();
peer.end();
assert.equal((await told()).readable, true, 'the end can be read');
socket.destroy();
await told();
assert.ok(readiness.watch(fd, ID, false, false) < 0, 'no descriptor');
server.close();
process.stdout.write(`ok - readiness by ${process.env.SO_CRYPT_ADDON ? 'kqueue' : 'epoll'}\n`);
