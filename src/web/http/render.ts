import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ejs, { type TemplateFunction } from 'ejs';
import type { ConsoleShell } from '../console-models.ts';
import { icon } from '../icons.ts';
import type { PageModels, PageName } from '../page-models.ts';
import type { Assets } from './assets.ts';

const views: Readonly<Record<PageName, string>> = {
  login: 'sign-in/login',
  totp: 'sign-in/totp',
  'backup-code': 'sign-in/backup-code',
  passkey: 'sign-in/passkey',
  'email-code': 'sign-in/email-code',
  'email-sign-in': 'sign-in/email-sign-in',
  unverified: 'sign-in/unverified',
  'change-password': 'sign-in/change-password',
  'offer-passkey': 'sign-in/offer-passkey',
  'enroll-totp': 'sign-in/enroll-totp',
  'backup-codes': 'sign-in/backup-codes',
  consent: 'sign-in/consent',
  'select-account': 'sign-in/select-account',
  logout: 'sign-in/logout',
  'signed-out': 'sign-in/signed-out',
  error: 'error',
  device: 'sign-in/device',
  'device-confirm': 'sign-in/device-confirm',
  'device-done': 'sign-in/device-done',
  register: 'account-entry/register',
  invitation: 'account-entry/invitation',
  'check-mail': 'account-entry/check-mail',
  'verify-email': 'account-entry/verify-email',
  'forgot-password': 'account-entry/forgot-password',
  'reset-password': 'account-entry/reset-password',
  'confirm-email': 'account-entry/confirm-email',
  recover: 'account-entry/recover',
  'go-on': 'sign-in/go-on',
  home: 'home',
  mail: 'dev/mail',
  'mail-message': 'dev/mail-message',
  denied: 'admin/denied',
  'admin-overview': 'admin/overview',
  'admin-audit': 'admin/audit',
  'admin-sessions': 'admin/sessions',
  'account-overview': 'account/overview',
  'account-password': 'account/password',
  'account-two-step': 'account/two-step',
  'account-authenticator': 'account/authenticator',
  'account-backup-codes': 'account/backup-codes',
  'account-two-step-off': 'account/two-step-off',
  'account-remembered': 'account/remembered',
  'account-passkeys': 'account/passkeys',
  'account-passkey-add': 'account/passkey-add',
  'account-passkey': 'account/passkey',
  'account-profile': 'account/profile',
  'account-email': 'account/email',
  'account-username': 'account/username',
  'account-sessions': 'account/sessions',
  'account-sessions-end': 'account/sessions-end',
  'account-apps': 'account/apps',
  'account-activity': 'account/activity',
  'account-data': 'account/data',
  'account-export': 'account/export',
  'account-delete': 'account/delete',
  'account-deleted': 'account/deleted',
  'api-docs': 'api/docs',
};

/** What a page needs from its request, beside its model. */
export interface RenderContext {
  readonly requestId: string;
  /** Goes into every form that posts to us. */
  readonly csrfToken?: string | undefined;
  readonly lang?: string | undefined;
  readonly dir?: 'ltr' | 'rtl' | undefined;
}

/** The names and addresses of this installation; what is not set is not linked. */
export interface Site {
  readonly name: string;
  readonly helpUrl?: string | undefined;
  readonly privacyUrl?: string | undefined;
  readonly supportEmail?: string | undefined;
}

/** What a view says about itself while it renders, for the layout around it. */
interface Frame {
  readonly name: PageName;
  title: string;
  /** Something on the page needs to be put right; the title starts with "Error: ". */
  invalid: boolean;
  /** A list page in a wider card. */
  wide: boolean;
  /** Set by the pages of a console, which stand in another shell. */
  shell: ConsoleShell | undefined;
}

/** Renders a page to a whole HTML document. */
export type Render = <Name extends PageName>(page: Name, model: PageModels[Name], context: RenderContext) => string;

/** A link target that a stranger may have chosen: http(s) and our own paths only, else undefined. */
function link(href: string | undefined): string | undefined {
  if (href === undefined) return undefined;
  if (/^\/(?![/\\])/.test(href)) return href;
  return /^https?:\/\//i.test(href) && URL.canParse(href) ? href : undefined;
}

/** A picture that the Content-Security-Policy will load, else undefined. */
const image = (source: string | undefined): string | undefined =>
  source !== undefined && /^(data:image\/(png|jpeg|gif|webp|svg\+xml)[;,]|\/(?![/\\]))/.test(source)
    ? source
    : undefined;

const initial = (name: string): string => (Array.from(name.trim())[0] ?? '?').toUpperCase();

/** One of six colours of the tile that stands for an app without a logo; always the same one for a name. */
const tone = (name: string): number =>
  Array.from(name).reduce((sum, char) => (sum * 31 + (char.codePointAt(0) ?? 0)) % 997, 7) % 6;

const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short', timeZone: 'UTC' });
const short = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });
const full = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });
const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' });

/** A text with `code` in backticks, in parts. */
const textParts = (text: string): { readonly text: string; readonly code: boolean }[] =>
  text.split('`').map((part, index) => ({ text: part, code: index % 2 === 1 }));

const functions = {
  icon,
  link,
  image,
  initial,
  tone,
  textParts,
  clockText: (date: Date): string => `${clock.format(date)} UTC`,
  dateText: (date: Date): string => `${short.format(date)} UTC`,
  timeText: (date: Date): string => `${full.format(date)} UTC`,
  dayText: (date: Date): string => day.format(date),
};
const names = [...Object.keys(functions), 'model', 'page', 'context', 'site', 'asset'];

/**
 * Compiles the views and returns the function that renders them: the page first, then `layout.ejs` around it.
 * Views see the names of {@link functions}, their model and nothing else; request data never reaches their scope.
 * @param options.cache false reads the files anew for each page, for work on them
 */
export function createRenderer(options: {
  readonly viewsDir: string;
  readonly cache: boolean;
  readonly assets: Assets;
  readonly site?: Site;
}): Render {
  const { viewsDir, cache, assets, site = { name: 'Sallyport' } } = options;
  const compiled = new Map<string, TemplateFunction>();

  function template(view: string): TemplateFunction {
    const known = compiled.get(view);
    if (known) return known;
    const filename = join(viewsDir, `${view}.ejs`);
    const made = ejs.compile(readFileSync(filename, 'utf8'), {
      filename,
      cache,
      strict: true,
      destructuredLocals: names,
      rmWhitespace: false,
    });
    if (cache) compiled.set(view, made);
    return made;
  }

  return (name, model, { requestId, csrfToken, lang = 'en', dir = 'ltr' }) => {
    const page: Frame = { name, title: '', invalid: false, wide: false, shell: undefined };
    const context = { requestId, csrfToken, lang, dir };
    const locals = { ...functions, model, page, context, site, asset: assets.url };
    const body = template(views[name])(locals);
    return template('layout')({ ...locals, body });
  };
}
