/** Columns as wide as their widest cell, two spaces apart, under their names. */
export function table(names: readonly string[], rows: readonly (readonly string[])[], empty: string): string {
  if (rows.length === 0) return empty;
  const lines = [names.map((name) => name.toUpperCase()), ...rows];
  const widths = names.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** One fact per line; facts without a value are left out. */
export function facts(pairs: readonly (readonly [string, string | number | boolean | undefined])[]): string {
  const known = pairs.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(...known.map(([name]) => name.length));
  const line = (value: string | number | boolean): string =>
    typeof value === 'boolean' ? yesNo(value) : String(value);
  return known.map(([name, value]) => `${name.padEnd(width)}  ${line(value ?? '')}`).join('\n');
}

export const yesNo = (value: boolean): string => (value ? 'yes' : 'no');

/** A moment as people and programs read it: ISO 8601, UTC, whole seconds. */
export const moment = (milliseconds: number): string => new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');

/** The entity with its moments as text, as it is printed with `--json`. */
export const dated = <T extends { readonly createdAt: number; readonly updatedAt: number }>({
  createdAt,
  updatedAt,
  ...rest
}: T): Omit<T, 'createdAt' | 'updatedAt'> & { createdAt: string; updatedAt: string } => ({
  ...rest,
  createdAt: moment(createdAt),
  updatedAt: moment(updatedAt),
});
