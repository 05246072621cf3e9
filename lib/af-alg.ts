import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import type { EngineReport } from './engines.js';
import { SoCryptError } from './errors.js';
import type { PackedLayout } from './native/layouts.js';
import { native } from './native.js';
import { type ProviderFailure, takeFailure } from './provider-failure.js';

/**
 * The engine af_alg. Each question is answered by trying: a key, a record sealed and opened, and compared with OpenSSL's; never by
 * the kernel's version or /proc. (The kernel may load modules for it.)
 */
export const afAlg: EngineReport = {
  name: 'af_alg',
  description: "Linux's ciphers by AF_ALG sockets",
  get available() {
    return attempt() === undefined;
  },
  get reason() {
    const failure = attempt();
    return failure && reasonOf(failure);
  },
  get hint() {
    const failure = attempt();
    return failure && hintOf(failure, 'aes-128-gcm');
  },
};

/**
 * Whether the kernel does a cipher for records of a layout.
 *
 * @param layout or the length of the longest
 * @param driver the kernel's name of a driver or algorithm; undefined: that of the cipher
 * @returns the name
 * @throws SoCryptError ERR_SO_CRYPT_UNKNOWN_DRIVER, ERR_SO_CRYPT_UNSUPPORTED, ERR_SO_CRYPT_PROVIDER
 */
export function afAlgDriver(
  cipher: string,
  driver: string | undefined,
  layout: PackedLayout | number,
): string {
  const name = driver ?? native.afAlgName(cipher);
  const failure = check(cipher, name, layout);
  if (failure === undefined) return name;
  if (driver !== undefined && failure.call === 'bind')
    throw new SoCryptError(
      'ERR_SO_CRYPT_UNKNOWN_DRIVER',
      `The kernel has no driver '${driver}' for ${cipher}`,
      {
        hint: '/proc/crypto lists the drivers that are loaded, of type skcipher and aead',
      },
    );
  if (driver !== undefined && (failure.call === 'verify' || failure.error === constants.errno.EINVAL))
    throw new SoCryptError('ERR_SO_CRYPT_UNSUPPORTED', `The driver '${driver}' does not do ${cipher}`, {
      hint: '/proc/crypto lists the drivers that are loaded with what they do',
    });
  const hint = hintOf(failure, cipher);
  const lacking =
    failure.call === 'bind' || failure.call === 'verify' || failure.error === constants.errno.EMSGSIZE;
  throw new SoCryptError(
    lacking ? 'ERR_SO_CRYPT_UNSUPPORTED' : 'ERR_SO_CRYPT_PROVIDER',
    `The engine af_alg can't do ${cipher}: ${reasonOf(failure, name)}`,
    hint === undefined ? {} : { hint },
  );
}

/** Undefined: one interface to the kernel's ciphers works, algif_aead or algif_skcipher. Else what is wrong with the first. */
function attempt(): ProviderFailure | undefined {
  const failure = check('aes-128-gcm', 'gcm(aes)');
  return failure && check('aes-128-cbc', 'cbc(aes)') && failure;
}

function check(cipher: string, name: string, layout?: PackedLayout | number): ProviderFailure | undefined {
  if (native.checkAfAlg(cipher, name, layout)) return undefined;
  return takeFailure() ?? { call: 'verify', error: 0 };
}

function reasonOf({ call, error }: ProviderFailure, name = 'gcm(aes)'): string {
  const code = error === 0 ? '' : getSystemErrorName(-error);
  if (call === 'socket') {
    if (code === 'ENOSYS') return 'it is an interface of Linux';
    if (code === 'EAFNOSUPPORT') return 'the kernel has no AF_ALG sockets';
    if (code === 'EPERM' || code === 'EACCES') return 'this process may not open AF_ALG sockets';
  }
  if (call === 'bind' && code === 'ENOENT') return `the kernel has no interface to ${name}`;
  if (call === 'verify') return `the kernel's ${name} gives wrong results`;
  if (error === constants.errno.EMSGSIZE) return 'its sockets take no record as long as those of this layout';
  return `${call} failed with ${code}`;
}

function hintOf({ call, error }: ProviderFailure, cipher: string): string | undefined {
  const code = error === 0 ? '' : getSystemErrorName(-error);
  const aead = /gcm|ccm|poly/.test(cipher);
  const type = aead ? 'aead' : 'skcipher';
  const modules = [`algif_${type}`, ...(cipher.match(/gcm|ccm|cbc|ctr|chacha20poly1305/) ?? [])];
  if (call === 'socket' && code === 'EAFNOSUPPORT')
    return 'As root: modprobe -a algif_aead algif_skcipher (CONFIG_CRYPTO_USER_API_AEAD, CONFIG_CRYPTO_USER_API_SKCIPHER)';
  if (call === 'socket' && (code === 'EPERM' || code === 'EACCES'))
    return "Allow socket(AF_ALG) in the container's seccomp profile or the service's RestrictAddressFamilies=";
  if (call === 'bind' && code === 'ENOENT')
    return `As root: modprobe -a ${modules.join(' ')} (CONFIG_CRYPTO_USER_API_${type.toUpperCase()})`;
  if (error === constants.errno.EMSGSIZE)
    return 'As root: sysctl net.core.wmem_max=425984 net.core.rmem_max=425984';
  if (code === 'EMFILE' || code === 'ENFILE') return 'Raise the limit of open files (ulimit -n, fs.file-max)';
  return undefined;
}
