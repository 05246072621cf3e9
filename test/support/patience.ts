import { setTimeout as sleep } from 'node:timers/promises';

/** How many times slower than usual this machine may be. The lab sets it: an emulated processor takes its time. */
const patience = Number(process.env.SO_CRYPT_PATIENCE ?? 1);
if (!(patience >= 1))
  throw new Error(`SO_CRYPT_PATIENCE is a number from 1, not ${process.env.SO_CRYPT_PATIENCE}`);

/** A time limit in milliseconds, as long as it must be here. Limits are there to end a test that hangs, never to measure. */
export const patient = (ms: number): number => ms * patience;

/** Gives the kernel and other processes time for what has no event to wait for. */
export const pause = (ms: number): Promise<void> => sleep(patient(ms));
