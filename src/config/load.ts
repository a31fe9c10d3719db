import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { codeOf } from '../shared/errors.ts';
import { isLoopbackUrl, openings, type Reach } from './reach.ts';
import { riskProblems } from './risk-variables.ts';
import { rpcProblems } from './rpc-problems.ts';
import { configSchema, type Environment } from './schema.ts';
import { unknownVariable, variableProblems } from './variable-problems.ts';

/** What is wrong with the configuration, one line per problem, each saying how to mend it. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration is not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** The configuration that the rest of the program sees: complete, checked, with secrets in place. */
export interface Config extends Omit<Environment, 'SALLYPORT_ISSUER' | 'HOST' | 'SALLYPORT_SECRETS'> {
  readonly issuer: string;
  readonly host: string;
  readonly secrets: readonly string[];
  readonly dataDir: string;
  readonly production: boolean;
  /** Whether cookies carry `Secure` and its prefixes: the issuer is https. */
  readonly secureCookies: boolean;
  /** Whether only this machine reaches the server: it listens on loopback, gRPC too, and its issuer is there. */
  readonly local: boolean;
  /** Demo data and playground: development that is {@link local} only. */
  readonly demo: boolean;
}

function withFileSecrets(env: NodeJS.ProcessEnv, problems: string[]): Record<string, string> {
  const names = new Set(Object.keys(configSchema.shape));
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value === '') continue;
    if (names.has(name)) {
      values[name] = value;
    } else if (name.endsWith('_FILE') && names.has(name.slice(0, -5))) {
      if (env[name.slice(0, -5)]) problems.push(`${name} and ${name.slice(0, -5)} are both set. Keep one.`);
      try {
        values[name.slice(0, -5)] = readFileSync(value, 'utf8').trim();
      } catch {
        problems.push(`${name} names ${value}, which cannot be read.`);
      }
    } else if (name.startsWith('SALLYPORT_')) {
      problems.push(unknownVariable(name));
    }
  }
  return values;
}

function developmentSecrets(dataDir: string): string[] {
  const file = join(dataDir, 'secrets');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(file, `${randomBytes(48).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/** What was set, by name; also what came from files. */
type Given = Readonly<Record<string, string>>;

/** Where it listens and what it is called, as far as others may get in by it. */
function reachOf({ NODE_ENV, PORT, HOST, SALLYPORT_ISSUER, ...values }: Environment): Reach {
  const issuer = new URL(SALLYPORT_ISSUER ?? `http://localhost:${PORT}`).origin;
  return { ...values, issuer, host: HOST ?? (NODE_ENV === 'production' ? '0.0.0.0' : '127.0.0.1') };
}

function productionProblems(values: Environment, given: Given): string[] {
  const problems: string[] = [];
  if (given.SALLYPORT_DEMO === 'true') {
    problems.push('SALLYPORT_DEMO is true. Demo data is for development; leave the variable out.');
  }
  if (!values.SALLYPORT_ISSUER) {
    problems.push('SALLYPORT_ISSUER is not set. Give the public base URL, for example https://id.example.com.');
  } else if (values.SALLYPORT_ISSUER.startsWith('http:') && !isLoopbackUrl(values.SALLYPORT_ISSUER)) {
    problems.push('SALLYPORT_ISSUER is plain http. Put TLS in front and give the https URL.');
  }
  if (!values.SALLYPORT_SECRETS?.length) {
    problems.push(
      'SALLYPORT_SECRETS is not set. Make one with `openssl rand -base64 48` and keep it with your backups.',
    );
  }
  return problems;
}

/** Whoever asks for demo data has to get it; where it is only the default, the server goes without. */
function demoProblems(values: Environment, given: Given): string[] {
  if (given.SALLYPORT_DEMO !== 'true') return [];
  return openings(reachOf(values)).map(
    (opening) =>
      `SALLYPORT_DEMO is true, and ${opening}, where others get in. Demo data is for this machine only: leave one of them out.`,
  );
}

function consistencyProblems(values: Environment): string[] {
  const problems: string[] = [];
  const issuer = values.SALLYPORT_ISSUER ? new URL(values.SALLYPORT_ISSUER) : undefined;
  if (issuer && (issuer.search || issuer.hash || issuer.username || issuer.pathname !== '/')) {
    problems.push('SALLYPORT_ISSUER must be an origin: no path, query, fragment or user name.');
  }
  if (values.SALLYPORT_SECRETS?.some((secret) => secret.length < 32)) {
    problems.push(
      'SALLYPORT_SECRETS has a secret shorter than 32 characters. Make one with `openssl rand -base64 48`.',
    );
  }
  if (values.SALLYPORT_KEY_PUBLISH_SECONDS < values.SALLYPORT_JWKS_MAX_AGE) {
    problems.push(
      'SALLYPORT_KEY_PUBLISH_SECONDS is shorter than SALLYPORT_JWKS_MAX_AGE: verifiers would meet keys they have not seen.',
    );
  }
  if (values.SALLYPORT_KEY_RETIRE_SECONDS < values.SALLYPORT_ACCESS_TOKEN_SECONDS) {
    problems.push(
      'SALLYPORT_KEY_RETIRE_SECONDS is shorter than SALLYPORT_ACCESS_TOKEN_SECONDS: live tokens would stop verifying.',
    );
  }
  return problems;
}

function parseEnvironment(env: NodeJS.ProcessEnv): Environment {
  const problems: string[] = [];
  const given = withFileSecrets(env, problems);
  const parsed = configSchema.safeParse(given);
  if (!parsed.success) {
    problems.push(...variableProblems(parsed.error.issues));
    throw new ConfigError(problems);
  }
  problems.push(...consistencyProblems(parsed.data), ...rpcProblems(parsed.data), ...riskProblems(parsed.data));
  const modeProblems = parsed.data.NODE_ENV === 'production' ? productionProblems : demoProblems;
  problems.push(...modeProblems(parsed.data, given));
  if (problems.length > 0) throw new ConfigError(problems);
  return parsed.data;
}

/**
 * Reads the configuration from the environment and writes nothing: `secrets` is empty where development would make its
 * own, see {@link withSecrets}.
 * @throws ConfigError with every problem at once.
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const environment = parseEnvironment(env);
  const { SALLYPORT_ISSUER, HOST, SALLYPORT_SECRETS, ...values } = environment;
  const production = values.NODE_ENV === 'production';
  const reach = reachOf(environment);
  const { host, issuer } = reach;
  const local = openings(reach).length === 0;
  return {
    ...values,
    issuer,
    dataDir: resolve(values.SALLYPORT_DATA_DIR),
    production,
    secureCookies: issuer.startsWith('https:'),
    host,
    secrets: SALLYPORT_SECRETS ?? [],
    local,
    demo: values.SALLYPORT_DEMO && !production && local,
  };
}

/** The same with the secrets that development keeps in its data directory, which are made when there are none. */
export const withSecrets = (config: Config): Config =>
  config.secrets.length > 0 ? config : { ...config, secrets: developmentSecrets(config.dataDir) };

/**
 * Reads the configuration from the environment. In development it makes what is missing, in the data directory.
 * @throws ConfigError with every problem at once.
 */
export const loadConfig = (env: NodeJS.ProcessEnv): Config => withSecrets(readConfig(env));
