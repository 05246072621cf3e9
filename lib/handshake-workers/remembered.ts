import { X509Certificate } from 'node:crypto';
import { type FromThread, MOST_REMEMBERED } from './messages.js';
import type { KnownProfile } from './outcome.js';

/** What a thread has told once and names by numbers afterwards. It forgets when the thread does (outbox.ts). */
export class Remembered {
  readonly profiles = new Map<number, KnownProfile>();
  readonly #certificates = new Map<number, X509Certificate>();

  learn(profiles: NonNullable<FromThread['profiles']>): void {
    for (const [number, profile] of profiles) {
      if (profile.der !== undefined) {
        if (this.#certificates.size >= MOST_REMEMBERED) this.#certificates.clear();
        this.#certificates.set(profile.own, new X509Certificate(profile.der));
      }
      if (this.profiles.size >= MOST_REMEMBERED) this.profiles.clear();
      this.profiles.set(number, { ...profile, own: this.#certificates.get(profile.own) });
    }
  }
}
