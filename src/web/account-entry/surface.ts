import type { Context } from 'koa';
import type { Clients } from '../../clients/index.ts';
import type { PasswordPolicy } from '../../credentials/index.ts';
import { type Interactions, interactionPath, isInteractionUid } from '../../oidc/index.ts';
import type { Recovery } from '../../recovery/index.ts';
import type { Registration } from '../../registration/index.ts';
import type { EntryPageModels, NextStop } from '../entry-models.ts';
import type { Form } from '../http/form.ts';
import type { FormGuard, PageWriter } from '../page-writer.ts';
import type { AttemptLimits } from '../sign-in/attempt-limits.ts';
import type { EntryCookie } from './entry-cookie.ts';
import type { EntryLimits } from './entry-limits.ts';
import type { LinkToken } from './link-token.ts';

/** What the pages around an account are made of. */
export interface EntrySurface {
  readonly registration: Registration;
  readonly recovery: Recovery;
  readonly passwordPolicy: Pick<PasswordPolicy, 'rulesFor'>;
  readonly interactions: Pick<Interactions, 'look'>;
  readonly clients: Pick<Clients, 'find'>;
  readonly pages: PageWriter;
  readonly forms: FormGuard;
  readonly limits: EntryLimits;
  readonly attempts: Pick<AttemptLimits, 'forget'>;
  readonly cookie: EntryCookie;
  readonly link: LinkToken;
}

/** A page at a path of its own. */
export interface EntryRoute {
  readonly path: string;
  show(surface: EntrySurface, ctx: Context): Promise<void>;
  /** The form came from a page of ours. */
  submit(surface: EntrySurface, ctx: Context, form: Form): Promise<void>;
}

export const entryPaths = {
  register: '/account/register',
  invitation: '/account/invitation',
  checkMail: '/account/check-mail',
  verifyEmail: '/account/verify-email',
  forgotPassword: '/account/forgot-password',
  resetPassword: '/account/reset-password',
  confirmEmail: '/account/confirm-email',
  recover: '/account/recover',
} as const;

/** The uid of a sign-in that was carried along. Anything else, an address above all, is none. */
export const signInOf = (value: unknown): string | undefined =>
  typeof value === 'string' && isInteractionUid(value) ? value : undefined;

/** Where the person goes on: to the app whose sign-in waits in this browser, or to the front page. */
export async function nextStop({ interactions, clients }: EntrySurface, signIn: string | undefined): Promise<NextStop> {
  const waiting = signIn === undefined ? undefined : await interactions.look(signIn);
  const client = waiting && (await clients.find(waiting.clientId));
  if (signIn === undefined || !client || client.disabled) return { href: '/' };
  return { href: interactionPath(signIn), name: client.name };
}

/** The sign-in of this browser: the page behind a link in a mail knows it by its cookie only. */
export const rememberedSignIn = ({ cookie }: EntrySurface, ctx: Context): string | undefined =>
  signInOf(cookie.read(ctx)?.signIn);

type LinkPageName = 'invitation' | 'verify-email' | 'reset-password' | 'confirm-email' | 'recover';

/** The state of a page without a good link, with the status that fits: the link was cut, or it is over (RFC 9110 §15.5.11). */
export const deadLink = (token: string | undefined) =>
  token === undefined || token === ''
    ? ({ state: 'missing', status: 400 } as const)
    : ({ state: 'expired', status: 410 } as const);

/** Shows a page behind a link, with where to go on from there. */
export async function showLinkPage<Name extends LinkPageName>(
  surface: EntrySurface,
  ctx: Context,
  page: Name,
  model: Omit<EntryPageModels[Name], 'next'>,
  status = 200,
): Promise<void> {
  const next = await nextStop(surface, rememberedSignIn(surface, ctx));
  await surface.pages.show(ctx, page, { ...model, next } as EntryPageModels[Name] as never, status);
}

/** A route whose GET with a token keeps it and comes back without it, and that says what became of the link. */
export function linkRoute(
  page: LinkPageName,
  path: string,
  show: (surface: EntrySurface, ctx: Context, token: string | undefined) => Promise<void>,
  submit: (surface: EntrySurface, ctx: Context, form: Form) => Promise<void>,
): EntryRoute {
  return {
    path,
    async show(surface, ctx) {
      const { token: given } = ctx.query;
      if (given !== undefined) return surface.link.take(ctx, given, path);
      const { token, done } = surface.link.read(ctx);
      // Signed, so nothing but what was put there.
      if (done) return showLinkPage(surface, ctx, page, done as never);
      return show(surface, ctx, token);
    },
    submit,
  };
}
