import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { SshOpenStatus } from '../lib/native/packets.js';
import { native } from '../lib/native.js';
import { validateSsh } from '../lib/packets/arm.js';
import { sshCiphers, sshMacs } from '../lib/packets/ciphers.js';
import type { SshCipherName, SshCryptOptions, SshMacName } from '../lib/packets/options.js';
import { loadSsh2 } from './ssh2-ciphers.js';

// What an SSH packet costs the record layer of an engine and, beside it, the ciphers of the package ssh2 (its native binding, where that
// is built). Nanoseconds; with the instruction clock of `npm run vm -- --icount` they are instructions.
const usage = `Usage: node dist/bench/packets.js [options]

  --engine NAME       a userland engine (evp)
  --driver NAME       of the engine
  --suites LIST       CIPHER or CIPHER/MAC (aes128-gcm@openssh.com,aes128-ctr/hmac-sha2-256,chacha20-poly1305@openssh.com)
  --bytes N           payload of a packet (32777, a full SSH_MSG_CHANNEL_DATA)
  --packets N         in a call (4)
  --calls N           (100)
  --ssh2 FOLDER       compare with the package ssh2 that is installed there
`;

const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'evp' },
    driver: { type: 'string' },
    suites: {
      type: 'string',
      default: 'aes128-gcm@openssh.com,aes128-ctr/hmac-sha2-256,chacha20-poly1305@openssh.com',
    },
    bytes: { type: 'string', default: '32777' },
    packets: { type: 'string', default: '4' },
    calls: { type: 'string', default: '100' },
    ssh2: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(usage);
  process.exit();
}

const [bytes, packets, calls] = [Number(values.bytes), Number(values.packets), Number(values.calls)];
const payload = randomBytes(bytes);
payload[0] = 94; // SSH_MSG_CHANNEL_DATA

/** Seals and opens so many packets; what each took, in nanoseconds. */
export type Round = () => { seal: bigint; open: bigint };

function ours(cipher: SshCipherName, mac: SshMacName | undefined): Round {
  const facts = sshCiphers[cipher];
  const keys = {
    key: randomBytes(facts.keyLength),
    iv: randomBytes(facts.ivLength),
    ...(mac && { macKey: randomBytes(sshMacs[mac].length) }),
  };
  const { write, read } = validateSsh({
    protocol: 'ssh',
    cipher,
    ...(mac && { mac }),
    ...(values.driver && { driver: values.driver }),
    engine: values.engine as NonNullable<SshCryptOptions['engine']>,
    write: keys,
    read: keys,
  });
  const sealer = new native.SshSealer(write!);
  const opener = new native.SshOpener(read!);
  const payloads = Array.from({ length: packets }, () => payload);
  const sealed = Buffer.alloc(packets * (bytes + sealer.overhead));
  const opened = Buffer.alloc(sealed.length);
  return () => {
    const start = process.hrtime.bigint();
    const length = sealer.seal(payloads, 0, packets, sealed);
    const middle = process.hrtime.bigint();
    const status = length < 0 ? length : opener.open(sealed, 0, length, 0, opened);
    const end = process.hrtime.bigint();
    if (status !== SshOpenStatus.needMore || native.result[1] !== packets)
      throw new Error(`status ${status}, ${native.failure() ?? ''}`);
    return { seal: middle - start, open: end - middle };
  };
}

function measure(round: Round): [number, number] {
  const spent = { seal: 0n, open: 0n };
  const warmup = Math.ceil(calls / 4); // Node's first runs
  for (let i = -warmup; i < calls; i++) {
    const { seal, open } = round();
    if (i < 0) continue;
    spent.seal += seal;
    spent.open += open;
  }
  const each = (ns: bigint) => Math.round(Number(ns) / calls / packets);
  return [each(spent.seal), each(spent.open)];
}

console.log(`${packets} packets of ${bytes} bytes in a call, ${values.engine} ${values.driver ?? ''}`);
console.log('seal ns   open ns');
const ssh2 = values.ssh2 === undefined ? undefined : await loadSsh2(values.ssh2);
for (const suite of values.suites.split(',')) {
  const [cipher, mac] = suite.split('/') as [SshCipherName, SshMacName | undefined];
  const row = (name: string, [seal, open]: [number, number]) =>
    console.log(`${String(seal).padStart(7)}${String(open).padStart(10)}   ${name} ${suite}`);
  row('so-crypt', measure(ours(cipher, mac)));
  if (ssh2 !== undefined) row('ssh2', measure(ssh2(cipher, mac, payload, packets)));
}
