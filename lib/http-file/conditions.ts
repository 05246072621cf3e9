import type { IncomingHttpHeaders } from 'node:http';

// RFC 9110: validators (8.8), preconditions (13), ranges (14).

/** What a request may compare a file with. */
export interface Validators {
  /** An entity tag, quoted, with W/ before it if it is weak; undefined: the file has none. */
  etag: string | undefined;
  /** Milliseconds, whole seconds; undefined: not told. */
  lastModified: number | undefined;
  /** No change within the same second can have escaped lastModified. */
  isDateStrong: boolean;
}

/** What the request is answered with: the file, a range of it (the last byte is inclusive), or no content. */
export type Decision = { status: 200 | 304 | 412 | 416 } | { status: 206; start: number; end: number };

/** The first precondition that decides, in the order of RFC 9110 13.2.2; then the range. */
export function decide(
  method: string,
  headers: IncomingHttpHeaders,
  validators: Validators,
  size: number,
): Decision {
  if (method !== 'GET' && method !== 'HEAD') return { status: 200 };
  const { etag, lastModified } = validators;
  const match = headers['if-match'];
  const unmodifiedSince = match === undefined ? dateOf(headers['if-unmodified-since']) : undefined;
  if (match !== undefined && !hasTag(match, etag, true)) return { status: 412 };
  if (unmodifiedSince !== undefined && lastModified !== undefined && lastModified > unmodifiedSince)
    return { status: 412 };
  const noneMatch = headers['if-none-match'];
  const modifiedSince = noneMatch === undefined ? dateOf(headers['if-modified-since']) : undefined;
  if (noneMatch !== undefined && hasTag(noneMatch, etag, false)) return { status: 304 };
  if (modifiedSince !== undefined && lastModified !== undefined && lastModified <= modifiedSince)
    return { status: 304 };
  const { range } = headers;
  // Only GET has ranges (14.2).
  if (range === undefined || method !== 'GET' || !isSame(headers['if-range'], validators))
    return { status: 200 };
  return rangeOf(range, size);
}

/**
 * The range that the header asks for. Several ranges, and what is none, are answered with all of the file, as 14.2 allows.
 */
function rangeOf(range: string, size: number): Decision {
  const found = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(range);
  const [, first, last] = found ?? [];
  if (!first && !last) return { status: 200 };
  const start = first ? Number(first) : Math.max(0, size - Number(last));
  const end = first && last ? Math.min(Number(last), size - 1) : size - 1;
  if (first && last && Number(last) < Number(first)) return { status: 200 };
  return start > end ? { status: 416 } : { status: 206, start, end };
}

/** If-Range: both validators must be strong (13.1.5). */
function isSame(condition: string | string[] | undefined, validators: Validators): boolean {
  if (condition === undefined) return true;
  const { etag, lastModified, isDateStrong } = validators;
  if (typeof condition !== 'string') return false;
  if (condition.endsWith('"')) return condition === etag && !etag.startsWith('W/');
  return isDateStrong && lastModified !== undefined && dateOf(condition) === lastModified;
}

/** Whether a list of entity tags has one, by strong or by weak comparison (8.8.3.2). */
function hasTag(list: string, etag: string | undefined, strong: boolean): boolean {
  if (list.trim() === '*') return true;
  if (etag === undefined || (strong && etag.startsWith('W/'))) return false;
  const opaque = (tag: string): string => tag.replace(/^W\//, '');
  return (list.match(/(?:W\/)?"[^"]*"/g) ?? []).some((tag) =>
    strong ? tag === etag : opaque(tag) === opaque(etag),
  );
}

function dateOf(text: string | undefined): number | undefined {
  const date = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(date) ? undefined : date;
}
