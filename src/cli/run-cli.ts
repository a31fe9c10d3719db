import { readFileSync } from 'node:fs';
import { type Config, ConfigError, readConfig } from '../config/load.ts';
import { AppError, reasonOf } from '../shared/errors.ts';
import { silentLogger } from '../shared/logger.ts';
import { askOrOpen } from './ask-or-open.ts';
import { type DomainCommand, flagOf, readOptions } from './command.ts';
import { auditExport } from './commands/audit-export.ts';
import { auditVerify } from './commands/audit-verify.ts';
import { localCommands } from './commands/local.ts';
import { importUsers } from './commands/users-import.ts';
import { callServer } from './control-client.ts';
import { resultOf } from './control-message.ts';
import { domainCommands } from './domain-commands.ts';
import type { LocalCommand, Surroundings } from './local-command.ts';
import { type ParsedArguments, parseArguments, UsageError } from './parse-arguments.ts';
import { commandList, commandUsage, groupUsage, usage } from './usage.ts';

/** What a run of the command line reads and writes. */
export interface Io {
  readonly env: NodeJS.ProcessEnv;
  readonly readStdin: () => Promise<string>;
  /** May be waited for, so that what is written is not kept in memory. */
  readonly out: (text: string) => unknown;
  readonly err: (text: string) => void;
}

type AnyCommand = DomainCommand | LocalCommand;

const groupOf = ({ name }: Pick<AnyCommand, 'name'>): string => name.split(' ', 1)[0] ?? '';
const known: readonly AnyCommand[] = [...localCommands, ...domainCommands, importUsers, auditVerify, auditExport];

/** Every command, those of a group together. */
export const allCommands: readonly AnyCommand[] = [...Map.groupBy(known, groupOf).values()].flat();

/** The command that the first one or two words name. */
function findCommand(words: readonly string[]): { command: AnyCommand; rest: readonly string[] } | undefined {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ');
    const command = allCommands.find((candidate) => candidate.name === name);
    if (command && words.length >= length) return { command, rest: words.slice(length) };
  }
  return undefined;
}

/** The commands that begin with this word, where it is none itself. */
const commandsOf = (first: string | undefined): readonly AnyCommand[] =>
  allCommands.filter(({ name }) => name.startsWith(`${first} `));

function unknown(words: readonly string[]): UsageError {
  const [first = ''] = words;
  const group = commandsOf(first);
  if (group.length > 0) return new UsageError(`Which of these?\n${commandList(group)}`);
  return new UsageError(`There is no command ${first}. \`sallyport help\` lists them.`);
}

/** Adds the values that come from standard input and from files. */
async function complete(command: AnyCommand, { input, fromStdin }: ParsedArguments, io: Io): Promise<unknown> {
  const whole: Record<string, unknown> = { ...input };
  for (const name of fromStdin) whole[name] = (await io.readStdin()).replace(/\r?\n$/, '');
  for (const name of command.files ?? []) {
    const path = whole[name];
    if (typeof path !== 'string') continue;
    try {
      whole[name] = readFileSync(path, 'utf8');
    } catch (error) {
      throw new UsageError(`${flagOf(name)}: ${path} cannot be read.`, { cause: error });
    }
  }
  return whole;
}

/** Lets the running server execute a command, or opens the database for it when none runs. */
async function runOnDomains(command: DomainCommand, input: unknown, config: Config, around: Surroundings) {
  return askOrOpen(
    async () => {
      const response = await callServer(config.dataDir, { command: command.name, input });
      return response && { result: resultOf(response) };
    },
    async () => {
      // Loaded only where it is needed: it is most of the program.
      const { openDomains, tryInMemory } = await import('./open-domains.ts');
      const { makesDatabase: make = false } = command;
      if (make) await tryInMemory(config, (domains) => command.execute(input, domains));
      const opened = await openDomains(config, { logger: silentLogger(), onProgress: around.onProgress, make });
      try {
        // Through JSON, so that it is the same with a server and without.
        return { result: JSON.parse(JSON.stringify(await command.execute(input, opened.domains))) as unknown };
      } finally {
        await opened[Symbol.asyncDispose]();
      }
    },
  );
}

async function runCommand(command: AnyCommand, parsed: ParsedArguments, io: Io): Promise<number> {
  const around: Surroundings = { env: io.env, onProgress: (text) => io.err(`${text}\n`), out: io.out };
  const print = (result: unknown, text: string): void => {
    if (parsed.json && result !== undefined) io.out(`${JSON.stringify(result, null, 2)}\n`);
    else if (text !== '') io.out(`${text}\n`);
  };
  const input = await complete(command, parsed, io);
  if ('runHere' in command) {
    const { result, text, exitCode } = await command.runHere(input, around);
    if (command.name !== 'serve') print(result, text);
    return exitCode;
  }
  // Nobody is asked for what cannot be meant; whoever executes it looks again.
  readOptions(command, input);
  const { result } = await runOnDomains(command, input, readConfig(io.env), around);
  print(result, command.render(result));
  return 0;
}

function report(error: unknown, json: boolean, io: Io): number {
  const usageMistake = error instanceof UsageError || error instanceof ConfigError;
  const code = error instanceof AppError ? error.code : usageMistake ? 'invalid_input' : 'internal';
  const fields = error instanceof AppError ? error.details.fields : undefined;
  if (json) {
    io.err(`${JSON.stringify({ error: { code, message: reasonOf(error), ...(fields && { fields }) } })}\n`);
  } else {
    const message = reasonOf(error);
    const lines = Object.entries(fields ?? {}).filter(([, text]) => text !== message);
    io.err(`${[message, ...lines.map(([name, text]) => `  ${name}: ${text}`)].join('\n')}\n`);
  }
  return code === 'invalid_input' ? 2 : 1;
}

/** Whether the words after the name of a group ask what is in it. */
const asksForGroup = ([next]: readonly string[], help: boolean): boolean =>
  next === '--help' || next === '-h' || (help && next === undefined);

/** Runs one command line, without the program's name, and resolves to its exit code. */
export async function runCli(words: readonly string[], io: Io): Promise<number> {
  const json = words.includes('--json');
  try {
    const [first, ...more] = words;
    if (first === undefined || first === '--help' || first === '-h' || (first === 'help' && more.length === 0)) {
      io.out(`${usage(allCommands)}\n`);
      return first === undefined ? 2 : 0;
    }
    if (first === '--version') return await runCli(['version'], io);
    const wanted = first === 'help' ? more : words;
    const found = findCommand(wanted);
    const group = found ? [] : commandsOf(wanted[0]);
    if (group.length > 0 && asksForGroup(wanted.slice(1), first === 'help')) {
      io.out(`${groupUsage(group)}\n`);
      return 0;
    }
    if (!found) throw unknown(wanted);
    const parsed = parseArguments(found.command, found.rest);
    if (parsed.help || first === 'help') {
      io.out(`${commandUsage(found.command)}\n`);
      return 0;
    }
    return await runCommand(found.command, parsed, io);
  } catch (error) {
    return report(error, json, io);
  }
}
