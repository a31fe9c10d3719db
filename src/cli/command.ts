import { z } from 'zod';
import { numberRange } from '../config/number-range.ts';
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
export function readOptions<Schema extends z.ZodObject>(
  command: Pick<CommandShape, 'positional'> & { readonly schema: Schema },
  input: unknown,
): z.output<Schema> {
  const { schema } = command;
  const broken = Object.entries(input ?? {}).find(([, value]) => JSON.stringify(value)?.includes('\\u0000'));
  if (broken) refuse({ [typedName(command, broken[0])]: 'It has a NUL character.' });
  const parsed = z.strictObject(schema.shape).safeParse(input);
  if (parsed.success) return parsed.data as z.output<Schema>;
  const fields: Record<string, string> = {};
  for (const issue of parsed.error.issues) {
    if (issue.code === 'unrecognized_keys')
      for (const key of issue.keys) fields[flagOf(key)] = 'There is no such option.';
    else {
      const name = String(issue.path[0] ?? '');
      const isGiven = (input as Readonly<Record<string, unknown>> | undefined)?.[name] !== undefined;
      fields[typedName(command, name)] ??= isGiven ? textOf(issue, schema.shape[name]) : 'This is needed.';
    }
  }
  return refuse(fields);
}

function refuse(fields: Readonly<Record<string, string>>): never {
  throw new AppError('invalid_input', 'Some options cannot be accepted.', { fields });
}

function textOf(issue: z.core.$ZodIssue, option: z.core.$ZodType | undefined): string {
  if (issue.code === 'invalid_value') return `Use one of ${issue.values.join(', ')}.`;
  const numbers = option && numberRange(option as z.ZodType);
  if (numbers !== undefined) return `Give ${numbers}.`;
  // A schema that has words of its own is the first to be heard.
  if (issue.code === 'too_big' && issue.message.startsWith('Too big'))
    return `It has more than ${issue.maximum} characters.`;
  if (issue.code === 'too_small' && issue.message.startsWith('Too small')) return 'It is empty.';
  return issue.message;
}

/** An option as its command's usage shows it: `<user>` where it may be given as a bare word, else `--user`. */
const typedName = ({ positional }: Pick<CommandShape, 'positional'>, name: string): string =>
  name === positional ? `<${flagOf(name).slice(2)}>` : flagOf(name);

/** `redirectUri` is typed as `--redirect-uri`; `redirect_uris` is what domains call it. */
export const flagOf = (name: string): string =>
  `--${name.replaceAll('_', '-').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Refuses a cursor that leads nowhere: a page after it would be empty, as if there were no more. @throws AppError */
export function wrongCursor(problem: string): never {
  throw new AppError('invalid_input', 'Some options cannot be accepted.', { fields: { '--after': problem } });
}

/** Lets a domain's complaint name the option that was typed. */
function asTyped(error: unknown, command: CommandShape): unknown {
  if (!(error instanceof AppError) || !error.details.fields) return error;
  const { fields: names = {} } = command;
  const fields = Object.fromEntries(
    Object.entries(error.details.fields).map(([name, text]) => [
      /^[-<]/.test(name) ? name : typedName(command, names[name] ?? names[name.split('.', 1)[0] ?? ''] ?? name),
      text,
    ]),
  );
  const message = error.code === 'invalid_input' ? 'Some options cannot be accepted.' : error.message;
  return new AppError(error.code, message, { ...error.details, fields }, error);
}

/** Makes a command out of its typed parts. */
export const defineCommand = <Schema extends z.ZodObject, Result>(
  definition: Definition<Schema, Result>,
): DomainCommand => ({
  ...definition,
  async execute(input, domains) {
    const options = readOptions(definition, input);
    try {
      return await definition.run(options, domains);
    } catch (error) {
      throw asTyped(error, definition);
    }
  },
  render: (result) => definition.render(result as Result),
});
