import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import type { Round } from './packets.js';

/** The part of ssh2's lib/protocol/crypto.js that is used here. */
interface Ssh2Crypto {
  init: Promise<unknown>;
  CIPHER_INFO: Record<string, { keyLen: number; ivLen: number }>;
  MAC_INFO: Record<string, { len: number }>;
  createCipher(config: object): { allocPacket(length: number): Buffer; encrypt(packet: Buffer): void };
  createDecipher(config: object): { decrypt(data: Buffer, from: number, to: number): unknown };
}

/**
 * The ciphers of the package ssh2.
 *
 * @param folder in whose node_modules it is
 */
export async function loadSsh2(
  folder: string,
): Promise<(cipher: string, mac: string | undefined, payload: Buffer, packets: number) => Round> {
  const ssh2 = createRequire(resolve(folder, 'x.js'))('ssh2/lib/protocol/crypto.js') as Ssh2Crypto;
  await ssh2.init;
  return (cipher, mac, payload, packets) => {
    const info = ssh2.CIPHER_INFO[cipher]!;
    const macInfo = mac === undefined ? undefined : ssh2.MAC_INFO[mac]!;
    const key = randomBytes(info.keyLen);
    const iv = randomBytes(info.ivLen ?? 0);
    const macKey = macInfo && randomBytes(macInfo.len);
    const wire: Buffer[] = [];
    let opened = 0;
    const sealer = ssh2.createCipher({
      outbound: {
        seqno: 0,
        onWrite: (data: Buffer) => wire.push(data),
        cipherInfo: info,
        cipherKey: key,
        cipherIV: Buffer.from(iv),
        macInfo,
        macKey,
      },
    });
    const opener = ssh2.createDecipher({
      inbound: {
        seqno: 0,
        onPayload: () => {
          opened++;
        },
        decipherInfo: info,
        decipherKey: key,
        decipherIV: Buffer.from(iv),
        macInfo,
        macKey,
      },
    });
    return () => {
      wire.length = 0;
      opened = 0;
      const start = process.hrtime.bigint();
      for (let i = 0; i < packets; i++) {
        const packet = sealer.allocPacket(payload.length);
        payload.copy(packet, 5);
        sealer.encrypt(packet);
      }
      const middle = process.hrtime.bigint();
      const bytes = Buffer.concat(wire); // what a socket would deliver
      const from = process.hrtime.bigint();
      opener.decrypt(bytes, 0, bytes.length);
      const end = process.hrtime.bigint();
      if (opened !== packets) throw new Error(`${opened} packets opened`);
      return { seal: middle - start, open: end - from };
    };
  };
}
