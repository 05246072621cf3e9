import { sshCiphers, sshMacs } from '../packets/ciphers.js';
import type { SshCipherName, SshMacName } from '../packets/options.js';
import type { Agreed } from './ssh2.js';

/** What a direction uses, by the names of setCrypt, and the lengths of what the key exchange derives for it, in bytes. */
export interface Algorithms {
  readonly cipher: SshCipherName;
  readonly mac: SshMacName | undefined;
  readonly keyLength: number;
  readonly ivLength: number;
  readonly macKeyLength: number;
  /** Payloads are compressed: which of them is SSH_MSG_NEWKEYS, their first byte does not tell. */
  readonly isCompressed: boolean;
}

/** Names that ssh2 has beside those that are common. */
const aliases: Readonly<Record<string, SshCipherName>> = {
  'aes128-gcm': 'aes128-gcm@openssh.com',
  'aes256-gcm': 'aes256-gcm@openssh.com',
  'rijndael-cbc@lysator.liu.se': 'aes256-cbc',
};

/** What was agreed on, if the record layer has it. */
export function algorithmsOf({ cipher: agreed, mac, compress }: Agreed): Algorithms | undefined {
  const cipher = (aliases[agreed] ?? agreed) as SshCipherName;
  if (!Object.hasOwn(sshCiphers, cipher)) return undefined;
  const { mode, keyLength, ivLength } = sshCiphers[cipher];
  const common = { cipher, keyLength, ivLength, isCompressed: compress !== 'none' };
  if (mode === 'aead') return { ...common, mac: undefined, macKeyLength: 0 };
  if (!Object.hasOwn(sshMacs, mac)) return undefined;
  return { ...common, mac: mac as SshMacName, macKeyLength: sshMacs[mac as SshMacName].length };
}
