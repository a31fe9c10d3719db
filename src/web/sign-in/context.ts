import type { Context } from 'koa';
import type { Accounts } from '../../accounts/index.ts';
import type { Apis } from '../../apis/index.ts';
import type { AuditLog } from '../../audit/index.ts';
import type { Client, Clients } from '../../clients/index.ts';
import type { Consents } from '../../consents/index.ts';
import type { Devices } from '../../devices/index.ts';
import type { BrowserSessions, Interaction, Interactions } from '../../oidc/index.ts';
import type { Passkeys } from '../../passkeys/index.ts';
import type { RegistrationPolicy } from '../../registration/index.ts';
import type { Sessions } from '../../sessions/index.ts';
import { AppError } from '../../shared/errors.ts';
import { asAccountId } from '../../shared/ids.ts';
import {
  type Evidence,
  type FlowView,
  type NewSignIn,
  type Requirement,
  readEvidence,
  type SignIn,
} from '../../sign-in/index.ts';
import type { EntryLimits } from '../account-entry/entry-limits.ts';
import { appCard } from '../app-card.ts';
import type { DeviceCookie } from '../device-cookie.ts';
import type { AppIdentity } from '../page-models.ts';
import type { FormGuard, PageWriter } from '../page-writer.ts';
import type { AttemptLimits } from './attempt-limits.ts';

/** What the sign-in pages are made of. */
export interface SignInSurface {
  readonly interactions: Interactions;
  readonly signIn: SignIn;
  readonly accounts: Pick<Accounts, 'find'>;
  readonly clients: Pick<Clients, 'find'>;
  readonly apis: Pick<Apis, 'find'>;
  readonly consents: Consents;
  readonly audit: AuditLog;
  /** Whether an account can be made by whoever has none. */
  readonly registration: { readonly policy: Pick<RegistrationPolicy, 'mode'> };
  readonly pages: PageWriter;
  readonly forms: FormGuard;
  readonly limits: AttemptLimits;
  /** Bounds the mails that one address asks for, here and on the pages beside the sign-in. */
  readonly mails: Pick<EntryLimits, 'mail'>;
  /** Demo users to offer on the login page; development only. */
  readonly demoAccounts: () => readonly { username: string; password: string; note: string }[];
  readonly secureCookies: boolean;
  readonly sessions: Pick<Sessions, 'open' | 'handleOf'>;
  readonly devices: Pick<Devices, 'seen' | 'remember' | 'rememberDays'>;
  readonly passkeys: Pick<Passkeys, 'unknownSignal'>;
  readonly deviceCookie: DeviceCookie;
  readonly browserSessions: Pick<BrowserSessions, 'current'>;
  /** Does what a request of the protocol would, as one whole: all that is written in it is kept, or nothing. */
  readonly asProtocol: (ctx: Context, work: () => Promise<void>) => Promise<void>;
}

/** One browser's step through one interaction. */
export interface Visit {
  readonly ctx: Context;
  readonly interaction: Interaction;
  readonly client: Client;
  readonly base: string;
}

/** The browser's earlier sign-in as evidence; the sign-in domain decides what it is still worth. */
export function sessionEvidence(interaction: Interaction): Evidence | undefined {
  const { session } = interaction;
  if (session?.authTime === undefined || interaction.sessionIsStale) return undefined;
  return { ...readEvidence(asAccountId(session.accountId), session.amr, session.authTime), session: session.uid };
}

/** What this interaction asks of a sign-in: the request, the client and the APIs together. */
export async function requirementOf(
  surface: SignInSurface,
  { interaction, client }: Pick<Visit, 'interaction' | 'client'>,
): Promise<Requirement> {
  const apis = await Promise.all(interaction.resources.map((identifier) => surface.apis.find(identifier)));
  const secondFactor =
    interaction.demandsSecondFactor ||
    client.requireSecondFactor ||
    apis.some((api) => api?.requireSecondFactor === true);
  return {
    secondFactor,
    ...(interaction.freshAfter !== undefined && { freshAfter: interaction.freshAfter }),
    ...(interaction.hintedAccountId !== undefined && { accountId: asAccountId(interaction.hintedAccountId) }),
  };
}

/** What the flow of this interaction starts with. */
export async function startOf(surface: SignInSurface, visit: Visit): Promise<NewSignIn> {
  const { interaction, client } = visit;
  const session = sessionEvidence(interaction);
  return {
    clientId: client.id,
    requirement: await requirementOf(surface, visit),
    startedAt: interaction.startedAt,
    ...(interaction.isNew && { isNew: true }),
    ...(interaction.loginHint !== undefined && { loginHint: interaction.loginHint }),
    ...(session && { session }),
  };
}

/** Finds the flow of this interaction where it was left, or where it starts. */
export const openFlow = async (surface: SignInSurface, visit: Visit): Promise<FlowView> =>
  surface.signIn.look(visit.interaction.uid, await startOf(surface, visit));

/** Reads the interaction that the URL names and the cookie proves. @throws AppError `expired`. */
export async function visitOf(surface: SignInSurface, ctx: Context): Promise<Visit> {
  const { interactions, forms } = surface;
  return visitTo(surface, ctx, await interactions.get(ctx, String(ctx.params.uid), forms.markOf));
}

/** @throws AppError `expired` when the app may not sign people in any more. */
export async function visitTo(surface: SignInSurface, ctx: Context, interaction: Interaction): Promise<Visit> {
  const client = await surface.clients.find(interaction.clientId);
  if (!client || client.disabled)
    throw new AppError('expired', 'This app may not sign people in any more. Go back to it and ask its owner.');
  return { ctx, interaction, client, base: `/sign-in/${interaction.uid}` };
}

/** The app of this visit. It has no domain when no browser goes back to it, because a device waits for the answer. */
export function appOf({ client, interaction }: Visit): AppIdentity {
  const { domain, ...app } = appCard(client, interaction.redirectUri);
  return interaction.redirectUri === undefined || domain === undefined ? app : { ...app, domain };
}

/** Back to the app, which is told that the person cancelled (RFC 6749 §4.1.2.1). */
export async function leave(surface: SignInSurface, { ctx }: Visit): Promise<void> {
  seeOther(ctx, await surface.interactions.refuse(ctx, 'The person cancelled the sign-in.'));
}

/** Redirects with 303, so that a browser never repeats a post (RFC 9700 §4.12). */
export function seeOther(ctx: Context, location: string): void {
  ctx.status = 303;
  ctx.set('location', location);
  ctx.body = '';
}

/** Shorter pauses are over before somebody has read a time of day. Milliseconds. */
const worthATime = 60_000;

/**
 * Says in `Retry-After` when the next try is looked at. Returns that time for the page, and undefined when it is in a
 * moment.
 */
export function announcePause(ctx: Context, retryAt: number | undefined): Date | undefined {
  if (retryAt === undefined) return undefined;
  const wait = retryAt - Date.now();
  ctx.set('retry-after', String(Math.max(1, Math.ceil(wait / 1000))));
  return wait >= worthATime ? new Date(retryAt) : undefined;
}
