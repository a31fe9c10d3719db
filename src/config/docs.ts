// Writes config/example.env and the table in README.md from the schema: `node src/config/docs.ts --write`.
// `--check` compares them and fails when they are old.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { configSchema } from './schema.ts';

/** A variable as the documentation shows it. */
export interface DocumentedVariable {
  readonly name: string;
  readonly description: string;
  /** The value without it; undefined when there is none. */
  readonly fallback: string | undefined;
  readonly choices: readonly string[];
  readonly secret: boolean;
}

interface Property {
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly secret?: boolean;
}

/** Every variable, in the order of the schema. */
export function documentedVariables(): DocumentedVariable[] {
  const { properties = {} } = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' });
  return Object.entries(configSchema.shape).map(([name, schema]) => {
    const property = properties[name] as Property;
    const fallback = schema.safeParse(undefined).data;
    const none = fallback === undefined || (typeof fallback === 'object' && Object.keys(fallback).length === 0);
    return {
      name,
      description: property.description ?? '',
      fallback: none ? undefined : String(fallback),
      choices: property.enum ?? [],
      secret: property.secret ?? false,
    };
  });
}

const choicesOf = ({ choices }: DocumentedVariable): string =>
  choices.length > 0 ? ` One of ${choices.join(', ')}.` : '';

/** The file that lists every variable, each commented out and set to what it is without it. */
export function exampleEnv(variables: readonly DocumentedVariable[]): string {
  const head = [
    '# Every variable that Sallyport reads, with its default. Made by `node src/config/docs.ts --write`.',
    '# Those marked (secret) can be given as NAME_FILE instead, naming a file that holds the value.',
  ];
  const entries = variables.map((variable) => {
    const secret = variable.secret ? ' (secret)' : '';
    return `#${secret} ${variable.description}${choicesOf(variable)}\n#${variable.name}=${variable.fallback ?? ''}`;
  });
  return `${head.join('\n')}\n\n${entries.join('\n\n')}\n`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

/** The same as a table for the README. */
export function markdownTable(variables: readonly DocumentedVariable[]): string {
  const rows = variables.map((variable) => {
    const fallback = variable.fallback === undefined ? '' : `\`${variable.fallback}\``;
    const text = `${variable.description}${choicesOf(variable)}${variable.secret ? ` Or \`${variable.name}_FILE\`.` : ''}`;
    return `| \`${variable.name}\` | ${fallback} | ${cell(text)} |`;
  });
  return ['| Variable | Default | Meaning |', '|---|---|---|', ...rows].join('\n');
}

const [begin, end] = ['<!-- config:begin -->', '<!-- config:end -->'];

/** The README with a new table between its marks. @throws Error when it has no marks. */
export function withTable(readme: string, table: string): string {
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)];
  if (from < 0 || to < from)
    throw new Error(`README.md needs the lines ${begin} and ${end}, for the table of variables.`);
  return `${readme.slice(0, from + begin.length)}\n${table}\n${readme.slice(to)}`;
}

/** What each generated file should contain, by its path. */
export function generatedFiles(root: string): Map<string, string> {
  const variables = documentedVariables();
  const files = new Map([[join(root, 'config', 'example.env'), exampleEnv(variables)]]);
  const readme = join(root, 'README.md');
  if (existsSync(readme)) files.set(readme, withTable(readFileSync(readme, 'utf8'), markdownTable(variables)));
  return files;
}

const current = (path: string): string | undefined => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);

function main(mode: string | undefined): number {
  const files = generatedFiles(join(import.meta.dirname, '..', '..'));
  if (mode === '--write') {
    for (const [path, content] of files) writeFileSync(path, content);
    return 0;
  }
  if (mode !== '--check') {
    process.stderr.write('Usage: node src/config/docs.ts --write | --check\n');
    return 2;
  }
  const old = [...files].filter(([path, content]) => current(path) !== content).map(([path]) => path);
  if (old.length === 0) return 0;
  process.stderr.write(
    `Older than src/config/schema.ts:\n  ${old.join('\n  ')}\nRun \`node src/config/docs.ts --write\`.\n`,
  );
  return 1;
}

if (process.argv[1] === import.meta.filename) process.exitCode = main(process.argv[2]);
