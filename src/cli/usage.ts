import type { z } from 'zod';
import { type CommandShape, flagOf } from './command.ts';
import { choicesOf, optionsOf } from './parse-arguments.ts';

/** Commands with what they are for, a line each. */
export function commandList(commands: readonly CommandShape[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`).join('\n');
}

/** What a group of commands can do. */
export function groupUsage(commands: readonly CommandShape[]): string {
  const [group = ''] = commands[0]?.name.split(' ', 1) ?? [];
  return [
    `Usage: sallyport ${group} <command> [options]`,
    '',
    commandList(commands),
    '',
    `\`sallyport help ${group} <command>\` shows the options of a command.`,
  ].join('\n');
}

/** The list of commands. */
export function usage(commands: readonly CommandShape[]): string {
  return [
    'Usage: sallyport <command> [options]',
    '',
    commandList(commands),
    '',
    '--json prints results for programs. `sallyport help <command>` shows the options of a command.',
    'Exit code 0: done. 1: it could not be done. 2: the command line or the configuration is wrong.',
  ].join('\n');
}

const isOptional = ({ schema, positional = '' }: CommandShape): boolean =>
  (schema.shape[positional] as z.ZodType | undefined)?.safeParse(undefined).success === true;

/** The word without a flag that a command takes, as it is shown and with what it is; none for most. */
function bareWord({ schema, positional }: CommandShape): (readonly [string, string])[] {
  if (positional === undefined) return [];
  const { description = '' } = schema.shape[positional] as z.ZodType;
  return [[`<${flagOf(positional).slice(2)}>`, description]];
}

/** What one command takes. */
export function commandUsage(command: CommandShape): string {
  const described = optionsOf(command)
    .filter(({ name }) => name !== command.positional)
    .map(({ name, flag, type, multiple }) => {
      const schema = command.schema.shape[name] as z.ZodType;
      const { description = '' } = schema;
      const choices = choicesOf(schema).filter((choice) => !description.includes(choice));
      const which = choices.length === 0 ? '' : ` One of ${choicesOf(schema).join(', ')}.`;
      const text = `${description}${which}${multiple ? ' May be given more than once.' : ''}`.trim();
      const needed = schema.safeParse(undefined).success ? '' : ' Needed.';
      return [type === 'boolean' ? flag : `${flag} …`, `${text}${needed}`] as const;
    });
  const fromStdin = Object.entries(command.stdin ?? {}).map(
    ([flag, name]) => [`--${flag}`, `Read the ${name} from standard input.`] as const,
  );
  const options = [...bareWord(command), ...described, ...fromStdin, ['--json', 'Print the result as JSON.'] as const];
  const width = Math.max(...options.map(([flag]) => flag.length));
  const bare = bareWord(command).map(([word]) => (isOptional(command) ? ` [${word}]` : ` ${word}`));
  return [
    `Usage: sallyport ${command.name}${bare.join('')} [options]`,
    '',
    command.summary,
    '',
    ...options.map(([flag, text]) => `  ${flag.padEnd(width)}  ${text}`),
    ...(command.example ? ['', `Example: ${command.example}`] : []),
  ].join('\n');
}
