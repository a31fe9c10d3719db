import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { z } from 'zod';
import { type CommandShape, flagOf } from './command.ts';

/** The command line itself makes no sense; the message says how it would. */
export class UsageError extends Error {}

export interface ParsedArguments {
  /** Options in camel case, still text; the command's schema decides. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly json: boolean;
  readonly help: boolean;
  /** Names of the options whose values are to be read from standard input. */
  readonly fromStdin: readonly string[];
}

interface Option {
  readonly name: string;
  readonly flag: string;
  readonly type: 'boolean' | 'string';
  readonly multiple: boolean;
}

/** What is inside the wrappers that say optional or default. */
function innerType(schema: unknown): unknown {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault) inner = inner.unwrap();
  return inner;
}

/** The words that an option takes, where it takes no others; else none. */
export function choicesOf(schema: unknown): readonly string[] {
  const inner = innerType(schema);
  const one = inner instanceof z.ZodArray ? inner.element : inner;
  return one instanceof z.ZodEnum ? one.options.map(String) : [];
}

/** The options of a command as they are typed, without those that only come from standard input. */
export function optionsOf({ schema, stdin = {} }: CommandShape): Option[] {
  const hidden = new Set(Object.values(stdin));
  return Object.entries(schema.shape)
    .filter(([name]) => !hidden.has(name))
    .map(([name, part]) => {
      const inner = innerType(part);
      return {
        name,
        flag: flagOf(name),
        type: inner instanceof z.ZodBoolean ? 'boolean' : 'string',
        multiple: inner instanceof z.ZodArray,
      };
    });
}

function complaintOf(error: unknown, options: ParseArgsOptionsConfig): string {
  const { message } = error as Error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const flag = /'(?:-\w, )?(--?[\w-]+)/.exec(message)?.[1] ?? 'that';
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') return `There is no option ${flag}.`;
  if (code !== 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') return message;
  if (options[flag.slice(2)]?.type !== 'string') return `${flag} takes no value.`;
  return `${flag} needs a value. One that begins with a dash is written ${flag}=-….`;
}

/** A negative number is a value, not another option: `--limit -3` is `--limit=-3`. */
function joinNumbers(options: ParseArgsOptionsConfig, words: readonly string[]): string[] {
  const end = words.includes('--') ? words.indexOf('--') : words.length;
  const joined: string[] = [];
  for (const [index, word] of words.entries()) {
    const before = joined.at(-1);
    const takesValue = before?.startsWith('--') && options[before.slice(2)]?.type === 'string';
    if (index < end && takesValue && /^-\d/.test(word)) joined.splice(-1, 1, `${before}=${word}`);
    else joined.push(word);
  }
  return joined;
}

function tokenize(options: ParseArgsOptionsConfig, words: readonly string[]) {
  try {
    return parseArgs({
      args: joinNumbers(options, words),
      options,
      allowPositionals: true,
      allowNegative: true,
      strict: true,
      tokens: true,
    });
  } catch (error) {
    throw new UsageError(complaintOf(error, options), { cause: error });
  }
}

/** Reads the words after the command's name. @throws UsageError */
export function parseArguments(command: CommandShape, words: readonly string[]): ParsedArguments {
  const options = optionsOf(command);
  const stdin = command.stdin ?? {};
  const config: ParseArgsOptionsConfig = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } };
  for (const { flag, type, multiple } of options) config[flag.slice(2)] = { type, multiple };
  for (const flag of Object.keys(stdin)) config[flag] = { type: 'boolean' };
  const { values, positionals, tokens } = tokenize(config, words);

  const seen = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== 'option' || config[token.name]?.multiple) continue;
    if (seen.has(token.name)) throw new UsageError(`--${token.name} is given twice.`);
    seen.add(token.name);
  }
  const input: Record<string, unknown> = {};
  for (const { name, flag } of options) if (values[flag.slice(2)] !== undefined) input[name] = values[flag.slice(2)];
  takePositional(command, positionals, input);
  return {
    input,
    json: values.json === true,
    help: values.help === true,
    fromStdin: Object.entries(stdin).flatMap(([flag, name]) => (values[flag] === true ? [name] : [])),
  };
}

function takePositional(
  { name, positional }: CommandShape,
  words: readonly string[],
  input: Record<string, unknown>,
): void {
  const [first, ...more] = words;
  if (first === undefined) return;
  if (positional === undefined || more.length > 0) {
    throw new UsageError(`\`${name}\` does not take ${positional === undefined ? first : more[0]}.`);
  }
  if (input[positional] !== undefined) throw new UsageError(`${flagOf(positional)} is given twice.`);
  input[positional] = first;
}
