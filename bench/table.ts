/** A table of strings; the first `left` columns are text, the others numbers. */
export interface Table {
  readonly title: string;
  readonly legend?: string;
  readonly left: number;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function plainText({ title, legend, left, header, rows }: Table): string {
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const format = (line: readonly string[]): string =>
    line
      .map((cell, column) =>
        column < left ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [title, ...(legend ? [legend] : []), '', ...lines.map(format), ''].join('\n');
}

export function markdown({ title, legend, left, header, rows }: Table): string {
  const format = (line: readonly string[]): string => `| ${line.join(' | ')} |`;
  const rule = header.map((_, column) => (column < left ? '---' : '---:'));
  return [
    `### ${title}`,
    '',
    ...(legend ? [legend, ''] : []),
    ...[header, rule, ...rows].map(format),
    '',
  ].join('\n');
}
