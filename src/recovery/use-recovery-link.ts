import { type Account, parseEmail, personalWords } from '../accounts/index.ts';
import { hasSecondFactor, type PreparedPassword } from '../credentials/index.ts';
import type { Link } from '../one-time-secrets/index.ts';
import type { RequestMeta } from '../registration/index.ts';
import type { AccountId } from '../shared/ids.ts';
import { factorsOf, RecoveryIsVoid, type RecoveryParts } from './parts.ts';
import { examineCode } from './prove-code.ts';
import { mayRecover, type Proof, proofFor, type RecoveryTask, taskOf } from './recovery-link.ts';
import type { RefusedPassword } from './reset-password.ts';

/** What the person fills in behind the link; which of it is needed is what {@link RecoveryView} says. */
export interface RecoveryAnswer {
  readonly password?: string | undefined;
  readonly code?: string | undefined;
  readonly newPassword?: string | undefined;
}

export type RecoveryView =
  | ({
      readonly outcome: 'usable';
      readonly accountId: AccountId;
      readonly email: string;
      readonly proof: Proof;
      readonly expiresAt: number;
    } & RecoveryTask)
  | { readonly outcome: 'expired' };

export type RecoveryResult =
  | ({ readonly outcome: 'done'; readonly accountId: AccountId } & RecoveryTask)
  | { readonly outcome: 'wrong'; readonly triesLeft: number }
  | RefusedPassword
  | { readonly outcome: 'expired' };

/** Wrong proofs after which a link is over. */
const mostTries = 5;

interface Case {
  readonly link: Link;
  readonly account: Account;
  readonly task: RecoveryTask;
  readonly proof: Proof;
  readonly secondFactor: boolean;
}

/** What a token is about, while the link can still help the account that it was made for. */
async function findCase(parts: RecoveryParts, token: string) {
  const { links, accounts, credentials, passkeys } = parts;
  const link = await links.peek('recovery', token);
  const account = link?.accountId === undefined ? undefined : await accounts.find(link.accountId);
  if (!link || !account || !mayRecover(account.status, link.data.delivery === 'hand' ? 'hand' : 'mail'))
    return undefined;
  if (parseEmail(account.email)?.key !== parseEmail(link.email)?.key) return undefined;
  const factors = await credentials.factorsOf(account.id);
  const task = taskOf(link);
  const proof = proofFor(task, { ...factors, passkeys: await passkeys.countOf(account.id) });
  if (!proof) return undefined;
  const secondFactor = hasSecondFactor(await factorsOf(parts, account.id));
  return { link, account, task, proof, secondFactor } satisfies Case;
}

/** What the page asks for. Looking uses nothing up. */
export async function viewRecovery(parts: RecoveryParts, token: string): Promise<RecoveryView> {
  const found = await findCase(parts, token);
  if (!found) return { outcome: 'expired' };
  const { link, account, task, proof } = found;
  return { outcome: 'usable', accountId: account.id, email: account.email, proof, expiresAt: link.expiresAt, ...task };
}

/** Does what is slow about a proof, and resolves to what settles it inside the transaction. */
async function examine(parts: RecoveryParts, { account, proof }: Case, answer: RecoveryAnswer, meta: RequestMeta) {
  if (proof === 'nothing') return async () => true;
  if (proof === 'code') return examineCode(parts, account.id, answer.code ?? '', meta);
  const right = await parts.credentials.verifyPassword(account.id, answer.password ?? '');
  return async () => right;
}

async function carryOut(
  parts: RecoveryParts,
  found: Case,
  newPassword: PreparedPassword | undefined,
  meta: RequestMeta,
): Promise<void> {
  const { credentials, passkeys, passwordPolicy, life, links, endAccess, audit } = parts;
  const { account, task, link } = found;
  const by = { kind: 'account', id: account.id } as const;
  if (account.status === 'locked' && !(await life.prove(account.id, link.email, 'recover', by, meta))) {
    throw new RecoveryIsVoid();
  }
  // The audit log also tells the person.
  await audit.record({
    ...meta,
    type: 'recovery_link.used',
    actor: by,
    outcome: 'success',
    subject: account.id,
    details: { lost: task.lost, removes: task.removes, link: link.id },
  });
  const context = { ...meta, actor: by };
  if (newPassword) await credentials.setPassword(account.id, newPassword, context);
  if (task.removes.includes('authenticator')) await credentials.totp.remove(account.id, context);
  if (task.removes.includes('passkeys')) await passkeys.removeAll(account.id, context);
  // A password that was long enough beside what is gone now has to be replaced before it opens anything alone.
  const alone = task.removes.length > 0 && !hasSecondFactor(await factorsOf(parts, account.id));
  if (alone && (await passwordPolicy.isShortAlone(account.id))) await passwordPolicy.requireChange(account.id, context);
  await endAccess(account.id, by, 'the account was recovered');
  await links.revokeAll(account.id, ['reset-password', 'change-email', 'sign-in']);
  // Whoever lost something has tried it before.
  await parts.unpause(account);
}

async function fail(
  { links, audit, transaction }: RecoveryParts,
  { link, account }: Case,
  { token, left }: { readonly token: string; readonly left: number },
  meta: RequestMeta,
): Promise<RecoveryResult> {
  await transaction(async () => {
    if (left === 0) await links.revoke(link.id);
    await audit.record({
      ...meta,
      type: 'recovery_link.failed',
      actor: { kind: 'stranger' },
      outcome: 'failure',
      subject: account.id,
      details: { reason: 'wrong_proof', triesLeft: left },
    });
  });
  return (await links.peek('recovery', token)) ? { outcome: 'wrong', triesLeft: left } : { outcome: 'expired' };
}

/**
 * Uses a recovery link, once, together with the proof that it asks for. Each wrong proof is counted before it is looked
 * at; the fifth ends the link. Sessions and tokens end, the person is told, and nobody is signed in: the next sign-in
 * sets up a new second factor or takes the new password. Not to be called within a transaction. @throws AppError `unavailable`
 */
export async function useRecoveryLink(
  parts: RecoveryParts,
  token: string,
  answer: RecoveryAnswer,
  meta: RequestMeta,
): Promise<RecoveryResult> {
  const { links, tries, credentials, passwordPolicy, transaction } = parts;
  const found = await findCase(parts, token);
  if (!found) return { outcome: 'expired' };
  const { link, account, task, secondFactor } = found;
  if (task.lost === 'password') {
    const owner = { accountId: account.id, personal: personalWords(account), secondFactor };
    const verdict = await passwordPolicy.check(answer.newPassword ?? '', owner);
    if (!verdict.ok) return { outcome: 'refused', reasons: verdict.reasons, strength: verdict.strength };
  }
  const left = await tries.take({ id: link.id, accountId: account.id, expiresAt: link.expiresAt }, mostTries);
  if (left === undefined) return { outcome: 'expired' };
  try {
    const settle = await examine(parts, found, answer, meta);
    const lost = task.lost === 'password';
    const newPassword = lost ? await credentials.preparePassword(answer.newPassword ?? '') : undefined;
    await transaction(async () => {
      // The proof first, so that a wrong one counts as that also while another try ends the link.
      if (!(await settle())) throw new RecoveryIsVoid('wrong');
      if (!(await links.use('recovery', token))) throw new RecoveryIsVoid();
      await carryOut(parts, found, newPassword, meta);
    });
  } catch (error) {
    if (!(error instanceof RecoveryIsVoid)) {
      await tries.giveBack(link.id).catch(() => undefined);
      throw error;
    }
    return error.why === 'wrong' ? fail(parts, found, { token, left }, meta) : { outcome: 'expired' };
  }
  return { outcome: 'done', accountId: account.id, ...task };
}
