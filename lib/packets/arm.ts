import { afAlgDriver } from '../af-alg.js';
import { checkBytes, fail, providerFor, quote } from '../arm.js';
import { cryptodevDriver } from '../cryptodev.js';
import { resolveEngine } from '../engines.js';
import type { SshSpec } from '../native/packets.js';
import type { Engine } from '../records/direction.js';
import { CHACHA, MAX_PACKET, PACKET_LIMIT, type SshCipherFacts, sshCiphers, sshMacs } from './ciphers.js';
import type { SshCipherName, SshCryptOptions, SshDirectionKeys, SshMacName } from './options.js';

/** SshCryptOptions after validation. */
export interface SshArming {
  protocol: 'ssh';
  cipher: SshCipherName;
  mac: SshMacName | undefined;
  /** Where the provider has drivers. */
  driver: string | undefined;
  write: SshSpec | undefined;
  read: SshSpec | undefined;
  newKeys: 'detect' | 'each';
}

const MAX_SEQUENCE = 0xffff_ffffn;

// What a provider is given of a packet at once: length field, packet and tag.
const MAX_RECORD = 4 + MAX_PACKET + 16;

const OF_TLS = [
  'frame',
  'encryptThenMac',
  'maxFragment',
  'padTo',
  'expectNoPadding',
  'keyUpdateAfter',
  'truncation',
  'onHandshakeMessage',
];

/**
 * Checks the options of setCrypt for SSH, as validate() in ../arm.ts does for TLS.
 *
 * @throws SoCryptError with a code for each kind of mistake
 */
export function validateSsh(options: SshCryptOptions): SshArming {
  const { cipher } = options;
  const facts = Object.hasOwn(sshCiphers, cipher) ? sshCiphers[cipher] : undefined;
  if (facts === undefined)
    fail(
      'ERR_SO_CRYPT_UNKNOWN_CIPHER',
      `Unknown cipher ${quote(cipher)} of SSH`,
      `Known are ${Object.keys(sshCiphers).join(', ')}`,
    );
  const mac = macOf(options, facts);
  for (const name of OF_TLS)
    if ((options as unknown as Record<string, unknown>)[name] !== undefined)
      fail('ERR_SO_CRYPT_INVALID_OPTION', `SSH has no ${name}`, 'Leave it out');
  if (options.write === undefined && options.read === undefined)
    fail('ERR_SO_CRYPT_INVALID_OPTION', 'No direction to arm', 'Give write, read or both');
  const newKeys = options.read?.newKeys ?? 'detect';
  if (newKeys !== 'detect' && newKeys !== 'each')
    fail('ERR_SO_CRYPT_INVALID_OPTION', 'read.newKeys is invalid', "It must be 'detect' or 'each'");

  const engines = resolveEngine(options.engine, options.driver);
  const provider = (engine: Engine) => providerOf(engine, options.driver, cipher, facts);
  const write = options.write && provider(engines.write);
  const read = options.read && (engines.read === engines.write && write ? write : provider(engines.read));
  return {
    protocol: 'ssh',
    cipher,
    mac,
    driver: (write ?? read)!.driver,
    write: options.write && specOf(options.write, 'write', cipher, facts, mac, write!),
    read: options.read && specOf(options.read, 'read', cipher, facts, mac, read!),
    newKeys,
  };
}

function macOf({ cipher, mac }: SshCryptOptions, facts: SshCipherFacts): SshMacName | undefined {
  if (facts.mode === 'aead') {
    if (mac !== undefined)
      fail('ERR_SO_CRYPT_UNSUPPORTED', `${cipher} authenticates by itself`, 'Leave mac out');
    return undefined;
  }
  if (mac === undefined || !Object.hasOwn(sshMacs, mac))
    fail(
      'ERR_SO_CRYPT_UNKNOWN_MAC',
      `${cipher} needs a MAC, not ${quote(mac)}`,
      `Known are ${Object.keys(sshMacs).join(', ')}`,
    );
  return mac;
}

function providerOf(
  engine: Engine,
  wanted: string | undefined,
  cipher: SshCipherName,
  facts: SshCipherFacts,
) {
  if (cipher === CHACHA && (engine === 'af_alg' || engine === 'cryptodev'))
    fail(
      'ERR_SO_CRYPT_UNSUPPORTED',
      `The engine ${engine} can't do ${cipher}: the kernel's interface has no such cipher`,
      "Use 'evp' or 'so_crypt' for it",
    );
  return providerFor(engine, wanted, {
    afAlg: () => afAlgDriver(facts.native, wanted, MAX_RECORD),
    cryptodev: () => cryptodevDriver(facts.native, wanted, MAX_RECORD),
  });
}

function specOf(
  keys: SshDirectionKeys,
  name: 'write' | 'read',
  cipher: SshCipherName,
  facts: SshCipherFacts,
  mac: SshMacName | undefined,
  provider: ReturnType<typeof providerFor>,
): SshSpec {
  if (typeof keys !== 'object' || keys === null)
    fail('ERR_SO_CRYPT_INVALID_OPTION', `${name} is invalid`, 'It must be an object with key, iv …');
  const { key, iv = NOTHING, macKey = NOTHING } = keys;
  checkBytes(key, facts.keyLength, 'ERR_SO_CRYPT_KEY_LENGTH', name, 'key', cipher);
  checkBytes(iv, facts.ivLength, 'ERR_SO_CRYPT_IV_LENGTH', name, 'iv', cipher);
  const macFacts = mac && sshMacs[mac];
  checkBytes(macKey, macFacts?.length ?? 0, 'ERR_SO_CRYPT_MAC_KEY_LENGTH', name, 'macKey', mac ?? cipher);
  return {
    provider: provider.provider,
    driver: provider.named,
    cipher: facts.native,
    mac: macFacts?.native,
    encryptThenMac: macFacts?.encryptThenMac ?? false,
    key,
    iv,
    macKey,
    sequence: sequenceOf(keys.sequence, name),
    limit: PACKET_LIMIT,
  };
}

const NOTHING = new Uint8Array(0);

function sequenceOf(value: bigint | number | undefined, direction: string): number | undefined {
  if (value === undefined) return undefined;
  const number = typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof number !== 'bigint' || number < 0n || number > MAX_SEQUENCE)
    fail(
      'ERR_SO_CRYPT_SEQUENCE',
      `${direction}.sequence is out of range`,
      'It must be an integer from 0 to 2^32 - 1',
    );
  return Number(number);
}
