import type { BrowserSessions } from '../oidc/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { AccountId } from '../shared/ids.ts';
import type { Database } from '../storage/database.ts';
import type { SecuritySurface } from '../web/account-console/security-surface.ts';
import type { PageWriter } from '../web/page-writer.ts';
import type { Domains } from './domains.ts';

interface Needs {
  readonly database: Database;
  readonly domains: Domains;
  readonly sessions: BrowserSessions;
  readonly pages: PageWriter;
  readonly clock: Clock;
}

/** Names of the apps of an account that want a second factor of everybody, or use an API that does. */
async function demandingApps({ apis, clients, consents, sessions }: Domains, id: AccountId): Promise<string[]> {
  const [allowed, open] = await Promise.all([consents.list(id), sessions.list(id)]);
  const clientIds = new Set([
    ...allowed.map(({ clientId }) => clientId),
    ...open.flatMap((session) => session.clientIds),
  ]);
  const demanding = new Set((await apis.list()).filter((api) => api.requireSecondFactor).map((api) => api.identifier));
  const names: string[] = [];
  for (const clientId of clientIds) {
    const client = await clients.find(clientId);
    const permissions = allowed.find((consent) => consent.clientId === clientId);
    const byApi = Object.keys(permissions?.resources ?? {}).some((identifier) => demanding.has(identifier));
    if (client && !client.disabled && (client.requireSecondFactor || byApi)) names.push(client.name);
  }
  return names.sort((one, other) => one.localeCompare(other));
}

/** What the pages about signing in are made of. */
export const securitySurface = ({ database, domains, sessions, pages, clock }: Needs): SecuritySurface => ({
  settings: domains.accountSettings,
  passwordPolicy: domains.passwordPolicy,
  passkeys: domains.passkeys,
  devices: domains.devices,
  sessions: domains.sessions,
  pages,
  clock,
  async renewSession(ctx, proof) {
    // Sign-ins are told in whole seconds, and one of the second in which everything was ended is over as well.
    const renewal =
      'after' in proof
        ? { authTime: Math.floor(proof.after / 1000) + 1 }
        : ({ method: proof.secondFactor, acr: 'aal2' } as const);
    // One unit, so that the session is merged with what was read here and its row follows in the same transaction.
    const renew = (): Promise<void> => sessions.renew(ctx, renewal);
    await database.unitOfWork(clock.now(), renew, () => true);
  },
  demandingApps: (id) => demandingApps(domains, id),
});
