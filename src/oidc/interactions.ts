import type { Context } from 'koa';
import { errors, type InteractionResults, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import type { Permissions } from '../consents/index.ts';
import { AppError } from '../shared/errors.ts';
import { unhurried } from '../storage/redis.ts';
import { demandsSecondFactor } from './authentication-context.ts';
import { scopesOfClaims } from './claims-parameter.ts';
import { applyPermissions } from './grants.ts';
import { hintedSubject } from './id-token-hint.ts';
import { answerFor, expired, type FormMark, type KeptAnswer, keepAnswer } from './interaction-answers.ts';
import { browserMark, mayResumeHere, type ResumeParts, resumeHere } from './resume-here.ts';
import { interactionPath, isInteractionUid } from './routes.ts';
import type { SessionStanding } from './session-standing.ts';

/** Who is signed in to this browser already, as the protocol session knows it. */
export interface BrowserSession {
  readonly uid: string;
  readonly accountId: string;
  readonly amr: readonly string[];
  readonly acr?: string;
  /** Seconds since the epoch. */
  readonly authTime?: number;
}

/** What an app asked for and what is still missing; the port of the sign-in pages to the protocol. */
export interface Interaction {
  readonly uid: string;
  readonly clientId: string;
  readonly redirectUri?: string;
  /** When the app asked; milliseconds since the epoch. */
  readonly startedAt: number;
  readonly prompt: 'login' | 'consent' | 'select_account' | 'other';
  readonly loginHint?: string;
  readonly session?: BrowserSession;
  /** The account of an `id_token_hint`, which alone may sign in here. */
  readonly hintedAccountId?: string;
  readonly demandsSecondFactor: boolean;
  /** The session is too old for this request, or the app wants to see the person again: it proves nothing here. */
  readonly sessionIsStale: boolean;
  /** Resource identifiers that the request names (RFC 8707). */
  readonly resources: readonly string[];
  /** Authentication older than this does not count; seconds since the epoch. */
  readonly freshAfter?: number;
  /** What consent is asked for and was not granted to this app in this session yet. */
  readonly missing: Permissions;
  /** Scopes of the whole request, those of its single claims included; scopes of APIs among them. */
  readonly requestedScopes: readonly string[];
  readonly offlineAccess: boolean;
  /** Where the browser goes on, when this interaction has its answer already and only the redirect was lost. */
  readonly answered?: KeptAnswer;
  /** It began with this very request: nobody can have done anything in it. */
  readonly isNew?: true;
}

export interface SignInResult {
  readonly accountId: string;
  readonly amr: readonly string[];
  readonly acr: string;
  readonly authTime: number;
  /** Keep the session after the browser closes. */
  readonly remember: boolean;
  /** Handle of the session that it opened. */
  readonly session: string;
}

export interface Interactions {
  /** @throws AppError `expired` when the sign-in is over, unknown, or another browser's. */
  get(ctx: Context, uid: string, form?: FormMark): Promise<Interaction>;
  /** The interaction that this request began, for whose page the response sends the browser away. */
  begun(ctx: Context): Promise<Interaction | undefined>;
  /** For pages beside a sign-in, which its cookie does not reach: what they may lead back to, while it waits. */
  look(uid: string): Promise<{ readonly clientId: string; readonly redirectUri?: string } | undefined>;
  /**
   * Ends a sign-in. Returns the URL that continues the authorization request, or undefined when this request went on with
   * it: then the response is what the app is sent. `get` comes before, in the same request.
   */
  finishSignIn(ctx: Context, result: SignInResult): Promise<string | undefined>;
  /** Keeps that response, of a request that went on, for a moment, in case the same form is sent once more. Never fails. */
  keepAnswer(ctx: Context, form: FormMark): Promise<void>;
  /** Each other finish returns the URL that continues the authorization request; the interaction ends there. */
  finishSelectAccount(ctx: Context): Promise<string>;
  finishConsent(ctx: Context, permissions: Permissions): Promise<string>;
  /** Whether this is the first answer to this interaction. Two answers at the same moment cannot both be. */
  claimAnswer(ctx: Context): Promise<boolean>;
  /** The person said no: the app gets `access_denied` (RFC 6749 §4.1.2.1). */
  refuse(ctx: Context, description: string): Promise<string>;
}

type Details = Awaited<ReturnType<Provider['interactionDetails']>>;

const listOf = (value: unknown): string[] =>
  typeof value === 'string'
    ? [value]
    : Array.isArray(value)
      ? value.filter((item): item is string => typeof item === 'string')
      : [];

function missingPermissions(details: Details): Permissions {
  const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = details.prompt.details as {
    missingOIDCScope?: string[];
    missingOIDCClaims?: string[];
    missingResourceScopes?: Record<string, string[]>;
  };
  return { scopes: missingOIDCScope ?? [], claims: missingOIDCClaims ?? [], resources: missingResourceScopes ?? {} };
}

function requestedScopes({ params }: Details): string[] {
  const named = typeof params.claims === 'string' ? (JSON.parse(params.claims) as Record<string, object | null>) : {};
  const claims = [...Object.keys(named.userinfo ?? {}), ...Object.keys(named.id_token ?? {})];
  const scopes = String(params.scope ?? '')
    .split(' ')
    .filter((scope) => scope !== '');
  return [...new Set([...scopes, ...scopesOfClaims(claims)])];
}

function freshAfter(details: Details): number | undefined {
  const startedAt = details.iat;
  if (listOf(String(details.params.prompt ?? '').split(' ')).includes('login')) return startedAt;
  const maxAge = details.params.max_age;
  if (typeof maxAge !== 'number' && typeof maxAge !== 'string') return undefined;
  return startedAt - Number(maxAge);
}

async function browserSession(
  { provider, ctx, standing }: Looking,
  { session: begun, params, prompt }: Details,
): Promise<BrowserSession | undefined> {
  // While accounts change, the library takes the uid of the one that leaves out of the interaction.
  if (!begun?.accountId || !begun.uid || prompt.reasons.includes('account_gone')) return undefined;
  const session = await provider.Session.findByUid(begun.uid);
  if (session?.accountId !== begun.accountId) return undefined;
  const { uid, accountId, amr = [], acr, loginTs } = session;
  const signedIn = { uid, accountId, loginTs };
  // A stale one only says whom to ask for; with another one somebody goes on.
  const isGood = isStale(prompt)
    ? !standing.wasEnded(signedIn)
    : await standing.proves(signedIn, String(params.client_id), ctx);
  if (!isGood) return undefined;
  return {
    uid,
    accountId,
    amr,
    ...(acr !== undefined && { acr }),
    ...(loginTs !== undefined && { authTime: loginTs }),
  };
}

function hintedAccount(details: Details): string | undefined {
  const { sub } = details.prompt.details as { sub?: { value?: unknown } };
  // From the request, as it is: no account has any other kind of id.
  if (sub?.value) return typeof sub.value === 'string' && /^[\w-]{1,100}$/.test(sub.value) ? sub.value : 'nobody';
  return hintedSubject(details.params);
}

const staleReasons = new Set([
  'account_gone',
  'session_idle',
  'login_prompt',
  'max_age',
  'max_age_zero',
  'id_token_hint',
  'hinted_subject',
  'claims_id_token_sub_value',
]);
const isStale = ({ reasons }: Details['prompt']): boolean => reasons.some((reason) => staleReasons.has(reason));
const knownPrompts = new Set(['login', 'consent', 'select_account']);

/** Who looks at an interaction, and with what. */
interface Looking {
  readonly provider: Provider;
  readonly ctx: Context;
  readonly standing: SessionStanding;
}

async function describe(looking: Looking, details: Details, answered?: KeptAnswer): Promise<Interaction> {
  const { params, prompt } = details;
  const session = await browserSession(looking, details);
  const fresh = freshAfter(details);
  const hinted = hintedAccount(details);
  return {
    uid: details.uid,
    clientId: String(params.client_id),
    startedAt: details.iat * 1000,
    prompt: (knownPrompts.has(prompt.name) ? prompt.name : 'other') as Interaction['prompt'],
    demandsSecondFactor: demandsSecondFactor(params) || prompt.reasons.includes('second_factor'),
    sessionIsStale: isStale(prompt),
    resources: listOf(params.resource),
    missing: missingPermissions(details),
    requestedScopes: requestedScopes(details),
    offlineAccess: String(params.scope ?? '')
      .split(' ')
      .includes('offline_access'),
    ...(typeof params.redirect_uri === 'string' && { redirectUri: params.redirect_uri }),
    ...(typeof params.login_hint === 'string' && { loginHint: params.login_hint }),
    ...(session && { session }),
    ...(answered !== undefined && { answered }),
    ...(hinted !== undefined && { hintedAccountId: hinted }),
    ...(fresh !== undefined && { freshAfter: fresh }),
  };
}

/** Builds the port. `current` is asked each time, because a key rotation replaces the provider. */
export function createInteractions(
  current: () => Provider,
  onward: ResumeParts,
  standing: SessionStanding,
): Interactions {
  const looking = (ctx: Context): Looking => ({ provider: current(), ctx, standing });
  const read = new WeakMap<object, Details>();
  const load = async (ctx: Context): Promise<Details> => {
    try {
      const details = await current().interactionDetails(ctx.req, ctx.res);
      read.set(ctx.req, details);
      return details;
    } catch (error) {
      if (!(error instanceof errors.SessionNotFound)) throw error;
      throw new AppError(
        'expired',
        'This sign-in has expired. Nothing is lost: start again from the app.',
        { reason: error.error_description ?? error.message },
        error,
      );
    }
  };
  const finish = (ctx: Context, result: InteractionResults, merge = true): Promise<string> =>
    current().interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: merge });

  const finishSignIn = async (
    ctx: Context,
    login: NonNullable<InteractionResults['login']>,
  ): Promise<string | undefined> => {
    const result = { select_account: {}, login: { ...login, browser: browserMark(ctx, onward.secureCookies) } };
    const details = read.get(ctx.req);
    // The library would read it again; the sign-in that was ended for this answer lets no other one come in between.
    // With a session it does, because somebody else may have signed in there meanwhile.
    if (!details || details.session?.uid) return finish(ctx, result);
    details.result = { ...details.lastSubmission, ...result };
    if (mayResumeHere(current(), ctx, details)) {
      await resumeHere(current(), ctx, details, onward);
      return undefined;
    }
    await details.persist();
    return details.returnTo;
  };

  return {
    async get(ctx, uid, form) {
      const details = await load(ctx);
      if (details.uid !== uid) throw expired();
      return describe(looking(ctx), details, answerFor(ctx, details, form));
    },
    async begun(ctx) {
      const details = (ctx as unknown as Partial<KoaContextWithOIDC>).oidc?.entities.Interaction;
      if (!details || ctx.response.get('location') !== interactionPath(details.uid)) return undefined;
      details.iat ??= Math.floor(Date.now() / 1000);
      return { ...(await describe(looking(ctx), details)), isNew: true };
    },
    async look(uid) {
      const details = isInteractionUid(uid) ? await current().Interaction.find(uid) : undefined;
      if (!details || details.result) return undefined;
      const { client_id: clientId, redirect_uri: redirectUri } = details.params;
      return { clientId: String(clientId), ...(typeof redirectUri === 'string' && { redirectUri }) };
    },
    finishSignIn: (ctx, { accountId, amr, acr, authTime, remember, session }) =>
      finishSignIn(ctx, { accountId, amr: [...amr], acr, ts: authTime, remember, session }),
    async keepAnswer(ctx, form) {
      const details = read.get(ctx.req);
      if (details)
        await unhurried(() => keepAnswer(ctx, details, form)).catch((error: unknown) => onward.onLost(error));
    },
    finishSelectAccount: (ctx) => finish(ctx, { select_account: {} }),
    async finishConsent(ctx, permissions) {
      const details = await load(ctx);
      const { Grant } = current();
      const accountId = details.session?.accountId;
      const clientId = String(details.params.client_id);
      if (!accountId) throw expired();
      const existing = details.grantId ? await Grant.find(details.grantId) : undefined;
      const grant =
        existing && existing.accountId === accountId && existing.clientId === clientId
          ? existing
          : new Grant({ accountId, clientId });
      applyPermissions(grant, permissions);
      return finish(ctx, { consent: { grantId: await grant.save() } });
    },
    async claimAnswer(ctx) {
      const { uid, exp } = await load(ctx);
      return current()
        .ReplayDetection.unique('interaction', uid, exp)
        .catch((error: unknown) => {
          if (error instanceof errors.InvalidRequest) return false;
          throw error;
        });
    },
    refuse: (ctx, description) => finish(ctx, { error: 'access_denied', error_description: description }, false),
  };
}
