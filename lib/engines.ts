import { afAlg } from './af-alg.js';
import type { EngineChoice, EngineName } from './crypt-options.js';
import { cryptodev } from './cryptodev.js';
import { SoCryptError } from './errors.js';
import { type Probe, probeKtls } from './kernel/ktls.js';
import { probeSoCrypt } from './kernel/so-crypt.js';
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

/** ktls: TLS 1.3 or, on old kernels, 1.2. */
const ktls: EngineReport = {
  name: 'ktls',
  description: "the kernel's own TLS",
  get available() {
    return probe().works;
  },
  get reason() {
    return probe().reason;
  },
  get hint() {
    return probe().hint;
  },
};

function probe(): Probe {
  const newest = probeKtls('tls1.3', 'aes-128-gcm');
  return newest.works ? newest : probeKtls('tls1.2', 'aes-128-gcm');
}

const known: readonly EngineReport[] = [
  ktls,
  {
    name: 'so_crypt',
    description: 'the SO_CRYPT kernel extension',
    get available() {
      return probeSoCrypt() === undefined;
    },
    get reason() {
      return probeSoCrypt()?.reason;
    },
    get hint() {
      return probeSoCrypt()?.hint;
    },
  },
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

/** All engines, best first, and whether each works on this machine. */
export function engines(): readonly EngineReport[] {
  return known;
}

/**
 * The engines to arm a socket with.
 *
 * @param wanted the option `engine`; undefined: the environment variable SO_CRYPT_ENGINE ('evp', or 'ktls/evp' for write and read), else
 *   `auto`
 * @param driver the option `driver`: refused for engines that have no drivers
 * @throws SoCryptError ERR_SO_CRYPT_UNKNOWN_ENGINE, ERR_SO_CRYPT_ENGINE_UNAVAILABLE: an engine that is named is never replaced
 */
export function resolveEngine(wanted: EngineName | EngineChoice | undefined, driver?: string): Engines {
  const given = wanted ?? process.env.SO_CRYPT_ENGINE ?? 'auto';
  const [write, read] =
    typeof given === 'object' && given !== null ? [given.write, given.read] : pair(`${given}`);
  const engines = { write: resolve(write), read: resolve(read), isAuto: isAuto(write) };
  if (driver !== undefined) refuseDriver(engines, driver);
  return engines;
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
  const report = known.find((engine) => engine.name === name);
  if (report === undefined)
    throw new SoCryptError('ERR_SO_CRYPT_UNKNOWN_ENGINE', `Unknown engine '${name}'`, {
      hint: `Known are auto, ${known.map((engine) => engine.name).join(', ')}`,
    });
  if (!report.available)
    throw new SoCryptError(
      'ERR_SO_CRYPT_ENGINE_UNAVAILABLE',
      `The engine ${name} can't work here: ${report.reason}`,
      { hint: report.hint ?? "Use 'auto' or 'evp'" },
    );
  return report.name;
}

function refuseDriver({ write, read }: Engines, driver: unknown): void {
  if (typeof driver !== 'string' || driver === '')
    throw new SoCryptError('ERR_SO_CRYPT_INVALID_OPTION', 'driver is invalid', {
      hint: "It must be the kernel's name of a driver, such as 'generic-gcm-aesni'",
    });
  if (![write, read].some((engine) => ['af_alg', 'cryptodev', 'so_crypt'].includes(engine)))
    throw new SoCryptError('ERR_SO_CRYPT_UNSUPPORTED', `The engine ${write} has no drivers`, {
      hint: "Leave driver out, or give engine: 'so_crypt', 'cryptodev' or 'af_alg'",
    });
}
