import type { Arming } from '../arm.js';
import type { ArmedProtocol } from '../crypt-options.js';
import { SoCryptError } from '../errors.js';
import { TLS_MAX_FRAGMENT } from '../frame-layouts.js';
import { native } from '../native.js';
import type { KernelEngine, Refusal, Terms } from './engine.js';
import { systemError } from './port.js';

const VERSIONS = { 'tls1.2': 0x0303, 'tls1.3': 0x0304 } as const;

/** What trying a cipher on a loopback connection has shown. */
export interface Probe {
  works: boolean;
  /** Why not. */
  reason: string | undefined;
  /** What would make it work. */
  hint: string | undefined;
  /** The kernel can change the key of a direction (Linux 6.14), which a TLS 1.3 KeyUpdate takes. */
  canRekey: boolean;
}

const probes = new Map<string, Probe>();

/** Whether the kernel carries this cipher; tried once in a process. */
export function probeKtls(protocol: string, cipher: string): Probe {
  const key = `${protocol} ${cipher}`;
  const probe = probes.get(key) ?? tryKtls(protocol, cipher);
  probes.set(key, probe);
  return probe;
}

function tryKtls(protocol: string, cipher: string): Probe {
  const no = (reason: string, hint?: string): Probe => ({ works: false, reason, hint, canRekey: false });
  if (native.kernel === undefined)
    return no("this system's kernel has no TLS that so-crypt knows", 'It takes Linux');
  if (!Object.hasOwn(VERSIONS, protocol)) return no(`kTLS has no ${protocol}`);
  const answer = native.kernel.probe(cipher, VERSIONS[protocol as keyof typeof VERSIONS]);
  if (answer === null) return no(`kTLS has no ${cipher}`);
  const [error, canRekey, step] = answer;
  if (error === 0) return { works: true, reason: undefined, hint: undefined, canRekey };
  const { code } = systemError(error, step);
  if (step === 'TCP_ULP' && code === 'ENOENT')
    return no(
      "the kernel's module tls is not loaded, or the kernel was built without CONFIG_TLS",
      'modprobe tls',
    );
  if (step.startsWith('TLS_') && (code === 'EINVAL' || code === 'ENOENT'))
    return no(`this kernel's TLS has no ${protocol} with ${cipher} (${step}: ${code})`);
  return no(`a connection on loopback failed (${step}: ${code})`);
}

/** Linux kTLS. */
export const ktls: KernelEngine = {
  name: 'ktls',
  updateHint:
    'ktls changes keys on Linux 6.14 and newer, when armed with the traffic secret; evp does everywhere',

  refusal(terms: Terms, direction: 'write' | 'read'): Refusal | undefined {
    const { protocol, cipher, facts, keyUpdateAfter, maxFragment, padTo } = terms;
    const probe = probeKtls(protocol, cipher);
    if (!probe.works) return { reason: probe.reason!, hint: probe.hint };
    if (direction === 'read') return undefined;
    const no = (what: string) => ({ reason: `kTLS has no ${what}`, hint: undefined });
    if (maxFragment !== TLS_MAX_FRAGMENT) return no('records of another length than 16,384 bytes');
    if (padTo > 0) return no('record padding');
    if (keyUpdateAfter < Math.floor(facts.recordLimit / 2) && !probe.canRekey)
      return no('new keys for a connection before Linux 6.14, so keyUpdateAfter');
    return undefined;
  },

  attach(fd: number): void {
    refuseUnattached('ktls', native.kernel!.attachKtls(fd));
  },

  keys({ protocol }: Terms, spec, write) {
    return new native.kernel!.KtlsKeys(spec, VERSIONS[protocol as keyof typeof VERSIONS], write);
  },

  canRekey: (protocol: ArmedProtocol, cipher: Arming['cipher']) => probeKtls(protocol, cipher).canRekey,

  armingError(result: number, direction: 'write' | 'read'): SoCryptError {
    const cause = systemError(result, 'setsockopt');
    const option = direction === 'write' ? 'TLS_TX' : 'TLS_RX';
    const hint =
      cause.code === 'EBUSY' ? 'New keys for an armed connection take Linux 6.14' : 'Memory may be short';
    return new SoCryptError(
      'ERR_SO_CRYPT_PROVIDER',
      `The kernel did not take the key (${option}: ${cause.code})`,
      { cause, hint },
    );
  },
};

/** @param result of setsockopt TCP_ULP, 0 or -errno @throws SoCryptError ERR_SO_CRYPT_UNSUPPORTED */
export function refuseUnattached(engine: string, result: number): void {
  if (result === 0) return;
  const { code } = systemError(result, 'setsockopt');
  const [why, hint] =
    code === 'ENOTCONN'
      ? ['the connection is not established, or the peer has sent FIN already', 'Arm it earlier, or use evp']
      : ['the kernel refuses it', 'It takes a TCP connection on its own, not a pipe or Unix socket'];
  throw new SoCryptError(
    'ERR_SO_CRYPT_UNSUPPORTED',
    `${engine} can't carry this socket (TCP_ULP: ${code}): ${why}`,
    { hint: hint! },
  );
}
