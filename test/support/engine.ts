import os from 'node:os';
import { test } from 'node:test';
import type { CipherName } from '../../lib/index.js';

/** The engine under test: the environment variable SO_CRYPT_ENGINE, as the library has it. */
export const engineUnderTest = process.env.SO_CRYPT_ENGINE || 'auto';

const [write, read = write] = engineUnderTest.split('/');

/** Either direction is kTLS's. */
export const isKtls = write === 'ktls' || read === 'ktls';

/** Either direction is our kernel extension's. */
export const isSoCrypt = write === 'so_crypt' || read === 'so_crypt';

/** The kernel opens the records: it finds fewer kinds of faults than we do, and calls most a bad MAC. */
export const opensInKernel = read === 'ktls' || read === 'so_crypt';

const [major = 0, minor = 0] = os.release().split('.').map(Number);
const isRekeyingKernel = major > 6 || (major === 6 && minor >= 14);

/** kTLS opens the records. */
export const opensByKtls = read === 'ktls';

/** What the engine under test is able to. test/ktls/ has the tests of what happens where it is not. */
export const able = {
  changeKeys: !isKtls || isRekeyingKernel,
  pad: write !== 'ktls' && write !== 'so_crypt',
  cutRecords: write !== 'ktls',
  carryCbc: !isKtls,
  carryCustomFrames: !isKtls,
  armBehindFin: !isKtls && !isSoCrypt,
  openOneByOne: !isSoCrypt,
  takeEmptyPayloads: !isSoCrypt,
  stopBeforeWrap: !isKtls && !isSoCrypt,
} as const;

/** `test` where the engine is able to, nothing elsewhere. */
export const testWhere = (isAble: boolean): typeof test =>
  isAble ? test : ((() => {}) as unknown as typeof test);

/** Whether the engine under test has SSH with this cipher. */
export function isPacketCarried({ cipher }: { cipher: string }): boolean {
  const isInterface = ['cryptodev', 'af_alg'].some((name) => write === name || read === name);
  if (isInterface && cipher.startsWith('chacha20')) return false; // the interfaces have no such cipher
  return !(isSoCrypt && cipher === '3des-cbc');
}

// What net/tls of every kernel in the lab has. Named here, and not asked for: a cipher that does not work is a failure.
const ktlsCiphers: readonly CipherName[] = ['aes-128-gcm', 'aes-256-gcm', 'aes-128-ccm', 'chacha20-poly1305'];

/** Whether the engine under test has this protocol ('tls1.2', or 'TLSv1.2') with this cipher. */
export function isCarried(protocol: string, cipher: CipherName): boolean {
  // The ABI of /dev/crypto on Linux has no number for it.
  if ((write === 'cryptodev' || read === 'cryptodev') && cipher === 'chacha20-poly1305') return false;
  return !isKtls || (/1\.[23]$/.test(protocol) && ktlsCiphers.includes(cipher));
}
