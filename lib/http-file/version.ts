import type { OpenFile } from '../open-file.js';

/** A file's state in the words of HTTP. */
interface Version {
  readonly size: number;
  readonly seconds: number;
  /** An entity tag without quotes. */
  readonly tag: string;
  /** Of the last change (RFC 9110 5.6.7). */
  readonly date: string;
}

/** As many are remembered. */
const MOST = 1000;

// By the nanoseconds of the time, which hardly two files share. Making the words takes as long as encrypting 10 KB.
const known = new Map<number, Version>();

/** What stands for this size and this time, down to the nanosecond. */
export function versionOf({ size, seconds, nanoseconds }: OpenFile): Version {
  const found = known.get(nanoseconds);
  if (found?.size === size && found.seconds === seconds) return found;
  const tag = `${size.toString(16)}-${seconds.toString(16)}.${nanoseconds.toString(36)}`;
  const made = { size, seconds, tag, date: new Date(seconds * 1000).toUTCString() };
  if (known.size >= MOST) known.clear();
  known.set(nanoseconds, made);
  return made;
}
