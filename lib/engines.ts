import type { EngineChoice, EngineName } from './crypt-options.js';
import { SoCryptError } from './errors.js';
import { type Probe, probeKtls } from './kernel/ktls.js';
import type { Engine } from './records/direction.js';

/** An engine and whether it works on this machine. */
export interface EngineReport {
  readonly name: Engine;
  readonly available: boolean;
  /** What it is, in a few words. */
  readonly description: string;
  /** Why it does not work here; undefined when it does. */
  readonly reason: string | undefined;
  /** The command that would make it work, where there is one. */
  readonly hint: string | undefined;
}

/** The engines of a socket's directions. */
export interface Engines {
  readonly write: Engine;
  readonly read: Engine;
  /** Nobody has asked for the write engine by name: it may be changed where another is better. */
  readonly isAuto: boolean;
}

const LATER = 'this version of so-crypt does not carry it yet';

const descriptions: Record<Engine, string> = {
  ktls: "the kernel's own TLS",
  so_crypt: 'the SO_CRYPT kernel extension',
  cryptodev: '/dev/crypto',
  af_alg: "the kernel's crypto by AF_ALG sockets",
  evp: "OpenSSL's EVP in this process",
};

const names = Object.keys(descriptions) as Engine[];

const works: Probe = { works: true, reason: undefined, hint: undefined, canRekey: true };

// Each probe is made once in a process.
function probe(name: Engine): Probe {
  if (name === 'evp') return works;
  if (name !== 'ktls') return { works: false, reason: LATER, hint: undefined, canRekey: false };
  const newest = probeKtls('tls1.3', 'aes-128-gcm');
  return newest.works ? newest : probeKtls('tls1.2', 'aes-128-gcm');
}

/** All engines, best first, and whether each works on this machine. */
export function engines(): readonly EngineReport[] {
  return names.map((name) => {
    const { works, reason, hint } = probe(name);
    return { name, available: works, description: descriptions[name], reason, hint };
  });
}

/**
 * The engines to arm a socket with.
 *
 * @param wanted the option `engine`; undefined: the environment variable SO_CRYPT_ENGINE ('evp', or 'ktls/evp' for write and read), else
 *   `auto`
 * @throws SoCryptError ERR_SO_CRYPT_UNKNOWN_ENGINE, ERR_SO_CRYPT_ENGINE_UNAVAILABLE: an engine that is named is never replaced
 */
export function resolveEngine(wanted: EngineName | EngineChoice | undefined): Engines {
  const given = wanted ?? process.env.SO_CRYPT_ENGINE ?? 'auto';
  const [write, read] =
    typeof given === 'object' && given !== null ? [given.write, given.read] : pair(`${given}`);
  return { write: resolve(write), read: resolve(read), isAuto: isAuto(write) };
}

function pair(text: string): [string, string] {
  const [write, read] = text.split('/');
  return [write!, read ?? write!];
}

const isAuto = (name: string | undefined): boolean => name === undefined || name === 'auto' || name === '';

// `auto` begins with evp. ARCHITECTURE.md has the figures: the kernel's software TLS pays when a file is sent, and then sendFile() goes
// over to it.
function resolve(name: string | undefined): Engine {
  if (isAuto(name)) return 'evp';
  const engine = names.find((known) => known === name);
  if (engine === undefined)
    throw new SoCryptError('ERR_SO_CRYPT_UNKNOWN_ENGINE', `Unknown engine '${name}'`, {
      hint: `Known are auto, ${names.join(', ')}`,
    });
  const { works, reason, hint } = probe(engine);
  if (!works)
    throw new SoCryptError(
      'ERR_SO_CRYPT_ENGINE_UNAVAILABLE',
      `The engine ${engine} can't work here: ${reason}`,
      {
        hint: hint ?? "Use 'auto' or 'evp'",
      },
    );
  return engine;
}
