/** Middle value; the mean of the two middle ones for an even count. A bench of no samples is a bug, hence the error. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('median of no values');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** Four significant digits: more would pretend a precision that a bench on a shared machine hasn't got. */
export function round(value: number): number {
  return Number(value.toPrecision(4));
}

/** The quotient, or null when one side was not measured. */
export function ratio(value: number | null | undefined, base: number | null | undefined): number | null {
  return value == null || base == null || base === 0 ? null : round(value / base);
}
