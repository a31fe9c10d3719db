import type { AuditLog } from '../audit/index.ts';
import type { AuditContext } from '../credentials/index.ts';
import type { Clock } from '../shared/clock.ts';
import { AppError } from '../shared/errors.ts';
import { type AccountId, randomText } from '../shared/ids.ts';
import { challengeKey, tooMany } from './begin-ceremony.ts';
import { defaultName, mostPasskeys, type Passkey, readName, type StoredPasskey, viewOf } from './passkey.ts';
import type { PasskeyStore } from './passkey-store.ts';
import { type ReadResponse, readRegistration } from './read-response.ts';
import type { RelyingParty } from './relying-party.ts';
import { clientRefusal, type Refusal, verifyRegistration } from './verify-response.ts';

interface Needs {
  readonly store: PasskeyStore;
  readonly clock: Clock;
  readonly audit: AuditLog;
  readonly rp: RelyingParty;
}

type Response = NonNullable<ReturnType<typeof readRegistration>>;

const refuse = (reason: Refusal): AppError =>
  new AppError('invalid_input', 'That passkey could not be added. Start again.', { reason: `passkey: ${reason}` });

const tooLate = (): AppError =>
  new AppError('expired', 'This took longer than five minutes, or it was answered already. Start again.', {
    reason: 'passkey: challenge',
  });

/** The challenge goes first: whatever comes of the rest, it was used. */
async function verify({ store, clock, rp }: Needs, accountId: AccountId, binding: string, read: Response) {
  const { client, json } = read;
  const key = challengeKey('create', client.challenge, binding);
  const challenge = await store.ceremonies.take(key, clock.now());
  if (!challenge) throw tooLate();
  if (challenge.accountId !== accountId) throw refuse('account');
  const refusal = clientRefusal(client, 'webauthn.create', rp);
  if (refusal) throw refuse(refusal);
  const { automatic } = challenge;
  const registered = await verifyRegistration(json, { challenge: client.challenge, automatic, rp });
  if (typeof registered === 'string') throw refuse(registered);
  return registered;
}

async function record(needs: Needs, passkey: StoredPasskey, context: AuditContext): Promise<void> {
  const { id, accountId, name, backupEligible } = passkey;
  await needs.audit.record({
    actor: { kind: 'account', id: accountId },
    ...context,
    type: 'passkey.added',
    outcome: 'success',
    subject: accountId,
    details: { passkey: id, name, synced: backupEligible },
  });
}

/**
 * Adds the passkey that answers a challenge of this account and binding.
 * @throws AppError `invalid_input`, `expired` for a challenge that is used, too old or another's, `conflict` for a passkey
 * that is registered already and for one too many
 */
export async function addPasskey(
  needs: Needs,
  accountId: AccountId,
  binding: string,
  response: unknown,
  { name, context = {} }: { name?: string | undefined; context?: AuditContext },
): Promise<Passkey> {
  const { store, clock } = needs;
  const given = name?.trim() ? readName(name) : undefined;
  const read: ReadResponse<Response['json']> | undefined = readRegistration(response);
  if (!read) throw refuse('malformed');
  const { credential, aaguid, credentialDeviceType, credentialBackedUp } = await verify(
    needs,
    accountId,
    binding,
    read,
  );
  return store.transaction(async () => {
    const taken = given === undefined ? (await store.list(accountId)).map((other) => other.name) : [];
    const passkey: StoredPasskey = {
      id: `psk_${randomText(20)}`,
      accountId,
      credentialId: credential.id,
      publicKey: credential.publicKey,
      signCount: credential.counter,
      transports: read.json.response.transports ?? [],
      aaguid,
      backupEligible: credentialDeviceType === 'multiDevice',
      backedUp: credentialBackedUp,
      name: given ?? defaultName(aaguid, context.userAgent, taken),
      createdAt: clock.now(),
    };
    const outcome = await store.add(passkey, mostPasskeys);
    if (outcome === 'full') throw tooMany();
    if (outcome === 'taken') throw new AppError('conflict', 'That passkey is registered already. Use another one.');
    await record(needs, passkey, context);
    return viewOf(passkey);
  });
}
