import { userFields } from './user-fields.ts';
import type { ImportSettings } from './user-import.ts';

const longest = 4096;

/** The leaves of a record by their paths; arrays are leaves. */
function leavesOf(record: Readonly<Record<string, unknown>>, prefix = '', depth = 0): [string, unknown][] {
  return Object.entries(record).flatMap(([key, value]): [string, unknown][] => {
    const path = `${prefix}${key}`;
    const inner = typeof value === 'object' && value !== null && !Array.isArray(value) && depth < 3;
    return inner ? leavesOf(value as Record<string, unknown>, `${path}.`, depth + 1) : [[path, value]];
  });
}

/** The fields of one row, whatever its columns are called, and what is wrong with them. */
export class RowValues {
  readonly problems: Record<string, string> = {};
  readonly #leaves: ReadonlyMap<string, unknown>;
  readonly #settings: ImportSettings;
  readonly #used = new Set<string>();

  constructor(record: Readonly<Record<string, unknown>>, settings: ImportSettings) {
    this.#leaves = new Map(leavesOf(record));
    this.#settings = settings;
  }

  /** Columns that no field took. */
  get unused(): string[] {
    return [...this.#leaves.keys()].filter((path) => !this.#used.has(path));
  }

  /** A text; numbers count as theirs. An empty one is as good as none. */
  text(field: string): string | undefined {
    const value = this.#raw(field);
    if (value === undefined) return undefined;
    if (typeof value !== 'string' && typeof value !== 'number') return this.#wrong(field, 'This is not a text.');
    const text = String(value);
    return text.length > longest ? this.#wrong(field, `Keep it to ${longest} characters.`) : text;
  }

  /** Yes or no in the ways that databases write it; a date, as in `email_verified_at`, is a yes. */
  flag(field: string): boolean | undefined {
    const value = this.#raw(field);
    const text = typeof value === 'string' ? value.trim().toLowerCase() : value;
    if (text === undefined) return undefined;
    if (text === true || text === 1 || /^(?:true|t|yes|y|1|\d{4}-\d\d-\d\d.*)$/s.test(String(text))) return true;
    if (text === false || text === 0 || /^(?:false|f|no|n|0)$/.test(String(text))) return false;
    return this.#wrong(field, 'Give true or false.');
  }

  /** A list, or a text whose parts are set apart by commas, semicolons, bars or spaces. */
  list(field: string): string[] | undefined {
    const value = this.#raw(field);
    if (Array.isArray(value)) {
      if (value.length <= 100 && value.every((part) => typeof part === 'string')) return value as string[];
      return this.#wrong(field, 'This is not a list of texts.');
    }
    return this.text(field)
      ?.split(/[\s,;|]+/)
      .filter((part) => part !== '');
  }

  /** A moment of ISO 8601, in milliseconds. */
  moment(field: string): number | undefined {
    const text = this.text(field);
    if (text === undefined) return undefined;
    const at = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?$/s.test(text) ? Date.parse(text) : Number.NaN;
    return at >= 0 && at < Date.UTC(2100, 0) ? at : this.#wrong(field, 'Give a date such as 2026-01-31T12:00:00Z.');
  }

  /** Notes what is wrong with a field, the first thing only. */
  #wrong(field: string, text: string): undefined {
    this.problems[field] ??= text;
    return undefined;
  }

  #raw(field: string): unknown {
    const mapped = this.#settings.map[field];
    for (const path of mapped === undefined ? (userFields.get(field) ?? []) : [mapped]) {
      const value = this.#leaves.get(path);
      if (!this.#leaves.has(path)) continue;
      this.#used.add(path);
      if (value !== null && value !== undefined && value !== '') return value;
    }
    return this.#settings.set[field];
  }
}
