import { getSystemErrorName } from 'node:util';
import type { EngineReport } from './engines.js';
import { SoCryptError } from './errors.js';
import type { PackedLayout } from './native/layouts.js';
import { native } from './native.js';
import { type ProviderFailure, takeFailure } from './provider-failure.js';

/** The engine cryptodev. Whether it works is found out by sealing and opening a record, compared with OpenSSL's. */
export const cryptodev: EngineReport = {
  name: 'cryptodev',
  description: "the kernel's ciphers by /dev/crypto",
  get available() {
    return attempt() === undefined;
  },
  get reason() {
    const failure = attempt();
    return failure && reasonOf(failure, 'aes-128-cbc');
  },
  get hint() {
    const failure = attempt();
    return failure && hintOf(failure);
  },
};

/**
 * Whether the device does a cipher for records of a layout.
 *
 * @param layout or the length of the longest
 * @param driver the kernel's name of a driver; undefined: the kernel's choice
 * @returns the driver's name; undefined: the system does not tell
 * @throws SoCryptError ERR_SO_CRYPT_UNKNOWN_DRIVER, ERR_SO_CRYPT_UNSUPPORTED, ERR_SO_CRYPT_PROVIDER
 */
export function cryptodevDriver(
  cipher: string,
  driver: string | undefined,
  layout: PackedLayout | number,
): string | undefined {
  const name = native.checkCryptodev(cipher, driver ?? '', layout);
  if (name !== undefined) return name || driver;
  const failure = takeFailure() ?? { call: 'verify', error: 0 };
  const code = codeOf(failure);
  const opening = failure.call.startsWith('CIOCG') || failure.call === 'CIOCFINDDEV';
  if (driver !== undefined && opening && (code === 'ENOENT' || code === 'EPERM'))
    throw new SoCryptError(
      'ERR_SO_CRYPT_UNKNOWN_DRIVER',
      `/dev/crypto has no driver '${driver}' for ${cipher}${code === 'EPERM' ? ' and this user' : ''}`,
      {
        hint: '/proc/crypto lists the drivers that are loaded; only root may name templates, such as cbc(…)',
      },
    );
  const lacking = opening || failure.call === 'verify' || code === 'EMSGSIZE';
  const hint = hintOf(failure);
  throw new SoCryptError(
    lacking ? 'ERR_SO_CRYPT_UNSUPPORTED' : 'ERR_SO_CRYPT_PROVIDER',
    `The engine cryptodev can't do ${cipher}: ${reasonOf(failure, driver ?? cipher)}`,
    hint === undefined ? {} : { hint },
  );
}

/** AES-CBC is what every /dev/crypto has. */
function attempt(): ProviderFailure | undefined {
  if (native.checkCryptodev('aes-128-cbc', '', undefined) !== undefined) return undefined;
  return takeFailure() ?? { call: 'verify', error: 0 };
}

const codeOf = ({ error }: ProviderFailure) => (error === 0 ? '' : getSystemErrorName(-error));

function reasonOf(failure: ProviderFailure, name: string): string {
  const code = codeOf(failure);
  if (failure.call === 'open' && code === 'ENOENT') return 'there is no /dev/crypto';
  if (failure.call === 'open' && (code === 'EACCES' || code === 'EPERM'))
    return 'this process may not open /dev/crypto';
  if (failure.call === 'CIOCGSESSION' && code === 'ENOENT') return `the device has no ${name}`;
  if (failure.call === 'verify') return `the device's ${name} gives wrong results`;
  if (code === 'ENOTTY') return "the device's module can't take drivers by name";
  if (code === 'EMSGSIZE') return 'it takes no record as long as those of this layout';
  return `${failure.call} failed with ${code}`;
}

function hintOf(failure: ProviderFailure): string | undefined {
  const code = codeOf(failure);
  if (failure.call === 'open' && code === 'ENOENT') {
    if (process.platform === 'linux')
      return 'As root: make -C kernel-patch/linux modules modules_install && depmod && modprobe cryptodev';
    if (process.platform === 'freebsd') return 'As root: kldload cryptodev';
  }
  if (failure.call === 'open' && (code === 'EACCES' || code === 'EPERM'))
    return 'As root: chmod 666 /dev/crypto';
  if (code === 'ENOTTY') return 'Load the module of kernel-patch/linux, or leave driver out';
  return undefined;
}
