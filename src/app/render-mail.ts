import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ejs, { type TemplateFunction } from 'ejs';
import type { MailTemplate, RenderMail } from '../notifications/index.ts';

/** What mails say about this installation. */
export interface MailSite {
  readonly name: string;
  readonly issuer: string;
  /** Whom to write to; without it mails say "whoever runs <host>". */
  readonly supportEmail?: string | undefined;
  /** Where people look after their account; a path. Not linked until there is such a page. */
  readonly accountPath?: string | undefined;
}

/** What a template says about its mail while it renders, for the layout around it. */
interface Frame {
  subject: string;
  heading: string;
}

type Part = 'text' | 'html';

// Control characters end headers and lines; marks of direction make text read as what it is not.
const unprintable = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]+/gu;

/** A value as one line of plain text. */
const plain = (value: unknown): string =>
  value === undefined || value === null ? '' : String(value).replace(unprintable, ' ').trim();

const isZone = (zone: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en-GB', { timeZone: zone }) !== undefined;
  } catch {
    return false;
  }
};

const timeFormats = {
  clock: { hour: '2-digit', minute: '2-digit', timeZoneName: 'short' },
  full: {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
  },
} as const;

/** The facts that help a person to recognise what happened, as far as they are known. */
function factsOf(data: Record<string, unknown>, time: (at: number) => string): [string, string][] {
  const facts: [string, unknown][] = [
    ['When', typeof data.at === 'number' ? time(data.at) : undefined],
    ['App', data.app],
    ['Passkey', typeof data.passkey === 'string' ? [...data.passkey].slice(0, 60).join('') : undefined],
    ['Browser', data.browser],
    ['IP address', data.ip],
  ];
  return facts.flatMap(([label, value]) => (value === undefined ? [] : [[label, plain(value)] as [string, string]]));
}

function localsFor(site: MailSite, data: Record<string, unknown>) {
  const timeZone = typeof data.timeZone === 'string' && isZone(data.timeZone) ? data.timeZone : 'UTC';
  const format = (kind: keyof typeof timeFormats, at: number): string =>
    new Intl.DateTimeFormat('en-GB', { ...timeFormats[kind], timeZone }).format(at);
  const host = new URL(site.issuer).host;
  /** The only way to a link: below the issuer, whatever the data says. */
  const link = (path: string): string => {
    const url = new URL(path, site.issuer);
    if (!/^\/(?![/\\])/.test(path) || url.origin !== site.issuer)
      throw new Error('A mail may only link to the issuer.');
    return url.href;
  };
  return {
    data,
    site: { name: plain(site.name), host },
    whom: site.supportEmail ?? `whoever runs ${host}`,
    accountUrl: site.accountPath === undefined ? undefined : link(site.accountPath),
    facts: factsOf(data, (at) => format('full', at)),
    clockText: (at: number) => format('clock', at),
    timeText: (at: number) => format('full', at),
    link,
  };
}

const names = ['mail', 'data', 'site', 'whom', 'accountUrl', 'facts', 'clockText', 'timeText', 'link'];
const escapes: Readonly<Record<Part, (value: unknown) => string>> = {
  text: plain,
  html: (value) => ejs.escapeXML(plain(value)),
};
const suffixes: Readonly<Record<Part, string>> = { text: 'txt', html: 'html' };

/**
 * Makes mails from `views/mail`: each template as plain text and as HTML, each with its layout around it. Values are
 * escaped in both; templates see the names above and nothing else.
 * @param options.cache false reads the files anew for each mail, for work on them
 */
export function createMailRenderer(options: {
  readonly viewsDir: string;
  readonly cache: boolean;
  readonly site: MailSite;
}): RenderMail {
  const { viewsDir, cache, site } = options;
  const compiled = new Map<string, TemplateFunction>();

  function template(name: string, part: Part): TemplateFunction {
    const file = `${name}.${suffixes[part]}.ejs`;
    const known = compiled.get(file);
    if (known) return known;
    const filename = join(viewsDir, 'mail', file);
    const made = ejs.compile(readFileSync(filename, 'utf8'), {
      filename,
      cache,
      strict: true,
      destructuredLocals: names,
      escape: escapes[part],
    });
    if (cache) compiled.set(file, made);
    return made;
  }

  return (name: MailTemplate, data) => {
    if (!/^[a-z-]+$/.test(name)) throw new Error('There is no such mail.');
    const mail: Frame = { subject: '', heading: '' };
    const locals = { ...localsFor(site, { ...data }), mail };
    const write = (part: Part): string => {
      const body = template(name, part)(locals);
      return template('layout', part)({ ...locals, body });
    };
    const [text, html] = [write('text'), write('html')];
    return { subject: plain(mail.subject), text: `${text.trim()}\n`, html };
  };
}
