import type { Account } from '../accounts/index.ts';
import type { CodeKey } from '../one-time-secrets/index.ts';
import { occasionOf } from '../registration/index.ts';
import { sha256 } from '../shared/crypto.ts';
import { AppError } from '../shared/errors.ts';
import type { AccountId } from '../shared/ids.ts';
import type { Flow } from './flow.ts';
import { toMilliseconds } from './flow.ts';
import type { SignInParts } from './parts.ts';
import type { MailResult, RequestMeta } from './sign-in-types.ts';
import { findSituation, viewOf } from './situation.ts';

/** Seconds that a mailed code or link works: ASVS 5.0 §6.5.5. */
export const mailSeconds = 600;

/** Milliseconds until another code may be asked for with the button. */
const patience = 30_000;

/**
 * What a mailed code is for. It belongs to one sign-in, and read to somebody on the phone it opens no other; and to the
 * mailbox that it went to: when the account has another address by now, it opens nothing.
 */
export const mailedCode = (
  purpose: 'sign-in' | 'second-step',
  { id }: Pick<Flow, 'id'>,
  accountId: AccountId,
  account: Pick<Account, 'email'> | undefined,
): CodeKey => ({ purpose, binding: account ? `${id} ${sha256(account.email)}` : id, accountId });

/**
 * Mails the code of the second step: once for each challenge when its page is shown, and anew when it is asked for
 * `again`, with half a minute in between. How many an account and a mailbox get is capped elsewhere.
 */
export async function mailSecondStep(
  parts: SignInParts,
  flowId: string,
  again: boolean,
  meta: RequestMeta,
): Promise<MailResult> {
  const { flows, codes, notifications, clock, policy } = parts;
  const situation = await findSituation(parts, flowId);
  if (!situation) return { outcome: 'refused' };
  const view = viewOf(parts, situation);
  const { flow, account, ways } = situation;
  if (situation.step !== 'second-factor' || !ways.includes('email') || !account) return { outcome: 'refused', view };
  const now = clock.now();
  const opened = (flow.challengeEndsAt ?? now) - toMilliseconds(policy.challengeSeconds);
  if (!(await flows.noteMail(flow.id, { now, since: again ? now - patience : opened })))
    return { outcome: 'waits', view };
  try {
    await flows.transaction(async () => {
      const { code, expiresAt } = await codes.create({
        ...mailedCode('second-step', flow, account.id, account),
        lifeSeconds: mailSeconds,
      });
      const data = { ...occasionOf(clock, meta, account), code, expiresAt, afterPassword: true };
      await notifications.send({ to: account.email, template: 'sign-in-code', account: account.id, expiresAt, data });
    });
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'rate_limited') throw error;
    return { outcome: 'limited', view, retryAt: now + (error.details.retryAfter ?? 60) * 1000 };
  }
  return { outcome: 'sent', view };
}
