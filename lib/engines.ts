import { afAlg } from './af-alg.js';
import type { EngineName } from './crypt-options.js';
import { cryptodev } from './cryptodev.js';
import { SoCryptError } from './errors.js';

/** An engine and whether it works on this machine. */
export interface EngineReport {
  readonly name: Exclude<EngineName, 'auto'>;
  readonly available: boolean;
  /** What it is, in a few words. */
  readonly description: string;
  /** Why it does not work here; undefined when it does. */
  readonly reason: string | undefined;
  /** The command that would make it work, where there is one. */
  readonly hint: string | undefined;
}

const LATER = 'this version of so-crypt does not carry it yet';

const known: readonly EngineReport[] = [
  { name: 'ktls', description: "the kernel's own TLS", ...missing(LATER) },
  { name: 'so_crypt', description: 'the SO_CRYPT kernel extension', ...missing(LATER) },
  cryptodev,
  afAlg,
  {
    name: 'evp',
    description: "OpenSSL's EVP in this process",
    available: true,
    reason: undefined,
    hint: undefined,
  },
];

function missing(reason: string): Pick<EngineReport, 'available' | 'reason' | 'hint'> {
  return { available: false, reason, hint: undefined };
}

/** All engines, best first, and whether each works on this machine. */
export function engines(): readonly EngineReport[] {
  return known;
}

/**
 * The engine to arm a socket with.
 *
 * @param wanted the option `engine`; undefined: the environment variable SO_CRYPT_ENGINE, else `auto`
 * @param driver the option `driver`: refused for an engine that has no drivers
 * @throws SoCryptError ERR_SO_CRYPT_UNKNOWN_ENGINE, ERR_SO_CRYPT_ENGINE_UNAVAILABLE: an engine that is named is never replaced
 */
export function resolveEngine(wanted: EngineName | undefined, driver?: string): Exclude<EngineName, 'auto'> {
  const name = wanted ?? process.env.SO_CRYPT_ENGINE ?? 'auto';
  if (driver !== undefined) refuseDriver(name, driver);
  if (name === 'auto' || name === '') return 'evp';
  const report = known.find((engine) => engine.name === name);
  if (report === undefined)
    throw new SoCryptError('ERR_SO_CRYPT_UNKNOWN_ENGINE', `Unknown engine '${name}'`, {
      hint: `Known are auto, ${known.map((engine) => engine.name).join(', ')}`,
    });
  if (!report.available)
    throw new SoCryptError(
      'ERR_SO_CRYPT_ENGINE_UNAVAILABLE',
      `The engine ${name} can't work here: ${report.reason}`,
      {
        hint: report.hint ?? "Use 'auto' or 'evp'",
      },
    );
  return report.name;
}

function refuseDriver(engine: string, driver: unknown): void {
  if (typeof driver !== 'string' || driver === '')
    throw new SoCryptError('ERR_SO_CRYPT_INVALID_OPTION', 'driver is invalid', {
      hint: "It must be the kernel's name of a driver, such as 'generic-gcm-aesni'",
    });
  if (engine !== 'af_alg' && engine !== 'cryptodev')
    throw new SoCryptError('ERR_SO_CRYPT_UNSUPPORTED', `The engine ${engine || 'auto'} has no drivers`, {
      hint: "Leave driver out, or give engine: 'af_alg' or 'cryptodev'",
    });
}
