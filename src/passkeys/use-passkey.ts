import type { AuditEvent, AuditLog } from '../audit/index.ts';
import type { AuditContext } from '../credentials/index.ts';
import type { Clock } from '../shared/clock.ts';
import { challengeKey } from './begin-ceremony.ts';
import type { Challenge } from './ceremony-store.ts';
import type { StoredPasskey, UsedPasskey } from './passkey.ts';
import type { PasskeyStore } from './passkey-store.ts';
import { readAuthentication } from './read-response.ts';
import type { RelyingParty } from './relying-party.ts';
import { clientRefusal, type Refusal, verifyAuthentication } from './verify-response.ts';

interface Needs {
  readonly store: PasskeyStore;
  readonly clock: Clock;
  readonly audit: AuditLog;
  readonly rp: RelyingParty;
}

type Response = NonNullable<ReturnType<typeof readAuthentication>>;
type Found = NonNullable<Awaited<ReturnType<PasskeyStore['find']>>>;

/** Whose passkey it has to be: the account of the challenge, else the one that the authenticator names itself. */
function ownerRefusal({ json }: Response, challenge: Challenge, { passkey, handle }: Found): Refusal | undefined {
  if (challenge.accountId !== undefined && challenge.accountId !== passkey.accountId) return 'account';
  const { userHandle } = json.response;
  // WebAuthn L3 §7.2, step 6: nobody was named before, so the handle must be there.
  if (userHandle === undefined) return challenge.accountId === undefined ? 'user_handle' : undefined;
  return userHandle === handle ? undefined : 'user_handle';
}

async function record(
  { audit }: Needs,
  { id, accountId, name }: StoredPasskey,
  event: Pick<AuditEvent, 'actor' | 'outcome' | 'details'>,
  context: AuditContext,
): Promise<void> {
  const { actor, outcome, details } = event;
  await audit.record({
    actor,
    ...context,
    type: 'passkey.used',
    outcome,
    subject: accountId,
    details: { passkey: id, name, ...details },
  });
}

/**
 * WebAuthn L3 §7.2, step 22 leaves a counter that did not grow to us. Of a key that cannot be copied it means a copy, so
 * that use is refused and told. Synced passkeys count on several devices that lag behind each other: there it is noted.
 */
async function use(needs: Needs, read: Response, challenge: Challenge, found: Found, context: AuditContext) {
  const { store, clock, rp } = needs;
  const { passkey } = found;
  const refusal = clientRefusal(read.client, 'webauthn.get', rp) ?? ownerRefusal(read, challenge, found);
  if (refusal) return refusal;
  const verified = await verifyAuthentication(read.json, { challenge: read.client.challenge, passkey, rp });
  if (typeof verified === 'string') return verified;
  const { newCounter: signCount, credentialBackedUp: backedUp, userVerified } = verified;
  return store.transaction(async (): Promise<UsedPasskey | Refusal> => {
    if (!(await store.use(passkey.id, { signCount, backedUp, at: clock.now() }))) return 'counter';
    const wentBack = passkey.signCount > 0 && signCount <= passkey.signCount;
    const details = { userVerified, ...(wentBack && { counterWentBack: true }) };
    const actor = { kind: 'account' as const, id: passkey.accountId };
    await record(needs, passkey, { actor, outcome: 'success', details }, context);
    return { accountId: passkey.accountId, passkeyId: passkey.id, userVerified, synced: passkey.backupEligible };
  });
}

/** Who answered a challenge of this binding with a passkey, undefined for everything that proves nothing. */
export async function usePasskey(
  needs: Needs,
  binding: string,
  response: unknown,
  context: AuditContext,
): Promise<UsedPasskey | undefined> {
  const read = readAuthentication(response);
  if (!read) return undefined;
  const { store, clock } = needs;
  const key = challengeKey('get', read.client.challenge, binding);
  const challenge = await store.ceremonies.take(key, clock.now());
  const found = challenge && (await store.find(read.credentialId));
  if (!challenge || !found) return undefined;
  const used = await use(needs, read, challenge, found, context);
  if (typeof used !== 'string') return used;
  const actor = { kind: 'stranger' as const };
  await record(needs, found.passkey, { actor, outcome: 'failure', details: { reason: used } }, context);
  return undefined;
}
