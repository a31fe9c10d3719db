import type { Config } from '../config/load.ts';
import { openings } from '../config/reach.ts';
import type { DemoSummary, DemoUser } from './demo-data.ts';
import { hasMailViewer } from './mail.ts';

const line = (label: string, value: string): string => `  ${label.padEnd(14)}${value}`;

/** What a demo user is good for, in a word or two. */
export const noteFor = ({ totp, roles }: DemoUser): string =>
  totp
    ? `two doors; authenticator key ${totp.secret}`
    : roles.includes('admin')
      ? 'administrator'
      : 'one door; the second sign-in offers a passkey';

function demoLines(demo: DemoSummary): string[] {
  return ['', ...demo.users.map((user) => line(user.username, `${user.password}   ${noteFor(user)}`))];
}

/** Why a server for development has none of what is there at a plain start; nothing where it has. */
function absences(config: Config): string[] {
  if (config.production || config.local) return [];
  const cause = openings(config).join(', ');
  return ['', `  Others can reach this server (${cause}), so it has no demo data, no playground and no /dev/mail.`];
}

/** What was found out while it started. */
export interface Findings {
  /** Where it listens for people and apps. */
  readonly port?: number;
  /** False when there is a Redis that does not answer. */
  readonly redisAnswers?: boolean;
  /** False when nobody may open the admin pages yet. */
  readonly hasAdmin?: boolean;
}

/** What an operator has to know although the server runs, a sentence or two each; for the terminal and the log. */
export function warningsFor(config: Config, { redisAnswers = true }: Findings): string[] {
  const warnings: string[] = [];
  if (config.production && config.DATABASE_URL === undefined) {
    warnings.push(
      `DATABASE_URL is not set, so the data is in the embedded database in ${config.dataDir}. That is for one server and ` +
        'few people, and backed up while it stands still. For more, use PostgreSQL.',
    );
  }
  if (!redisAnswers) {
    warnings.push(
      'Redis does not answer at REDIS_URL. Until it does nobody can sign in and no app gets tokens; they are answered 503. ' +
        'When it is back, everything goes on by itself.',
    );
  }
  return warnings;
}

/** What to do next, as far as that can be told. */
function nextSteps(hasAdmin: boolean): string[] {
  const command = (text: string): string => `\`npx sallyport ${text}\``;
  const rest = `${command('clients create --help')}, ${command('doctor')}`;
  if (hasAdmin) return ['', `  Next: ${command('users create --help')}, ${rest}.`];
  const admin = command('users create --email you@example.com --admin');
  return ['', `  There is no administrator yet: ${admin}`, `  Next: ${rest}.`];
}

/** What the terminal shows when the server is ready: where to go, and what to do next. */
export function banner(config: Config, demo: DemoSummary | undefined, findings: Findings = {}): string {
  const { issuer } = config;
  const { port = config.PORT, redisAnswers = true, hasAdmin = true } = findings;
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  const redis = config.REDIS_URL ? `, Redis${redisAnswers ? '' : ' (does not answer)'}` : '';
  const where = config.DATABASE_URL ? 'PostgreSQL' : `embedded database in ${config.dataDir}`;
  const lines = [
    '',
    `  Sallyport is ready: ${where}${redis}`,
    '',
    line('Issuer', issuer),
    line('Discovery', `${issuer}/.well-known/openid-configuration`),
    line('Account', `${issuer}/account   where people look after theirs`),
    line('Admin', `${issuer}/admin`),
    line('API docs', `${issuer}/api/docs`),
  ];
  if (config.production || !config.local) lines.push(line('Listens on', `${host}:${port}`));
  if (hasMailViewer(config)) lines.push(line('Mail (dev)', `${issuer}/dev/mail`));
  if (demo) {
    lines.push(
      line(
        'Playground',
        `http://localhost:${config.SALLYPORT_PLAYGROUND_PORT}   start here: sign in, look at the tokens`,
      ),
    );
    lines.push(...demoLines(demo));
    lines.push(
      '',
      '  Demo data, for this machine only. Next: add your app with `npx sallyport clients create --help`.',
    );
  } else {
    lines.push(...absences(config));
    lines.push(...nextSteps(hasAdmin));
  }
  for (const warning of warningsFor(config, findings)) lines.push('', `  Warning: ${warning}`);
  return `${lines.join('\n')}\n`;
}
