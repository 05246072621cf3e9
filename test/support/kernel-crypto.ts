import { readFileSync } from 'node:fs';

/** An entry of /proc/crypto, for tests that need a driver's name. */
export interface KernelDriver {
  readonly name: string;
  readonly driver: string;
  readonly type: string;
  readonly internal: boolean;
}

/** All drivers that the kernel has loaded. */
export function kernelDrivers(): KernelDriver[] {
  return readFileSync('/proc/crypto', 'latin1')
    .split('\n\n')
    .map((entry) => {
      const field = (name: string) => new RegExp(`^${name} *: (.*)$`, 'm').exec(entry)?.[1] ?? '';
      return {
        name: field('name'),
        driver: field('driver'),
        type: field('type'),
        internal: field('internal') === 'yes',
      };
    });
}
