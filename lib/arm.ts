import { afAlgDriver } from './af-alg.js';
import { type CipherFacts, ciphers, hashOf, macs } from './ciphers.js';
import type { CipherName, CryptOptions, DirectionKeys, MacName, Protocol } from './crypt-options.js';
import { cryptodevDriver } from './cryptodev.js';
import { resolveEngine } from './engines.js';
import { SoCryptError, type SoCryptErrorCode } from './errors.js';
import { ContentType, customLayout, type Layout, TLS_MAX_FRAGMENT, tlsLayout } from './frame-layouts.js';
import { Nonce } from './native/layouts.js';
import type { DirectionSpec, OpenerSpec, SealerSpec } from './native/records.js';
import type { SshCryptOptions } from './packets/options.js';
import type { Engine } from './records/direction.js';

/** CryptOptions after validation: all an engine needs to arm a socket. */
export interface Arming {
  protocol: Protocol | 'custom';
  cipher: CipherName;
  /** Where the provider has drivers. */
  driver: string | undefined;
  facts: CipherFacts;
  mac: MacName | undefined;
  layout: Layout;
  write: SealerSpec | undefined;
  read: OpenerSpec | undefined;
  keyUpdateAfter: number;
  expectNoPadding: boolean;
  truncation: 'error' | 'end';
  onHandshakeMessage: ((message: Buffer) => void) | undefined;
}

/** Records that stay for alerts when the cipher's limit is reached. */
export const RESERVED_RECORDS = 8;

const MAX_SEQUENCE = 2n ** 64n - 2n;

/**
 * Checks the options of setCrypt and turns them into what the record layer takes. Nothing is armed yet; key Buffers are copied by
 * the engine, and wiped by {@link wipeKeys} afterwards if asked.
 *
 * @throws SoCryptError with a code for each kind of mistake
 */
export function validate(options: CryptOptions): Arming {
  if (typeof options !== 'object' || options === null)
    fail(
      'ERR_SO_CRYPT_INVALID_OPTION',
      'The options of setCrypt are missing',
      'Give it an object with protocol, cipher and keys',
    );
  const cipher = `${options.cipher}`.toLowerCase() as CipherName;
  const facts = Object.hasOwn(ciphers, cipher) ? ciphers[cipher] : undefined;
  if (facts === undefined)
    fail(
      'ERR_SO_CRYPT_UNKNOWN_CIPHER',
      `Unknown cipher ${quote(options.cipher)}`,
      `Known are ${Object.keys(ciphers).join(', ')}`,
    );
  const mac = macOf(options, cipher, facts);
  const layout = layoutOf(options, cipher, facts, mac);
  const protocol: Arming['protocol'] = options.protocol ?? 'custom';
  if (options.write === undefined && options.read === undefined)
    fail('ERR_SO_CRYPT_INVALID_OPTION', 'No direction to arm', 'Give write, read or both');

  const maxFragment = integer(
    options.maxFragment ?? Math.min(layout.facts.maxPayload, TLS_MAX_FRAGMENT),
    'maxFragment',
    64,
    layout.facts.maxPayload,
  );
  const padTo = integer(options.padTo ?? 0, 'padTo', 0, TLS_MAX_FRAGMENT);
  if (padTo > 0 && protocol !== 'tls1.3')
    fail('ERR_SO_CRYPT_UNSUPPORTED', `${protocol} has no record padding`, 'Leave padTo out, or use TLS 1.3');
  const limit = facts.recordLimit;
  const keyUpdateAfter = integer(options.keyUpdateAfter ?? Math.floor(limit / 2), 'keyUpdateAfter', 1, limit);
  if (options.truncation !== undefined && options.truncation !== 'error' && options.truncation !== 'end')
    fail('ERR_SO_CRYPT_INVALID_OPTION', 'truncation is invalid', "It must be 'error' or 'end'");

  const engines = resolveEngine(options.engine, options.driver);
  const provider = (engine: Engine): Provider => providerOf(engine, options.driver, cipher, layout);
  const write = options.write && provider(engines.write);
  const read = options.read && (engines.read === engines.write && write ? write : provider(engines.read));
  const context = { protocol, cipher, facts, mac, layout };
  return {
    ...context,
    driver: (write ?? read)!.driver,
    write: options.write && {
      ...directionOf(options.write, 'write', context, write!),
      maxFragment,
      padTo,
      splitFirst: layout.facts.nonce === Nonce.chained,
    },
    read: options.read && {
      ...directionOf(options.read, 'read', context, read!),
      applicationType: protocol === 'custom' ? 0 : ContentType.applicationData,
    },
    keyUpdateAfter,
    expectNoPadding: options.expectNoPadding === true && protocol === 'tls1.3',
    truncation: options.truncation ?? 'error',
    onHandshakeMessage: options.onHandshakeMessage,
  };
}

/** The same for a connection that differs in its traffic secrets alone, and in what it has written. */
export function withSecrets(template: Arming, { write, read }: CryptOptions): Arming {
  const secretFor = (keys: DirectionKeys | undefined, name: string): Uint8Array =>
    secretOf(keys!, name, template)!;
  const sequence = counter(write!.sequence ?? 0n, 'write.sequence');
  return {
    ...template,
    write: {
      ...template.write!,
      secret: secretFor(write, 'write'),
      sequence,
      explicitCounter: sequence,
    },
    read: { ...template.read!, secret: secretFor(read, 'read') },
  };
}

/** Overwrites the caller's key Buffers with zeros. */
export function wipeKeys(options: CryptOptions | SshCryptOptions): void {
  for (const keys of [options.write, options.read] as (DirectionKeys | undefined)[])
    for (const bytes of [keys?.key, keys?.iv, keys?.macKey, keys?.secret]) bytes?.fill(0);
}

const NOTHING = new Uint8Array(0);

/** The same options with key Buffers of their own, for an arming that comes later. */
export function copyKeys<Options extends CryptOptions | SshCryptOptions>(options: Options): Options {
  const copy = (keys: DirectionKeys | undefined): DirectionKeys | undefined => {
    if (typeof keys !== 'object' || keys === null) return keys;
    const own: DirectionKeys = { ...keys };
    for (const name of ['key', 'iv', 'macKey', 'secret'] as const)
      if (keys[name] instanceof Uint8Array) own[name] = Buffer.from(keys[name]);
    return own;
  };
  const { write, read } = { write: copy(options.write), read: copy(options.read) };
  return { ...options, ...(write && { write }), ...(read && { read }) } as Options;
}

type Context = Pick<Arming, 'protocol' | 'cipher' | 'facts' | 'mac' | 'layout'>;

/** What does the cipher: `driver` for people, `named` for the provider. */
export interface Provider {
  provider: 'evp' | 'af_alg' | 'cryptodev';
  driver: string | undefined;
  named: string | undefined;
}

// A kernel engine's own bytes, those before the kernel has the key, are evp's.
function providerOf(
  engine: Engine,
  wanted: string | undefined,
  cipher: CipherName,
  layout: Layout,
): Provider {
  return providerFor(engine, wanted, {
    afAlg: () => afAlgDriver(cipher, wanted, layout.packed),
    cryptodev: () => cryptodevDriver(cipher, wanted, layout.packed),
  });
}

/** @param check tell the driver of an engine that has drivers, or throw */
export function providerFor(
  engine: Engine,
  wanted: string | undefined,
  check: { afAlg: () => string; cryptodev: () => string | undefined },
): Provider {
  if (engine === 'af_alg') {
    const driver = check.afAlg();
    return { provider: engine, driver, named: driver };
  }
  if (engine === 'so_crypt') return { provider: 'evp', driver: wanted, named: wanted };
  if (engine !== 'cryptodev') return { provider: 'evp', driver: undefined, named: undefined };
  return { provider: engine, driver: check.cryptodev(), named: wanted ?? '' };
}

function macOf(options: CryptOptions, cipher: CipherName, facts: CipherFacts): MacName | undefined {
  if (facts.mode === 'aead') {
    if (options.mac !== undefined)
      fail('ERR_SO_CRYPT_UNSUPPORTED', `${cipher} authenticates by itself`, 'Leave mac out');
    return undefined;
  }
  const mac = `${options.mac}`.toLowerCase() as MacName;
  if (!Object.hasOwn(macs, mac))
    fail(
      'ERR_SO_CRYPT_UNKNOWN_MAC',
      `${cipher} needs a MAC, not ${quote(options.mac)}`,
      `Known are ${Object.keys(macs).join(', ')}`,
    );
  return mac;
}

function layoutOf(
  options: CryptOptions,
  cipher: CipherName,
  facts: CipherFacts,
  mac: MacName | undefined,
): Layout {
  const macLength = mac === undefined ? 0 : macs[mac];
  const { protocol, frame } = options;
  if ((protocol === undefined) === (frame === undefined))
    fail(
      'ERR_SO_CRYPT_INVALID_OPTION',
      'Exactly one of protocol and frame must be given',
      "For TLS 1.3: protocol: 'tls1.3'",
    );
  if (frame !== undefined) return customLayout(frame, facts, macLength);
  if (!['tls1.0', 'tls1.1', 'tls1.2', 'tls1.3'].includes(protocol as string))
    fail(
      'ERR_SO_CRYPT_UNKNOWN_PROTOCOL',
      `Unknown protocol ${quote(protocol)}`,
      'Known are tls1.0, tls1.1, tls1.2, tls1.3',
    );
  if (!facts.protocols.includes(protocol as Protocol))
    fail(
      'ERR_SO_CRYPT_UNSUPPORTED',
      `${protocol} has no cipher ${cipher}`,
      `It has ${ciphersOf(protocol as Protocol)}`,
    );
  if (mac !== undefined && mac !== 'hmac-sha1' && protocol !== 'tls1.2')
    fail('ERR_SO_CRYPT_UNSUPPORTED', `${protocol} has no ${mac}`, 'It has hmac-sha1');
  return tlsLayout(protocol as Protocol, cipher, macLength, options.encryptThenMac === true);
}

function ciphersOf(protocol: Protocol): string {
  return Object.entries(ciphers)
    .filter(([, facts]) => facts.protocols.includes(protocol))
    .map(([name]) => name)
    .join(', ');
}

function directionOf(keys: DirectionKeys, name: string, context: Context, device: Provider): DirectionSpec {
  const { facts, layout, cipher, mac, protocol } = context;
  if (typeof keys !== 'object' || keys === null)
    fail('ERR_SO_CRYPT_INVALID_OPTION', `${name} is invalid`, 'It must be an object with key, iv …');
  const { key = NOTHING, iv = NOTHING } = keys;
  const secret = secretOf(keys, name, context);
  // With the traffic secret alone, key and IV are derived from it.
  if (secret === undefined || key.length + iv.length > 0) {
    checkBytes(keys.key, facts.keyLength, 'ERR_SO_CRYPT_KEY_LENGTH', name, 'key', cipher);
    checkBytes(iv, layout.facts.fixedIv, 'ERR_SO_CRYPT_IV_LENGTH', name, 'iv', protocol, cipher);
  }
  if (mac === undefined) {
    if (keys.macKey !== undefined)
      fail(
        'ERR_SO_CRYPT_MAC_KEY_LENGTH',
        `${name}.macKey is superfluous`,
        `${cipher} authenticates by itself`,
      );
  } else if (protocol !== 'custom') {
    checkBytes(keys.macKey, macs[mac], 'ERR_SO_CRYPT_MAC_KEY_LENGTH', name, 'macKey', mac);
  } else if (!(keys.macKey instanceof Uint8Array) || keys.macKey.length < 1 || keys.macKey.length > 1024) {
    fail(
      'ERR_SO_CRYPT_MAC_KEY_LENGTH',
      `${name}.macKey has a wrong length`,
      'It must be a Buffer of 1 to 1,024 bytes',
    );
  }
  const sequence = counter(keys.sequence ?? 0n, `${name}.sequence`);
  if (keys.explicitNonce !== undefined && layout.facts.nonce !== Nonce.explicitCounter)
    fail(
      'ERR_SO_CRYPT_INVALID_OPTION',
      `${name}.explicitNonce is superfluous`,
      `${protocol} with ${cipher} has no explicit nonce`,
    );
  return {
    provider: device.provider,
    driver: device.named,
    layout: layout.packed,
    cipher,
    mac,
    key,
    iv,
    secret: secret ?? NOTHING,
    macKey: keys.macKey ?? NOTHING,
    sequence,
    explicitCounter: counter(keys.explicitNonce ?? sequence, `${name}.explicitNonce`),
    limit: name === 'write' ? facts.recordLimit + RESERVED_RECORDS : Number.MAX_SAFE_INTEGER,
  };
}

function secretOf(keys: DirectionKeys, name: string, context: Context): Uint8Array | undefined {
  if (keys.secret === undefined) return undefined;
  if (context.protocol !== 'tls1.3')
    fail('ERR_SO_CRYPT_INVALID_OPTION', `${name}.secret is superfluous`, 'Traffic secrets are TLS 1.3');
  const length = hashOf(context.cipher) === 'sha384' ? 48 : 32;
  checkBytes(keys.secret, length, 'ERR_SO_CRYPT_KEY_LENGTH', name, 'secret', context.cipher);
  return keys.secret;
}

export function checkBytes(
  value: unknown,
  length: number,
  code: SoCryptErrorCode,
  direction: string,
  field: string,
  ...of: string[]
): asserts value is Uint8Array {
  if (value instanceof Uint8Array && value.length === length) return;
  const what = `${direction}.${field} of ${of.join(' with ')}`;
  const found =
    value instanceof Uint8Array
      ? `${value.length} bytes`
      : value === undefined
        ? 'nothing'
        : `a ${typeof value}`;
  fail(
    code,
    `${what} must have ${length} bytes, found ${found}`,
    length === 0 ? 'Leave it out' : `Give a Buffer of ${length} bytes`,
  );
}

function counter(value: unknown, what: string): bigint {
  const number = typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof number !== 'bigint' || number < 0n || number > MAX_SEQUENCE)
    fail('ERR_SO_CRYPT_SEQUENCE', `${what} is out of range`, 'It must be an integer from 0 to 2^64 - 2');
  return number;
}

function integer(value: unknown, what: string, from: number, to: number): number {
  if (!Number.isInteger(value) || (value as number) < from || (value as number) > to)
    fail('ERR_SO_CRYPT_INVALID_OPTION', `${what} is invalid`, `It must be an integer from ${from} to ${to}`);
  return value as number;
}

export function quote(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}

export function fail(code: SoCryptErrorCode, message: string, hint: string): never {
  throw new SoCryptError(code, message, { hint });
}
