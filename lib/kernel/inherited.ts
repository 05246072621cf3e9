import { type CipherFacts, ciphers } from '../ciphers.js';
import type { CipherName, MacName, Protocol } from '../crypt-options.js';
import { SoCryptError } from '../errors.js';
import type { KernelKeys } from '../native/kernel.js';
import type { DirectionSpec } from '../native/records.js';
import { native } from '../native.js';
import type { KernelEngine, Terms } from './engine.js';
import { systemError } from './port.js';

/** What the kernel says of a socket that another process has armed. */
export interface Inherited {
  engine: 'ktls' | 'so_crypt';
  protocol: Protocol;
  cipher: CipherName;
  mac: MacName | undefined;
  facts: CipherFacts;
  encryptThenMac: boolean;
  write: boolean;
  read: boolean;
}

const ktlsProtocols: Record<number, Protocol> = { 771: 'tls1.2', 772: 'tls1.3' };
const soCryptProtocols: Record<number, Protocol> = { 1: 'tls1.0', 2: 'tls1.1', 3: 'tls1.2', 4: 'tls1.3' };

/**
 * @param wanted so_crypt: the cipher, whose key's length the kernel does not tell
 * @returns undefined: bytes pass unchanged
 * @throws SoCryptError ERR_SO_CRYPT_UNSUPPORTED, ERR_SO_CRYPT_INVALID_OPTION
 */
export function inheritedFrom(fd: number, wanted: CipherName | undefined): Inherited | undefined {
  const found = native.kernel?.inherited?.(fd) ?? null;
  if (found === null) return undefined;
  if (typeof found === 'number')
    throw new SoCryptError(
      'ERR_SO_CRYPT_UNSUPPORTED',
      "This socket's upper layer protocol is none of so-crypt's",
      {
        cause: systemError(found, 'getsockopt'),
      },
    );
  const [engine, number, name, mac, encryptThenMac, write, read] = found;
  const protocol = (engine === 'ktls' ? ktlsProtocols : soCryptProtocols)[number];
  if (protocol === undefined)
    throw new SoCryptError(
      'ERR_SO_CRYPT_UNSUPPORTED',
      `A socket of ${engine} with this protocol can't be taken over`,
      {
        hint: 'TLS can',
      },
    );
  const cipher = engine === 'ktls' ? (name as CipherName) : soCryptCipher(name, protocol, wanted);
  return {
    engine,
    protocol,
    cipher,
    mac: mac === '' ? undefined : (mac.replace('(', '-').replace(')', '') as MacName),
    facts: ciphers[cipher],
    encryptThenMac,
    write,
    read,
  };
}

// native/kernel/so_crypt.cc has the names, too.
function soCryptCipher(kernelName: string, protocol: Protocol, wanted: CipherName | undefined): CipherName {
  const possible = (Object.keys(ciphers) as CipherName[]).filter(
    (name) => kernelNameOf(name) === kernelName && ciphers[name].protocols.includes(protocol),
  );
  const chosen = possible.length === 1 ? possible[0] : possible.find((name) => name === wanted);
  if (chosen !== undefined && (wanted === undefined || wanted === chosen)) return chosen;
  throw new SoCryptError('ERR_SO_CRYPT_INVALID_OPTION', `The socket's cipher is ${kernelName}`, {
    hint: `Give the option cipher: ${possible.map((name) => `'${name}'`).join(' or ')}`,
  });
}

function kernelNameOf(name: CipherName): string {
  if (name === 'chacha20-poly1305') return 'rfc7539(chacha20,poly1305)';
  if (name === 'des-ede3-cbc') return 'cbc(des3_ede)';
  const [, mode] = /-(gcm|ccm|cbc|ctr)8?$/.exec(name) ?? [];
  return `${mode}(aes)`;
}

/** The kernel engine of a socket whose keys only the kernel has: it goes on, under these keys alone. */
export function inheritedEngine({ engine, cipher }: Inherited): KernelEngine {
  return {
    name: engine,
    updateHint: 'Its keys came with another process, which alone knows the traffic secret',
    refusal: () => undefined,
    attach() {},
    keys: (_terms: Terms, _spec: DirectionSpec, write: boolean): KernelKeys => ({
      usedKeys: new Uint8Array(0),
      arm: () => 0, // it is
      next: () => false,
      sequence: (fd) => native.kernel!.inheritedSequence!(fd, engine === 'ktls' ? cipher : '', write),
      dispose() {},
    }),
    canRekey: () => false,
    armingError: (result) => systemError(result, 'setsockopt'),
  };
}
