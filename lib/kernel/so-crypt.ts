import { SoCryptError } from '../errors.js';
import { native } from '../native.js';
import type { KernelEngine, Refusal, Terms } from './engine.js';
import { refuseUnattached } from './ktls.js';
import { systemError } from './port.js';

/** enum so_crypt_protocol (kernel-patch/linux/include/uapi/linux/so_crypt.h). */
const PROTOCOLS = { 'tls1.0': 1, 'tls1.1': 2, 'tls1.2': 3, 'tls1.3': 4, custom: 255 } as const;

/** SO_CRYPT_MAX_KEY. */
const MAX_MAC_KEY = 64;

const MAX_PAYLOAD = 65_536;

let probed: Refusal | null | undefined;

/** Why the extension does not work here; undefined: it does. Tried once in a process, on a loopback connection. */
export function probeSoCrypt(): Refusal | undefined {
  if (probed === undefined) probed = trySoCrypt() ?? null;
  return probed ?? undefined;
}

function trySoCrypt(): Refusal | undefined {
  if (native.kernel === undefined)
    return { reason: 'it is an extension of Linux and OpenBSD', hint: undefined };
  const hint =
    process.platform === 'linux'
      ? 'In kernel-patch/linux: make && insmod so_crypt/so_crypt.ko (README.md there tells more)'
      : 'Build a kernel with the patches of kernel-patch/openbsd (README.md there tells more)';
  const [error, step] = native.kernel.probeSoCrypt();
  if (error === 0) return undefined;
  const { code } = systemError(error, step);
  if (step === 'TCP_ULP' && code === 'ENOENT')
    return { reason: "the kernel's module so_crypt is not loaded", hint };
  if (step === 'SO_CRYPT' && code === 'ENOPROTOOPT') return { reason: 'the kernel has no SO_CRYPT', hint };
  return { reason: `a connection on loopback failed (${step}: ${code})`, hint };
}

/** Our kernel extension: all TLS versions with CBC, too, and custom layouts. */
export const soCrypt: KernelEngine = {
  name: 'so_crypt',
  updateHint: 'Arm TLS 1.3 with the traffic secret',

  refusal({ layout, padTo, macKeyLength }: Terms): Refusal | undefined {
    const no = (what: string) => ({ reason: `so_crypt has no ${what}`, hint: undefined });
    if (padTo > 0) return no('record padding');
    if (macKeyLength > MAX_MAC_KEY) return no(`MAC keys of more than ${MAX_MAC_KEY} bytes`);
    if (layout.facts.maxPayload > MAX_PAYLOAD) return no(`frames of more than ${MAX_PAYLOAD} bytes`);
    return probeSoCrypt();
  },

  attach(fd: number): void {
    refuseUnattached('so_crypt', native.kernel!.attachSoCrypt(fd));
  },

  keys({ protocol, layout, maxFragment }: Terms, spec, write) {
    const most = write ? maxFragment : protocol === 'custom' ? layout.facts.maxPayload : 0;
    return new native.kernel!.SoCryptKeys(spec, PROTOCOLS[protocol], write, most);
  },

  canRekey: () => true,

  armingError(result: number, direction: 'write' | 'read'): SoCryptError {
    const cause = systemError(result, 'setsockopt');
    const [code, hint] =
      cause.code === 'ENOENT' || cause.code === 'EINVAL'
        ? ([
            'ERR_SO_CRYPT_UNSUPPORTED',
            "The kernel lacks the cipher, or the layout. Use 'evp' for it",
          ] as const)
        : (['ERR_SO_CRYPT_PROVIDER', 'Memory may be short'] as const);
    return new SoCryptError(
      code,
      `The kernel did not take the key to ${direction} (SO_CRYPT: ${cause.code})`,
      {
        cause,
        hint,
      },
    );
  },
};
