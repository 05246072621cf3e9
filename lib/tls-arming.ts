import { type Arming, validate, withSecrets } from './arm.js';
import { hashOf } from './ciphers.js';
import type { CipherName, CryptOptions } from './crypt-options.js';
import type { Engines } from './engines.js';
import { type Terms, termsOf } from './kernel/engine.js';
import { native } from './native.js';

type Full = Arming & { write: object; read: object };

const templates = new Map<string, Full>();

/**
 * {@link validate}, for options that a handshake has made. With TLS 1.3 and evp connections differ in their secrets alone, and most of
 * it is done once.
 */
export function armingOf(options: CryptOptions, { write, read }: Engines): Arming {
  const { protocol, onHandshakeMessage } = options;
  const isEvp = write === 'evp' && read === 'evp';
  if (protocol !== 'tls1.3' || !isEvp || onHandshakeMessage !== undefined || !hasSecretsAlone(options))
    return validate(options);
  const name = nameOf(options);
  const template = templates.get(name);
  if (template !== undefined) return withSecrets(template, options);
  const arming = validate(options) as Full;
  remember(name, arming);
  return arming;
}

function nameOf({ cipher, maxFragment, truncation }: CryptOptions): string {
  return `${cipher} ${maxFragment} ${truncation}`;
}

function remember(name: string, arming: Full): Full {
  const none = new Uint8Array(0);
  const template = {
    ...arming,
    write: { ...arming.write, secret: none, pattern: new native.DirectionPattern(arming.write) },
    read: { ...arming.read, secret: none, pattern: new native.DirectionPattern(arming.read) },
  };
  // A peer has no say in any of these but maxFragment, of which there are a few.
  if (templates.size < 64) templates.set(name, template);
  return template;
}

function hasSecretsAlone({ write, read }: CryptOptions): boolean {
  return [write, read].every((keys) => keys?.secret !== undefined && keys.key === undefined);
}

/** What directions on evp have in common that a handshake without JavaScript has made. */
export interface Common {
  readonly arming: Full;
  /** Of a Sealer. */
  readonly overhead: number;
  /** As {@link termsOf} tells them. */
  readonly terms: Terms;
}

/** For TLS 1.3 and evp. */
export function commonOf(
  cipher: CipherName,
  maxFragment: number | undefined,
  truncation: CryptOptions['truncation'],
): Common {
  const secret = new Uint8Array(hashOf(cipher) === 'sha384' ? 48 : 32); // nobody's
  const settings = { protocol: 'tls1.3', cipher, maxFragment, truncation, engine: 'evp' } as const;
  const options = { ...settings, write: { secret }, read: { secret } } as CryptOptions;
  const name = nameOf(options);
  const arming = templates.get(name) ?? remember(name, validate(options) as Full);
  const sealer = new native.Sealer(arming.write.pattern!, secret, 0n);
  const { overhead } = sealer;
  sealer.dispose();
  return { arming, overhead, terms: termsOf(arming) };
}

/** The directions of a connection, exactly where OpenSSL's SSL object stopped: whoever has it must use or {@link disown} them. */
export class MadeDirections {
  readonly common: Common;
  /** Numbers of the addon's. */
  readonly sealer: number;
  readonly opener: number;
  /** Nobody has asked for the engine by name. */
  readonly isAuto: boolean;
  /** What came behind the handshake. */
  readonly rest: Buffer;

  constructor(common: Common, sealer: number, opener: number, isAuto: boolean, rest: Buffer) {
    this.common = common;
    this.sealer = sealer;
    this.opener = opener;
    this.isAuto = isAuto;
    this.rest = rest;
  }

  disown(): void {
    native.disown(this.sealer, this.opener);
  }
}
