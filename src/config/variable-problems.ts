import type { z } from 'zod';
import { numberRange } from './number-range.ts';
import { configSchema } from './schema.ts';

const names = Object.keys(configSchema.shape);

/** How many letters have to be changed, added or taken away to make one text of the other (Levenshtein). */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [index, letter] of [...one].entries()) {
    const next = [index + 1];
    for (let at = 1; at <= other.length; at += 1) {
      const kept = (row[at - 1] ?? 0) + (letter === other[at - 1] ? 0 : 1);
      next.push(Math.min(kept, (row[at] ?? 0) + 1, (next[at - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** What is wrong with a variable of ours that does not exist, with the one that was probably meant. */
export function unknownVariable(name: string): string {
  const isFile = name.endsWith('_FILE');
  const given = isFile ? name.slice(0, -5) : name;
  const [nearest] = names
    .map((known) => ({ known, far: distance(given, known) }))
    .sort((one, other) => one.far - other.far);
  const meant = nearest && nearest.far <= 3 ? ` Did you mean ${nearest.known}${isFile ? '_FILE' : ''}?` : '';
  return `${name} is not a variable of this version.${meant} config/example.env lists them all.`;
}

function adviceFor(name: string, issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return `Give one of ${issue.values.join(', ')}`;
  const schema = (configSchema.shape as Readonly<Record<string, z.ZodType>>)[name];
  const isNumeric = ['invalid_type', 'too_small', 'too_big'].includes(issue.code);
  const numbers = isNumeric && schema ? numberRange(schema) : undefined;
  return numbers === undefined ? issue.message : `Give ${numbers}`;
}

/** What is wrong with variables, a sentence for each that says what to give. No value is repeated: it may be a secret. */
export function variableProblems(issues: readonly z.core.$ZodIssue[]): string[] {
  const problems = new Map<string, string>();
  for (const issue of issues) {
    const name = String(issue.path[0] ?? '');
    if (!problems.has(name)) problems.set(name, `${name}: ${adviceFor(name, issue)}.`);
  }
  return [...problems.values()];
}
