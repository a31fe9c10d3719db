import type { BrowserSessions, SessionProof } from '../oidc/index.ts';
import { type Clock, epochSeconds } from '../shared/clock.ts';
import type { AccountId } from '../shared/ids.ts';
import { describeEvidence, type Evidence, type Proof, readEvidence, withProof } from '../sign-in/index.ts';
import type { Database } from '../storage/database.ts';
import type { RenewProof, SecuritySurface } from '../web/account-console/security-surface.ts';
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

/** What a session proves after this: the same rule says what it comes to as in a sign-in. */
function provenNow(
  { accountId, amr, authTime }: SessionProof & { readonly accountId: AccountId },
  proof: RenewProof,
  now: number,
): Evidence {
  // Of the second in which everything was ended all is over as well; and so are the factors that were shown before.
  if ('after' in proof)
    return withProof(undefined, accountId, { method: 'pwd', at: Math.floor(proof.after / 1000) + 1 });
  const { secondFactor } = proof;
  const before = readEvidence(accountId, amr, authTime);
  // Making a second passkey shows less than the first one did.
  if (secondFactor !== 'otp' && before.methods.some(({ method }) => method === 'passkey')) return before;
  // It says nothing about who they are, so the session becomes no fresher.
  const at = Math.min(now, authTime);
  const made: Proof =
    secondFactor === 'otp'
      ? { method: 'otp', at }
      : // That it knew the person is asked when it is used.
        { method: 'passkey', at, userVerified: false, synced: secondFactor === 'swk' };
  return withProof(before, accountId, made);
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
    // One unit, so that the session is merged with what was read here and its row follows in the same transaction.
    const renew = (): Promise<void> =>
      sessions.renew(ctx, (before) => describeEvidence(provenNow(before, proof, epochSeconds(clock))));
    await database.unitOfWork(clock.now(), renew, () => true);
  },
  demandingApps: (id) => demandingApps(domains, id),
});
