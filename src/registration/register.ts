import { type Account, type NewAccount, parseEmail, readNewAccount } from '../accounts/index.ts';
import type { PasswordVerdict } from '../credentials/index.ts';
import type { Link } from '../one-time-secrets/index.ts';
import { AppError } from '../shared/errors.ts';
import { newAccountId } from '../shared/ids.ts';
import { invitationOver, invitedRoles, readInvitation } from './invite.ts';
import { lives, nobody, occasionOf, type RegistrationParts, type RequestMeta } from './parts.ts';
import { checkPolicy } from './registration-policy.ts';
import { sendVerification } from './send-verification.ts';

/** What a person fills in. Roles, status and ids are not among it. */
export interface NewRegistration {
  readonly email: string;
  readonly username?: string | undefined;
  readonly password: string;
  readonly profile?: NewAccount['profile'];
  readonly invitation?: string | undefined;
  /** Language tag for `profile.locale`, when that is left out. */
  readonly locale?: string | undefined;
}

/** `accepted` says nothing but that the form was good: look into the mailbox. */
export type RegistrationResult =
  | { readonly outcome: 'accepted' }
  | ({ readonly outcome: 'refused' } & Omit<Extract<PasswordVerdict, { ok: false }>, 'ok'>);

/** What the account will be. Only validated here. @throws AppError `invalid_input` */
function accountOf({ email, username, profile, locale }: NewRegistration, invitation: Link | undefined) {
  const account: NewAccount = {
    email,
    ...(username !== undefined && username !== '' && { username }),
    status: 'unverified',
    profile: { ...(locale !== undefined && { locale }), ...profile },
    roles: invitedRoles(invitation),
  };
  const { email: parsed } = readNewAccount(account);
  return { account, emailKey: parsed.key };
}

const personalOf = ({ email, username, profile = {} }: NewRegistration): string[] =>
  [email, username, profile.name, profile.given_name, profile.family_name, profile.nickname].filter(
    (text): text is string => text !== undefined,
  );

const takenField = (error: unknown): 'email' | 'username' | undefined => {
  if (!(error instanceof AppError) || error.code !== 'conflict') return undefined;
  return error.details.fields && 'email' in error.details.fields ? 'email' : 'username';
};

/**
 * Makes the account, undefined when the address is taken. A taken username is left out and not told: whoever has not
 * shown an address of theirs learns of no name. They choose another one when they are signed in.
 */
async function createUnlessTaken({ accounts }: RegistrationParts, account: NewAccount) {
  const by = { kind: 'stranger' } as const;
  const { username: _taken, ...unnamed } = account;
  for (const candidate of account.username === undefined ? [account] : [account, unnamed]) {
    try {
      return await accounts.create(candidate, by);
    } catch (error) {
      const field = takenField(error);
      if (field === undefined) throw error;
      if (field === 'email') return undefined;
    }
  }
  return undefined;
}

/** The address has an account: its owner hears of it, and nothing is changed. */
async function tellOwner(parts: RegistrationParts, owner: Account | undefined, meta: RequestMeta): Promise<void> {
  const { notifications, audit, links, clock, paths } = parts;
  const occasion = occasionOf(clock, meta, owner);
  await audit.record({
    ...meta,
    type: 'registration.refused',
    actor: { kind: 'stranger' },
    outcome: 'failure',
    details: { reason: 'address_taken' },
    ...(owner && { subject: owner.id }),
  });
  // A link that nobody gets, for the same work as with an address that is free.
  await links.create({
    purpose: 'verify-email',
    accountId: newAccountId(),
    email: '',
    lifeSeconds: lives.verifyEmail,
    keepOlder: true,
  });
  // Whom an operator stopped, or who is going, gets no way back by a form that anybody can fill in.
  const reachable = owner && owner.status !== 'suspended' && owner.status !== 'deleted';
  await notifications.send({
    to: reachable ? owner.email : nobody(),
    template: 'registration-attempt',
    account: owner?.id,
    data: { ...occasion, signInPath: paths.signIn, resetPath: paths.resetPassword },
  });
}

async function complete(
  parts: RegistrationParts,
  input: NewRegistration,
  prepared: { readonly account: NewAccount; readonly invitation?: Link | undefined },
  meta: RequestMeta,
): Promise<void> {
  const { credentials, links, transaction, accounts } = parts;
  const { account, invitation } = prepared;
  const made = await transaction(async () => {
    if (invitation && !(await links.use('invitation', input.invitation ?? ''))) throw invitationOver();
    const created = await createUnlessTaken(parts, account);
    if (!created) return false;
    await credentials.setPassword(created.id, input.password, { ...meta, actor: { kind: 'stranger' } });
    await sendVerification(parts, created, { usernameTaken: created.username !== account.username });
    return true;
  });
  if (made) return;
  await credentials.verifyPassword(undefined, input.password);
  await transaction(async () => tellOwner(parts, await accounts.findByLogin(account.email), meta));
}

/**
 * Makes an account that waits for its address to be confirmed. A free and a taken address get the same answer after the
 * same time; what is wrong with the form is said at once, because it depends on the form alone.
 * @throws AppError `forbidden` when registration is closed, `invalid_input`, `expired` for an invitation, `unavailable`.
 */
export async function register(
  parts: RegistrationParts,
  input: NewRegistration,
  meta: RequestMeta,
): Promise<RegistrationResult> {
  const { policy, passwordPolicy, answerTime } = parts;
  const invitation = await readInvitation(parts, input.invitation);
  const { account, emailKey } = accountOf(input, invitation);
  checkPolicy(policy, emailKey, invitation !== undefined);
  if (invitation && parseEmail(invitation.email)?.key !== emailKey) {
    const message = 'This invitation is for another address.';
    throw new AppError('invalid_input', message, { fields: { email: message } });
  }
  const verdict = await passwordPolicy.check(input.password, { personal: personalOf(input), secondFactor: false });
  if (!verdict.ok) return { outcome: 'refused', reasons: verdict.reasons, strength: verdict.strength };
  await answerTime(() => complete(parts, input, { account, invitation }, meta));
  return { outcome: 'accepted' };
}
