import { type Account, parseEmail } from '../accounts/index.ts';
import type { PasswordVerdict, PreparedPassword } from '../credentials/index.ts';
import type { Link } from '../one-time-secrets/index.ts';
import { equalSecrets, sha256 } from '../shared/crypto.ts';
import type { AccountId } from '../shared/ids.ts';
import { LinkIsVoid, type LinkView, outcomeOfUsed, rememberConfirmed, viewLink } from './confirm-link.ts';
import type { RegistrationParts, RequestMeta } from './parts.ts';

/**
 * What shows, beside the mailbox, that whoever opens the link also registered. Anybody can register any address with a
 * password of theirs and wait for its owner to confirm it; so the mailbox alone activates no password of somebody else.
 */
export interface RegistrationProof {
  /** The secret of the browser that registered. */
  readonly browser?: string | undefined;
  /** The password that was chosen then. */
  readonly password?: string | undefined;
  /** Takes the place of that password, and of all else that was filled in then. It needs no other proof. */
  readonly newPassword?: string | undefined;
}

export type VerificationView =
  | (Extract<LinkView, { outcome: 'usable' }> & {
      /** False: the page asks for the password, or for a new one. */
      readonly proven: boolean;
    })
  | Exclude<LinkView, { outcome: 'usable' }>;

export type VerifyResult =
  | {
      readonly outcome: 'verified';
      readonly accountId: AccountId;
      /** The username that was asked for belongs to somebody else, so the account has none. */
      readonly usernameTaken: boolean;
    }
  /** The link is good and was not used; the proof is missing or wrong. */
  | { readonly outcome: 'unproven' }
  /** The new password is not a good one. */
  | ({ readonly outcome: 'refused' } & Omit<Extract<PasswordVerdict, { ok: false }>, 'ok'>)
  | { readonly outcome: 'already' }
  | { readonly outcome: 'expired' };

/** The account of a link that is still usable. */
async function accountOf({ links, accounts }: RegistrationParts, token: string): Promise<Account | undefined> {
  const link = await links.peek('verify-email', token);
  return link?.accountId === undefined ? undefined : accounts.find(link.accountId);
}

/** Only what a stranger may have registered is in doubt: an account that is active was made by an operator. */
async function isProvenBy({ pending }: RegistrationParts, account: Account | undefined, browser: string | undefined) {
  if (account?.status !== 'unverified') return true;
  const hash = browser === undefined ? undefined : (await pending.find(account.id))?.browserHash;
  return hash !== undefined && browser !== undefined && equalSecrets(hash, sha256(browser));
}

/** What the page says and asks before anything is confirmed. */
export async function viewVerification(
  parts: RegistrationParts,
  token: string,
  browser: string | undefined,
): Promise<VerificationView> {
  const view = await viewLink(parts, 'verify-email', token);
  if (view.outcome !== 'usable') return view;
  return { ...view, proven: await isProvenBy(parts, await accountOf(parts, token), browser) };
}

/** Everything that a stranger may have filled in gives way to what the mailbox's owner says. */
async function takeOver(
  { accounts, credentials }: RegistrationParts,
  account: Account,
  password: PreparedPassword,
  meta: RequestMeta,
) {
  const by = { kind: 'account', id: account.id } as const;
  await credentials.setPassword(account.id, password, { ...meta, actor: by });
  if (account.username === undefined && Object.keys(account.profile).length === 0) return;
  await accounts.update(account.id, account.version, { username: null, profile: {} }, by, meta);
}

/**
 * The same for whoever shows the mailbox in another way, for example by a reset of the password: the name and username
 * that came with an unconfirmed registration go. Accounts that were not registered so stay. Part of the caller's transaction.
 */
export async function disown({ accounts, pending }: RegistrationParts, id: AccountId): Promise<void> {
  if (!(await pending.find(id))) return;
  await pending.remove(id);
  const account = await accounts.find(id);
  if (account?.status !== 'unverified') return;
  await accounts.update(id, account.version, { username: null, profile: {} }, { kind: 'account', id });
}

type Step = { readonly takeOver?: PreparedPassword } | Extract<VerifyResult, { outcome: 'unproven' | 'refused' }>;

/** Does what is slow about the proof, outside of any transaction. */
async function examine(parts: RegistrationParts, account: Account, proof: RegistrationProof): Promise<Step> {
  const { credentials, passwordPolicy } = parts;
  const { newPassword, password, browser } = proof;
  if (newPassword !== undefined && account.status === 'unverified') {
    const owner = { accountId: account.id, personal: [account.email], secondFactor: false };
    const verdict = await passwordPolicy.check(newPassword, owner);
    if (!verdict.ok) return { outcome: 'refused', reasons: verdict.reasons, strength: verdict.strength };
    return { takeOver: await credentials.preparePassword(newPassword) };
  }
  if (await isProvenBy(parts, account, browser)) return {};
  const right = password !== undefined && (await credentials.verifyPassword(account.id, password));
  return right ? {} : { outcome: 'unproven' };
}

async function confirm(
  parts: RegistrationParts,
  token: string,
  link: Link & { accountId: AccountId },
  meta: RequestMeta,
) {
  const { links, life } = parts;
  const by = { kind: 'account', id: link.accountId } as const;
  const proven = await life.prove(link.accountId, link.email, 'verify', by, meta);
  if (!proven) throw new LinkIsVoid();
  await links.revokeAll(link.accountId, ['verify-email']);
  await rememberConfirmed(parts, token, link, link.accountId);
}

/**
 * Confirms the address that the link was mailed to, once, and makes the account active. It signs nobody in. A link to
 * an address that the account has not any more, or of an account that was stopped, is over. Not to be called within a
 * transaction. @throws AppError `unavailable`.
 */
export async function verifyEmail(
  parts: RegistrationParts,
  token: string,
  proof: RegistrationProof,
  meta: RequestMeta,
): Promise<VerifyResult> {
  const { links, pending, transaction } = parts;
  const account = await accountOf(parts, token);
  if (!account) return { outcome: await outcomeOfUsed(parts, token) };
  const step = await examine(parts, account, proof);
  if ('outcome' in step) {
    // What the proof is compared with goes when the link is used; somebody may have done that meanwhile.
    return (await links.peek('verify-email', token)) ? step : { outcome: await outcomeOfUsed(parts, token) };
  }
  try {
    const verified = await transaction(async () => {
      const link = await links.use('verify-email', token);
      if (link?.accountId === undefined) return undefined;
      // First what waits, then its account, as the purge does, so that neither waits for the other.
      await pending.remove(link.accountId);
      if (step.takeOver) await takeOver(parts, account, step.takeOver, meta);
      await confirm(parts, token, { ...link, accountId: link.accountId }, meta);
      const usernameTaken = link.data.usernameTaken === true && !step.takeOver;
      return { outcome: 'verified', accountId: link.accountId, usernameTaken } as const;
    });
    return verified ?? { outcome: await outcomeOfUsed(parts, token) };
  } catch (error) {
    if (error instanceof LinkIsVoid) return { outcome: 'expired' };
    throw error;
  }
}

/**
 * Removes the account that somebody registered with this address, at the word of whoever has the mailbox. One that was
 * confirmed meanwhile stays.
 */
export async function discardRegistration(
  parts: RegistrationParts,
  token: string,
  meta: RequestMeta,
): Promise<{ readonly outcome: 'discarded' | 'already' | 'expired' }> {
  const { links, life, pending, forget, transaction } = parts;
  try {
    const discarded = await transaction(async () => {
      const link = await links.use('verify-email', token);
      if (link?.accountId === undefined || !parseEmail(link.email)) return false;
      const by = { kind: 'account', id: link.accountId } as const;
      await pending.remove(link.accountId);
      if (!(await life.discard(link.accountId, link.email, by, meta))) throw new LinkIsVoid();
      await forget([link.accountId]);
      return true;
    });
    return { outcome: discarded ? 'discarded' : await outcomeOfUsed(parts, token) };
  } catch (error) {
    if (error instanceof LinkIsVoid) return { outcome: 'expired' };
    throw error;
  }
}
