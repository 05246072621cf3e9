import assert from 'node:assert/strict';
import { isPacketCarried, testWhere } from '../support/engine.js';
import { connectedPair, until } from '../support/sockets.js';
import { Payloads } from '../support/ssh.js';

const cipher = 'chacha20-poly1305@openssh.com';
const testIt = testWhere(isPacketCarried({ cipher }));

// draft-ietf-sshm-chacha20-poly1305, Appendix A.
const key = Buffer.from(
  '8bbff6855fc102338c373e73aac0c914f076a905b2444a32eecaffeae22becc5' +
    'e9b7a7a5825a8249346ec1c28301cf394543fc7569887d76e168f37562ac0740',
  'hex',
);
const payload = Buffer.concat([
  Buffer.from('5e0000000000000038', 'hex'),
  Buffer.from('Lorem ipsum dolor sit amet, consectetur adipisicing elit'),
]);
const packet = Buffer.from(
  '2c3ecce4a5bc05895bf07a7ba956b6c68829ac7c83b780b7000ecde745afc705' +
    'bbc378ce03a280236b87b53bed5839662302b164b6286a48cd1e097138e3cb90' +
    '9b8b2b829dd18d2a35ff82d995349e855bf02c298ef775f2d1a7e8b8',
  'hex',
);

testIt("the draft's packet is opened", async () => {
  const { ours, peer, close } = await connectedPair();
  ours.setCrypt({ protocol: 'ssh', cipher, read: { key, sequence: 7 } });
  const read = new Payloads(ours);
  peer.end(packet);
  await until(() => read.ended || read.closed, 'the end');
  assert.deepEqual([read.all, read.errors], [[payload], []]);
  close();
});

testIt("the draft's payload is sealed alike, but for its padding", async () => {
  const { ours, peer } = await connectedPair();
  ours.setCrypt({ protocol: 'ssh', cipher, write: { key, sequence: 7 } });
  const chunks: Buffer[] = [];
  peer.on('data', (chunk: Buffer) => chunks.push(chunk));
  ours.end(payload);
  await until(() => peer.readableEnded, 'the end');
  const sent = Buffer.concat(chunks);
  const [padding, tag] = [6, 16];
  assert.equal(sent.length, packet.length);
  const same = packet.length - padding - tag;
  assert.deepEqual(sent.subarray(0, same), packet.subarray(0, same));
  assert.notDeepEqual(sent.subarray(same), packet.subarray(same));
});
