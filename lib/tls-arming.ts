import { type Arming, validate, withSecrets } from './arm.js';
import type { CryptOptions } from './crypt-options.js';
import type { Engines } from './engines.js';
import { native } from './native.js';

const templates = new Map<string, Arming>();

/**
 * {@link validate}, for options that a handshake has made. With TLS 1.3 and evp connections differ in their secrets alone, and most of
 * it is done once.
 */
export function armingOf(options: CryptOptions, { write, read }: Engines): Arming {
  const { protocol, cipher, maxFragment, truncation, onHandshakeMessage } = options;
  const isEvp = write === 'evp' && read === 'evp';
  if (protocol !== 'tls1.3' || !isEvp || onHandshakeMessage !== undefined || !hasSecretsAlone(options))
    return validate(options);
  const name = `${cipher} ${maxFragment} ${truncation}`;
  const template = templates.get(name);
  if (template !== undefined) return withSecrets(template, options);
  const arming = validate(options);
  const none = new Uint8Array(0);
  // A peer has no say in any of these but maxFragment, of which there are a few.
  if (templates.size < 64)
    templates.set(name, {
      ...arming,
      write: { ...arming.write!, secret: none, pattern: new native.DirectionPattern(arming.write!) },
      read: { ...arming.read!, secret: none, pattern: new native.DirectionPattern(arming.read!) },
    });
  return arming;
}

function hasSecretsAlone({ write, read }: CryptOptions): boolean {
  return [write, read].every((keys) => keys?.secret !== undefined && keys.key === undefined);
}
