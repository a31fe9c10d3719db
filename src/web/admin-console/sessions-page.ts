import type Router from '@koa/router';
import type { Context } from 'koa';
import type { Account, Accounts } from '../../accounts/index.ts';
import type { BackChannel, LogoutDelivery } from '../../back-channel/index.ts';
import type { Clients } from '../../clients/index.ts';
import type { Sessions } from '../../sessions/index.ts';
import { type AccountId, asAccountId } from '../../shared/ids.ts';
import { readSessions, type SessionSources } from '../account-console/sessions-devices.ts';
import type { ConsoleGuard } from '../console/console-guard.ts';
import type { ConsoleShell } from '../console-models.ts';
import type { FormGuard, PageWriter } from '../page-writer.ts';
import { metaOf } from '../request-meta.ts';
import type { AdminSessionsPage } from './sessions-page-model.ts';

/** What the page of sessions is made of. */
export interface SessionsPageNeeds extends SessionSources {
  readonly guard: ConsoleGuard;
  readonly pages: PageWriter;
  readonly forms: FormGuard;
  readonly accounts: Pick<Accounts, 'find' | 'findByLogin'>;
  readonly clients: Pick<Clients, 'find'>;
  readonly sessions: Pick<Sessions, 'list' | 'end' | 'endAll'>;
  readonly backChannel: Pick<BackChannel, 'list'>;
  /** Seconds that the sign-in behind an end may be old. */
  readonly freshSeconds: number;
}

export const sessionsPath = '/admin/sessions';
const shownLogouts = 25;

const notices: Readonly<Record<string, string>> = {
  ended: 'That session has ended, and its tokens with it.',
  over: 'That session had ended already.',
  all: 'This account is signed out everywhere, and its tokens are revoked.',
};

const statuses: Readonly<
  Record<LogoutDelivery['status'], Pick<AdminSessionsPage['logouts'][number], 'text' | 'tone'>>
> = {
  pending: { text: 'Waiting', tone: 'warn' },
  delivered: { text: 'Told', tone: 'ok' },
  failed: { text: 'Failed', tone: 'danger' },
  superseded: { text: 'Not needed', tone: 'plain' },
};

const textOf = (value: unknown): string => (typeof value === 'string' ? value.trim().slice(0, 320) : '');

async function findPerson({ accounts }: SessionsPageNeeds, q: string): Promise<Account | undefined> {
  if (q === '') return undefined;
  return (await accounts.findByLogin(q)) ?? (await accounts.find(asAccountId(q)));
}

const personOf = async (needs: SessionsPageNeeds, account: Account): Promise<AdminSessionsPage['person']> => ({
  name: account.profile.name ?? account.username ?? account.email,
  id: account.id,
  sessions: await readSessions(needs, account.id, ''),
});

async function logoutsOf(needs: SessionsPageNeeds, accountId?: AccountId): Promise<AdminSessionsPage['logouts']> {
  const found = await needs.backChannel.list({ limit: shownLogouts, ...(accountId !== undefined && { accountId }) });
  return Promise.all(
    found.map(async ({ id, clientId, createdAt, status, attempts, error }) => ({
      id,
      app: (await needs.clients.find(clientId))?.name ?? clientId,
      at: new Date(createdAt),
      ...statuses[status],
      tries: attempts,
      ...(status !== 'delivered' && error !== undefined && { error }),
    })),
  );
}

async function show(needs: SessionsPageNeeds, ctx: Context, shell: ConsoleShell): Promise<void> {
  const q = textOf(ctx.query.q);
  const { done } = ctx.query;
  const account = await findPerson(needs, q);
  const person = account && (await personOf(needs, account));
  await needs.pages.show(ctx, 'admin-sessions', {
    shell,
    q,
    done: typeof done === 'string' && Object.hasOwn(notices, done) ? notices[done] : undefined,
    ...(person && { person }),
    logouts: await logoutsOf(needs, account?.id),
  });
}

/** Ends one session of an account or all. It wants a recent sign-in, as everything does that signs somebody out. */
async function end(needs: SessionsPageNeeds, ctx: Context, admin: Account): Promise<void> {
  const form = await needs.forms.read(ctx);
  const [user, session] = [textOf(form.get('user')), textOf(form.get('session'))];
  const by = { kind: 'account', id: admin.id } as const;
  const account = await needs.accounts.find(asAccountId(user));
  let done = 'over';
  if (account && session !== '') {
    const options = { owner: account.id, meta: metaOf(ctx) };
    if (await needs.sessions.end(session, by, 'ended', options)) done = 'ended';
  } else if (account && form.get('action') === 'all') {
    await needs.sessions.endAll(account.id, by, 'ended-all', metaOf(ctx));
    done = 'all';
  }
  ctx.status = 303;
  ctx.redirect(`${sessionsPath}?${new URLSearchParams({ ...(account && { q: account.id }), done })}`);
}

/** Puts the page of sessions on the router of the admin console. */
export function addSessionsPage(
  router: Router,
  needs: SessionsPageNeeds,
  shell: (account: Account) => ConsoleShell,
): void {
  const { guard, freshSeconds } = needs;
  router.get(
    'admin-sessions',
    sessionsPath,
    guard({ home: sessionsPath, role: 'admin' }, (ctx, { account }) => show(needs, ctx, shell(account))),
  );
  router.post(
    sessionsPath,
    guard({ home: sessionsPath, role: 'admin', maxAge: freshSeconds }, (ctx, { account }) => end(needs, ctx, account)),
  );
}
