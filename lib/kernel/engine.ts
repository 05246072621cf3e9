import type { Arming } from '../arm.js';
import type { ArmedProtocol } from '../crypt-options.js';
import { TLS_MAX_FRAGMENT } from '../frame-layouts.js';
import type { KernelKeys } from '../native/kernel.js';
import type { DirectionSpec } from '../native/records.js';

/** What decides whether a kernel engine can carry a direction. */
export interface Terms
  extends Pick<Arming, 'protocol' | 'cipher' | 'facts' | 'mac' | 'layout' | 'keyUpdateAfter'> {
  maxFragment: number;
  padTo: number;
  /** Bytes of the longer MAC key. */
  macKeyLength: number;
}

export interface Refusal {
  reason: string;
  /** What would help. */
  hint: string | undefined;
}

/** An engine whose framing and ciphers are in the kernel, reached as a TCP upper layer protocol. */
export interface KernelEngine {
  readonly name: 'ktls' | 'so_crypt';
  /** What it takes for the key of a direction to be changed. */
  readonly updateHint: string;
  /** Why it can't carry a direction; undefined: it can. */
  refusal(terms: Terms, direction: 'write' | 'read'): Refusal | undefined;
  /**
   * Makes it the upper layer of a connection; bytes pass unchanged until it gets keys. The connection must be established: once the
   * peer's FIN has come it is too late, so whoever will want it does it at the start of the handshake.
   *
   * @throws SoCryptError ERR_SO_CRYPT_UNSUPPORTED
   */
  attach(fd: number): void;
  /** Keys of a direction for the kernel. */
  keys(terms: Terms, spec: DirectionSpec, write: boolean): KernelKeys;
  /** The kernel can change the key of an armed direction. */
  canRekey(protocol: ArmedProtocol, cipher: Arming['cipher']): boolean;
  /** The error for a key that the kernel did not take. @param result -errno */
  armingError(result: number, direction: 'write' | 'read'): Error;
}

export function termsOf(arming: Arming): Terms {
  const { protocol, cipher, facts, mac, layout, keyUpdateAfter, write, read } = arming;
  const { maxFragment = TLS_MAX_FRAGMENT, padTo = 0 } = write ?? {};
  const macKeyLength = Math.max(write?.macKey.length ?? 0, read?.macKey.length ?? 0);
  return { protocol, cipher, facts, mac, layout, keyUpdateAfter, maxFragment, padTo, macKeyLength };
}
