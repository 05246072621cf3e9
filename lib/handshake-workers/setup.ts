import tls from 'node:tls';
import { resolveEngine } from '../engines.js';
import { SoCryptError } from '../errors.js';
import { native } from '../native.js';
import { optionsOfContext } from '../secure-context.js';
import type { EngineOptions, HandshakeWorkers } from '../tls-options.js';
import type { ContextOptions, Defaults, NamedContext, Setup, SharedSecrets } from './messages.js';

/** A tls.Server of Node's, as far as it is looked into. */
export type AnyServer = tls.Server & { ALPNProtocols?: Uint8Array; sessionIdContext?: string };

export interface Threads {
  /** 0: this one. */
  threads: number;
  /** Handshakes at the same time in each of them. */
  mostInFlight: number;
  /** How much nicer than this thread they are (setpriority(2)). */
  priority: number;
  /** What can be done without JavaScript is. */
  native: boolean;
}

const MOST_IN_FLIGHT = 1024;
const PRIORITY = 5;

/**
 * The option handshakeWorkers.
 *
 * @throws SoCryptError ERR_SO_CRYPT_INVALID_OPTION, ERR_SO_CRYPT_UNSUPPORTED
 */
export function threadsOf(options: Partial<HandshakeWorkers>): Threads {
  const { handshakeWorkers: given = 0 } = options;
  const {
    threads,
    mostInFlight = MOST_IN_FLIGHT,
    priority = PRIORITY,
    native: isNative = true,
  } = typeof given === 'object' && given ? given : { threads: given };
  const isPriority = priority === 0 || isCount(priority, 19);
  if (!(threads === 0 || isCount(threads, 128)) || !isCount(mostInFlight, 1_000_000) || !isPriority)
    throw new SoCryptError('ERR_SO_CRYPT_INVALID_OPTION', 'handshakeWorkers is invalid', {
      hint: 'It must be a number of threads from 0 to 128, or { threads, mostInFlight, priority }, priority from 0 to 19',
    });
  const all = { threads, mostInFlight, priority, native: isNative };
  if (threads === 0) return all;
  if (native.duplicate === undefined)
    throw new SoCryptError('ERR_SO_CRYPT_UNSUPPORTED', 'This system has no handshake workers', {
      hint: 'Leave handshakeWorkers out',
    });
  // OpenSSL waits for their answer, and a thread can't wait for another one's functions.
  for (const name of ['ALPNCallback', 'pskCallback'])
    if (typeof (options as Record<string, unknown>)[name] === 'function')
      throw new SoCryptError('ERR_SO_CRYPT_UNSUPPORTED', `Handshake workers can't call ${name}`, {
        hint:
          name === 'ALPNCallback'
            ? 'Give the option ALPNProtocols, or leave handshakeWorkers out'
            : 'Leave handshakeWorkers out',
      });
  return all;
}

const isCount = (value: unknown, most: number): value is number =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most;

/** What threads need to do this server's handshakes. */
export function setupOf(
  server: AnyServer,
  options: tls.TlsOptions & EngineOptions,
  { priority }: Threads,
): Setup {
  const { ALPNProtocols } = server;
  return {
    options: { ...plainOptions(options), ...(ALPNProtocols && { ALPNProtocols }) },
    contexts: [],
    secrets: secretsOf(server),
    defaults: defaults(),
    hasSniCallback: typeof options.SNICallback === 'function',
    engine: kernelEngineOf(options),
    priority,
  };
}

/** The kernel's engine that is attached to a connection before its handshake. */
export function kernelEngineOf({ engine, driver }: EngineOptions): Setup['engine'] {
  const { write, read } = resolveEngine(engine, driver);
  return [write, read].find((name) => name === 'ktls' || name === 'so_crypt') as Setup['engine'];
}

export function secretsOf(server: AnyServer): SharedSecrets {
  return { ticketKeys: server.getTicketKeys(), sessionIdContext: server.sessionIdContext ?? '' };
}

// Programs may set them, and a thread has its own.
export function defaults(): Defaults {
  const { DEFAULT_CIPHERS, DEFAULT_ECDH_CURVE, DEFAULT_MIN_VERSION, DEFAULT_MAX_VERSION } = tls;
  return { DEFAULT_CIPHERS, DEFAULT_ECDH_CURVE, DEFAULT_MIN_VERSION, DEFAULT_MAX_VERSION };
}

/** @throws SoCryptError ERR_SO_CRYPT_UNSUPPORTED: a context of node:tls, which can't be made again */
export function contextOptionsOf(context: object): ContextOptions {
  if (!('context' in context)) return plainOptions(context);
  const options = optionsOfContext(context);
  if (options === undefined)
    throw new SoCryptError('ERR_SO_CRYPT_UNSUPPORTED', "Handshake workers can't have this secure context", {
      hint: "Make it by createSecureContext() of 'so-crypt/tls'",
    });
  return plainOptions(options);
}

export function namedContext(servername: string, context: object): NamedContext {
  return [servername, contextOptionsOf(context)];
}

/** The options that are data: all that TLS has, but for functions. */
export function plainOptions(options: object): ContextOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => isPlain(value)));
}

function isPlain(value: unknown): boolean {
  if (value === null || ['string', 'number', 'boolean', 'bigint', 'undefined'].includes(typeof value))
    return true;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return true;
  if (Array.isArray(value)) return value.every(isPlain);
  if (typeof value !== 'object') return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && Object.values(value).every(isPlain);
}
