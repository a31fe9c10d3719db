import { interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import { noteAuditSession } from '../audit/index.ts';
import { asAccountId } from '../shared/ids.ts';
import { demandsSecondFactor, satisfies } from './authentication-context.ts';
import type { OidcDomains } from './domains.ts';
import { accessEnded } from './find-account.ts';
import { hintedSubject } from './id-token-hint.ts';
import { resumesHere } from './resume-here.ts';
import type { SessionRegistry } from './session-registry.ts';
import { isTooQuiet } from './session-standing.ts';

const { Check, Prompt, base } = interactionPolicy;

/** What a sign-in may show of what its own account wants beside the first door, be it less than two factors. */
const ownWish = ['otp', 'backup_code', 'hwk', 'swk', 'user', 'remembered_device'] as const;

/** A mailed code does where everybody may prefer it; else for those only who have nothing better. */
const metOwnWish = (amr: readonly string[], { mailedStep }: OidcDomains): boolean =>
  ownWish.some((name) => amr.includes(name)) ||
  (mailedStep === 'alternative' && amr.includes('pwd') && amr.includes('email'));

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Whether this request, its client, its APIs or the account itself ask for a second factor. */
export async function needsSecondFactor(ctx: KoaContextWithOIDC, domains: OidcDomains): Promise<boolean> {
  const { client, params, result, session, resourceServers } = ctx.oidc;
  if (demandsSecondFactor(params ?? {}) || client?.require_second_factor === true) return true;
  for (const identifier of Object.keys(resourceServers ?? {})) {
    if ((await domains.apis.find(identifier))?.requireSecondFactor) return true;
  }
  if (!session?.accountId || metOwnWish(result?.login?.amr ?? session.amr ?? [], domains)) return false;
  // A sign-in that ended in this very request has looked at what its account has.
  return !resumesHere(ctx) && (await domains.hasSecondFactor(asAccountId(session.accountId)));
}

/**
 * When a browser must come to our pages: the library's own checks, an account chooser on `prompt=select_account`, a
 * second factor wherever one is due, and an account that may no longer sign in.
 */
export function createInteractionPolicy(
  domains: OidcDomains,
  registry: Pick<SessionRegistry, 'isOver'>,
): ReturnType<typeof base> {
  const policy = base();
  // The library runs the checks of a prompt at once, and the last one of ours notes a use of the session.
  const looked = new WeakMap<object, Promise<boolean>>();
  const isQuiet = (ctx: KoaContextWithOIDC): Promise<boolean> => {
    const known = looked.get(ctx);
    if (known) return known;
    const { client, session, result } = ctx.oidc;
    const look = client && session?.accountId && !result?.login;
    const found = look ? isTooQuiet(domains, session.uid, client.clientId, ctx) : Promise.resolve(false);
    looked.set(ctx, found);
    return found;
  };
  policy.add(new Prompt({ name: 'select_account', requestable: true }), 0);
  const login = policy.get('login');
  login?.checks.add(
    new Check('second_factor', 'a second factor is required', 'login_required', async (ctx) => {
      const { session, result } = ctx.oidc;
      const acr = result?.login?.acr ?? session?.acr;
      if (!session?.accountId || satisfies(acr, 'aal2')) return Check.NO_NEED_TO_PROMPT;
      return (await needsSecondFactor(ctx, domains)) ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT;
    }),
  );
  login?.checks.add(
    // The library compares the two when the request comes, and not again when somebody has signed in for it.
    new Check('hinted_subject', 'id_token_hint and authenticated subject do not match', 'login_required', (ctx) => {
      const { params, session } = ctx.oidc;
      const wanted = session?.accountId && hintedSubject(params);
      return !wanted || wanted === session.accountId ? Check.NO_NEED_TO_PROMPT : Check.REQUEST_PROMPT;
    }),
  );
  login?.checks.add(
    // `max_age=0` asks for a sign-in now; the library would let one of this very second pass.
    new Check('max_age_zero', 'authentication must be fresh', 'login_required', (ctx) => {
      const { params, result } = ctx.oidc;
      return Number(params?.max_age ?? 1) === 0 && !result?.login ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT;
    }),
  );
  login?.checks.add(
    new Check('session_idle', 'the session was not used for too long', 'login_required', async (ctx) =>
      (await isQuiet(ctx)) ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
    ),
  );
  login?.checks.add(
    new Check('account_gone', 'the account may not sign in', 'login_required', async (ctx) => {
      const { session, result } = ctx.oidc;
      // Who is too quiet for this app has to sign in anyhow; that this was asked is no use of the session.
      if (!session?.accountId || (await isQuiet(ctx))) return Check.NO_NEED_TO_PROMPT;
      const account = await domains.accounts.find(asAccountId(session.accountId));
      // A sign-in says which session it opened; the browser is tied to it when this request ends.
      if (result?.login) noteAuditSession(textOf(result.login.session));
      const live =
        account &&
        domains.mayUseTokens(account) &&
        !accessEnded(domains, session.accountId, session.loginTs ?? 0) &&
        // Whoever proved a moment ago who they are has a session that is only about to be bound.
        (result?.login !== undefined || !(await registry.isOver(session, ctx)));
      if (live && !result?.login) noteAuditSession(await domains.sessions.handleOf({ uid: session.uid }));
      return live ? Check.NO_NEED_TO_PROMPT : Check.REQUEST_PROMPT;
    }),
  );
  return policy;
}
