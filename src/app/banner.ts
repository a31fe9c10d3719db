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

/** What the terminal shows when the server is ready: where to go, and what to do next. */
export function banner(config: Config, demo: DemoSummary | undefined): string {
  const { issuer } = config;
  const where = config.DATABASE_URL ? 'PostgreSQL' : `embedded database in ${config.dataDir}`;
  const lines = [
    '',
    `  Sallyport is ready: ${where}${config.REDIS_URL ? ', Redis' : ''}`,
    '',
    line('Issuer', issuer),
    line('Discovery', `${issuer}/.well-known/openid-configuration`),
    line('Account', `${issuer}/account   where people look after theirs`),
    line('Admin', `${issuer}/admin`),
    line('API docs', `${issuer}/api/docs`),
  ];
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
    lines.push('', '  Next: `npx sallyport users create`, `npx sallyport clients create`, `npx sallyport doctor`.');
  }
  return `${lines.join('\n')}\n`;
}
