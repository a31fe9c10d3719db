import type { Context } from 'koa';
import { type KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { RevocationCheck } from '../revocation/index.ts';
import type { EndedSession, SessionMeta, SignedInBrowser } from '../sessions/index.ts';
import { type AccountId, asAccountId } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import { atTheEnd } from '../storage/unit-of-work.ts';
import type { BrowserSessions } from './browser-sessions.ts';
import type { SessionPort } from './session-port.ts';

interface RegistryDomains {
  readonly sessions: SessionPort;
  readonly revocations: { isRevokedCached(checks: readonly RevocationCheck[]): boolean };
}

type ProtocolSession = InstanceType<Provider['Session']>;

/** From where a request comes. */
export const metaOf = (ctx: Pick<Context, 'get' | 'state'> | undefined): SessionMeta => ({
  ...(typeof ctx?.state?.ip === 'string' && { ip: ctx.state.ip }),
  ...(ctx && ctx.get('user-agent') !== '' && { userAgent: ctx.get('user-agent').slice(0, 300) }),
  ...(typeof ctx?.state?.requestId === 'string' && { requestId: ctx.state.requestId }),
});

const grantsOf = ({ authorizations = {} }: ProtocolSession): { clientId: string; grantId: string }[] =>
  Object.entries(authorizations).flatMap(([clientId, { grantId }]) => (grantId ? [{ clientId, grantId }] : []));

/** The interaction that this request resumes; its entity may be another one by now, for example the consent that follows. */
const finishedInteraction = (ctx: KoaContextWithOIDC): string | undefined =>
  (ctx as unknown as { params?: { uid?: string } }).params?.uid;

/** Sign-ins and grants that are written down already, so that an app's next request costs nothing. */
class Written {
  readonly #known = new Map<string, { readonly signIn: string; readonly grants: Set<string> }>();

  has(uid: string, signIn: string): boolean {
    return this.#known.get(uid)?.signIn === signIn;
  }

  missing(uid: string, grants: readonly { grantId: string }[]): string[] {
    const known = this.#known.get(uid)?.grants;
    return grants.map(({ grantId }) => grantId).filter((grantId) => !known?.has(grantId));
  }

  add(uid: string, signIn: string, grants: readonly { grantId: string }[]): void {
    const before = this.has(uid, signIn) ? [...(this.#known.get(uid)?.grants ?? [])] : [];
    this.#known.delete(uid);
    this.#known.set(uid, { signIn, grants: new Set([...before, ...grants.map(({ grantId }) => grantId)]) });
    const [oldest] = this.#known.keys();
    if (this.#known.size > 10_000 && oldest !== undefined) this.#known.delete(oldest);
  }

  forget(uid: string): void {
    this.#known.delete(uid);
  }
}

/** Keeps the sessions domain and the protocol's browser sessions in step, both ways. */
export interface SessionRegistry extends Disposable {
  /** Listens to a provider; for each one that is built. */
  attach(provider: Provider): void;
  /** Whether this sign-in of a browser is over. `authTime` in seconds, as `loginTs`. */
  isOver(session: { uid: string; loginTs?: number | undefined }, ctx?: Context | KoaContextWithOIDC): Promise<boolean>;
  /** The same port, without sessions that are over. */
  guard(sessions: BrowserSessions): BrowserSessions;
}

class Registry implements SessionRegistry {
  readonly #current: () => Provider;
  readonly #domains: RegistryDomains;
  readonly #logger: Logger;
  readonly #written = new Written();
  readonly #ours = new WeakSet<object>();
  /** Requests that were told that their session is over: they get a sign-in and nothing of the session. */
  readonly #refused = new WeakSet<object>();
  readonly #stop: () => void;

  constructor(current: () => Provider, domains: RegistryDomains, logger: Logger) {
    this.#current = current;
    this.#domains = domains;
    this.#logger = logger;
    this.#stop = domains.sessions.onEnd((ended) => this.#discard(ended));
  }

  attach(provider: Provider): void {
    provider.on('session.saved', (session) => {
      const { accountId } = session;
      const ctx = Provider.ctx;
      // What is over is not tied again: that would take it from under the sign-in that begins here.
      if (accountId && !(ctx && this.#refused.has(ctx))) this.#enlist(() => this.#saved(session, accountId, ctx));
    });
    provider.on('session.destroyed', (session) => {
      const { accountId, uid } = session;
      if (!accountId || this.#ours.has(session)) return;
      this.#written.forget(uid);
      const by = { kind: 'account', id: accountId } as const;
      const meta = metaOf(Provider.ctx);
      this.#enlist(() => this.#domains.sessions.signOut(uid, by, meta));
    });
  }

  async isOver(
    { uid, loginTs = 0 }: { uid: string; loginTs?: number | undefined },
    ctx?: Context | KoaContextWithOIDC,
  ): Promise<boolean> {
    const { revocations, sessions } = this.#domains;
    const issuedAt = loginTs * 1000;
    const revoked = revocations.isRevokedCached([{ kind: 'session', id: uid, issuedAt }]);
    const standing = revoked ? 'over' : await sessions.touch(uid, issuedAt, metaOf(ctx));
    if (standing !== 'live') this.#written.forget(uid);
    if (standing === 'over' && ctx) this.#refused.add(ctx);
    return standing === 'over';
  }

  guard(sessions: BrowserSessions): BrowserSessions {
    return {
      ...sessions,
      current: async (ctx) => {
        const session = await sessions.current(ctx);
        if (!session || (await this.isOver({ uid: session.uid, loginTs: session.authTime }, ctx))) return undefined;
        const handle = await this.#domains.sessions.handleOf({ uid: session.uid });
        return { ...session, ...(handle !== undefined && { handle }) };
      },
    };
  }

  [Symbol.dispose](): void {
    this.#stop();
  }

  /** Lets the request that is under way wait for it and fail with it. */
  #enlist(work: () => Promise<unknown>): void {
    atTheEnd(work, (error) => this.#logger.error({ err: error }, 'a session could not be written'));
  }

  async #saved(session: ProtocolSession, accountId: string, ctx: KoaContextWithOIDC | undefined): Promise<void> {
    const { sessions } = this.#domains;
    const { uid, loginTs = 0, amr = [], acr } = session;
    const grants = grantsOf(session);
    const signIn = JSON.stringify([accountId, loginTs, acr, amr]);
    if (this.#written.has(uid, signIn)) {
      const missing = this.#written.missing(uid, grants);
      const added = await Promise.all(
        grants.filter(({ grantId }) => missing.includes(grantId)).map((grant) => sessions.addGrant(uid, grant)),
      );
      if (added.every(Boolean)) return this.#written.add(uid, signIn, grants);
    }
    const isSignIn = ctx?.oidc?.result?.login !== undefined;
    // A request that checks nothing, as the account chooser's, must not bring back what is over by its age.
    if (!isSignIn && (await this.isOver({ uid, loginTs }, ctx))) return;
    const flow = isSignIn ? finishedInteraction(ctx) : undefined;
    const browser: SignedInBrowser = {
      uid,
      accountId: asAccountId(accountId) satisfies AccountId,
      flow,
      amr,
      acr,
      authenticatedAt: loginTs * 1000,
      grants,
    };
    const outcome = await sessions.bind(browser, metaOf(ctx));
    if (outcome === 'open') this.#written.add(uid, signIn, grants);
    else this.#written.forget(uid);
  }

  /** Removes the browser's session and every token of its grants. What it misses is revoked all the same. */
  async #discard({ uid, grants }: EndedSession): Promise<void> {
    const provider = this.#current();
    if (uid !== undefined) this.#written.forget(uid);
    for (const { grantId } of grants) {
      // One call is enough: our stores remove every token and code of a grant, of any kind.
      await provider.AccessToken.revokeByGrantId(grantId);
      await provider.Grant.adapter.destroy(grantId);
    }
    const session = uid === undefined ? undefined : await provider.Session.findByUid(uid);
    if (!session) return;
    this.#ours.add(session);
    await session.destroy();
  }
}

/** Makes the registry. `current` is asked each time, because a key rotation replaces the provider. */
export const createSessionRegistry = (
  current: () => Provider,
  domains: RegistryDomains,
  logger: Logger,
): SessionRegistry => new Registry(current, domains, logger);
