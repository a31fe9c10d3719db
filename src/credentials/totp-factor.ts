import type { AuditLog } from '../audit/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { SealContext, SecretRing } from '../shared/crypto.ts';
import type { AccountId } from '../shared/ids.ts';
import type { AuditContext } from './audit-context.ts';
import type { CredentialStore } from './credential-store.ts';
import { newTotpSecret, readTotpCode, totpStep, totpUri } from './totp.ts';

/** Which enrolment is meant; without a binding, the one that is not part of a sign-in or session. */
export interface EnrolmentOptions {
  readonly binding?: string;
  /** Refuse to replace an authenticator that is already enrolled. */
  readonly onlyFirst?: boolean;
}

/** Codes of an authenticator app (RFC 6238). */
export interface TotpFactor {
  /** Starts an enrolment, or shows the same one again until it is confirmed or 10 minutes are over. */
  begin(accountId: AccountId, label: string, options?: EnrolmentOptions): Promise<{ secret: string; uri: string }>;
  /** Whether this code would confirm the enrolment. It changes nothing. */
  check(accountId: AccountId, code: string, options?: EnrolmentOptions): Promise<'accepted' | 'wrong' | 'expired'>;
  /** Ends the enrolment with a first code; until then an authenticator that is already enrolled goes on working. */
  confirm(accountId: AccountId, code: string, options?: EnrolmentOptions, context?: AuditContext): Promise<boolean>;
  /** Accepts a code of the current time step or a neighbour once ever; `used` says that the code came a second time. */
  verify(accountId: AccountId, code: string): Promise<'accepted' | 'wrong' | 'used'>;
  /** Takes the authenticator and the backup codes away. */
  remove(accountId: AccountId, context?: AuditContext): Promise<void>;
}

interface Needs {
  readonly store: CredentialStore;
  readonly clock: Clock;
  readonly audit: AuditLog;
  readonly secrets: SecretRing;
  readonly issuerName: string;
}

const pendingMilliseconds = 600_000;

/** Where the secret of an enrolled authenticator lies. */
export const activeAt = (accountId: AccountId): SealContext => ({ table: 'totp', id: accountId, column: 'secret' });
const pendingAt = (accountId: AccountId, binding: string): SealContext => ({
  table: 'totp_pending',
  id: `${accountId}/${binding}`,
  column: 'secret',
});

/** The pending enrolment and the step of `code` in it. */
async function readPending({ store, clock, secrets }: Needs, accountId: AccountId, input: string, binding: string) {
  const sealed = await store.totp.findPending(accountId, binding, clock.now());
  if (sealed === undefined) return undefined;
  const secret = secrets.open(sealed, pendingAt(accountId, binding));
  const code = readTotpCode(input);
  return { sealed, secret, step: code === undefined ? undefined : totpStep(secret, code, clock.now()) };
}

async function confirm(
  needs: Needs,
  accountId: AccountId,
  code: string,
  { binding = '', onlyFirst = false }: EnrolmentOptions,
  context: AuditContext,
): Promise<boolean> {
  const { store, clock, audit, secrets } = needs;
  const pending = await readPending(needs, accountId, code, binding);
  if (pending?.step === undefined) return false;
  const { sealed, secret, step } = pending;
  return store.transaction(async () => {
    const active = { sealed: secrets.seal(secret, activeAt(accountId)), step, at: clock.now(), onlyFirst };
    if (!(await store.totp.activate({ accountId, binding, sealed }, active))) return false;
    await audit.record({
      actor: { kind: 'account', id: accountId },
      ...context,
      type: 'second_factor.enrolled',
      outcome: 'success',
      subject: accountId,
    });
    return true;
  });
}

async function verify({ store, clock, secrets }: Needs, accountId: AccountId, input: string) {
  const sealed = await store.totp.find(accountId);
  const code = readTotpCode(input);
  if (sealed === undefined || code === undefined) return 'wrong';
  const secret = secrets.open(sealed, activeAt(accountId));
  const step = totpStep(secret, code, clock.now());
  if (step === undefined) return 'wrong';
  const resealed = secrets.isStale(sealed) ? secrets.seal(secret, activeAt(accountId)) : sealed;
  return (await store.totp.useStep(accountId, sealed, step, resealed)) ? 'accepted' : 'used';
}

/** Makes the authenticator-app part of the credentials domain. */
export const createTotpFactor = (needs: Needs): TotpFactor => ({
  async begin(accountId, label, { binding = '' } = {}) {
    const { store, clock, secrets, issuerName } = needs;
    const place = pendingAt(accountId, binding);
    const expiresAt = clock.now() + pendingMilliseconds;
    const fresh = { accountId, binding, sealed: secrets.seal(newTotpSecret(), place), expiresAt };
    const secret = secrets.open(await store.totp.openPending(fresh, clock.now()), place);
    return { secret, uri: totpUri(secret, issuerName, label) };
  },

  async check(accountId, code, { binding = '' } = {}) {
    const pending = await readPending(needs, accountId, code, binding);
    if (!pending) return 'expired';
    return pending.step === undefined ? 'wrong' : 'accepted';
  },

  confirm: (accountId, code, options = {}, context = {}) => confirm(needs, accountId, code, options, context),
  verify: (accountId, code) => verify(needs, accountId, code),

  async remove(accountId, context = {}) {
    await needs.store.transaction(async () => {
      await needs.store.backupCodes.remove(accountId);
      if (!(await needs.store.totp.remove(accountId))) return;
      await needs.audit.record({
        actor: { kind: 'account', id: accountId },
        ...context,
        type: 'second_factor.removed',
        outcome: 'success',
        subject: accountId,
      });
    });
  },
});
