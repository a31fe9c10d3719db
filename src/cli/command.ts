import { z } from 'zod';
import { AppError } from '../shared/errors.ts';
import type { Domains } from './domains.ts';

/** What a command takes and what it is for, as `help` shows it. */
export interface CommandShape {
  /** One or two words, as they are typed. */
  readonly name: string;
  readonly summary: string;
  /** Options by their names in camel case; an array may be given more than once. Texts come from `.describe()`. */
  readonly schema: z.ZodObject;
  /** The option that may be given as a bare word. */
  readonly positional?: string;
  /** Flags whose value is read from standard input, so that it is in no process list. */
  readonly stdin?: Readonly<Record<string, string>>;
  /** Options that name a file, whose text is the value. */
  readonly files?: readonly string[];
  /** Options by what the domains call them, where that differs. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly example?: string;
}

/** A command that works on the domains, so that a running server can execute it for somebody else. */
export interface DomainCommand extends CommandShape {
  /**
   * Whether it may be the first thing that is done, and makes the database then. For commands that begin something: all
   * others would look into a database that they made themselves, in a directory that was hardly meant.
   */
  readonly makesDatabase?: boolean;
  /** @throws AppError */
  execute(input: unknown, domains: Domains): Promise<unknown>;
  /** The text for people; `result` may have been through JSON. */
  render(result: unknown): string;
}

interface Definition<Schema extends z.ZodObject, Result> extends CommandShape {
  readonly schema: Schema;
  readonly makesDatabase?: boolean;
  run(input: z.output<Schema>, domains: Domains): Promise<Result>;
  render(result: Result): string;
}

/** Checks options. @throws AppError `invalid_input` naming each as it is typed. */
export function readOptions<Schema extends z.ZodObject>(schema: Schema, input: unknown): z.output<Schema> {
  const broken = Object.entries(input ?? {}).find(([, value]) => JSON.stringify(value)?.includes('\\u0000'));
  if (broken) {
    const fields = { [flagOf(broken[0])]: 'It has a NUL character.' };
    throw new AppError('invalid_input', 'Some options cannot be accepted.', { fields });
  }
  const parsed = z.strictObject(schema.shape).safeParse(input);
  if (parsed.success) return parsed.data as z.output<Schema>;
  const fields: Record<string, string> = {};
  for (const issue of parsed.error.issues) {
    if (issue.code === 'unrecognized_keys')
      for (const key of issue.keys) fields[flagOf(key)] = 'There is no such option.';
    else fields[flagOf(String(issue.path[0] ?? ''))] ??= textOf(issue);
  }
  throw new AppError('invalid_input', 'Some options cannot be accepted.', { fields });
}

function textOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && issue.input === undefined) return 'This option is needed.';
  if (issue.code === 'invalid_value') return `Use one of ${issue.values.join(', ')}.`;
  return issue.message;
}

/** `redirectUri` is typed as `--redirect-uri`; `redirect_uris` is what domains call it. */
export const flagOf = (name: string): string =>
  `--${name.replaceAll('_', '-').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Refuses a cursor that leads nowhere: a page after it would be empty, as if there were no more. @throws AppError */
export function wrongCursor(problem: string): never {
  throw new AppError('invalid_input', 'Some options cannot be accepted.', { fields: { '--after': problem } });
}

/** Lets a domain's complaint name the option that was typed. */
function asTyped(error: unknown, names: Readonly<Record<string, string>> = {}): unknown {
  if (!(error instanceof AppError) || error.code !== 'invalid_input' || !error.details.fields) return error;
  const fields = Object.fromEntries(
    Object.entries(error.details.fields).map(([name, text]) => [
      name.startsWith('--') ? name : flagOf(names[name] ?? names[name.split('.', 1)[0] ?? ''] ?? name),
      text,
    ]),
  );
  return new AppError(error.code, 'Some options cannot be accepted.', { ...error.details, fields }, error);
}

/** Makes a command out of its typed parts. */
export const defineCommand = <Schema extends z.ZodObject, Result>(
  definition: Definition<Schema, Result>,
): DomainCommand => ({
  ...definition,
  async execute(input, domains) {
    const options = readOptions(definition.schema, input);
    try {
      return await definition.run(options, domains);
    } catch (error) {
      throw asTyped(error, definition.fields);
    }
  },
  render: (result) => definition.render(result as Result),
});
