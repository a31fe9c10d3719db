import { type Account, type NewAccount, parseEmail, personalWords, readNewAccount } from '../accounts/index.ts';
import type { PasswordVerdict } from '../credentials/index.ts';
import type { Link } from '../one-time-secrets/index.ts';
import { sha256 } from '../shared/crypto.ts';
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
  /** A random secret that the browser keeps: with it the link of the mail needs no other proof. */
  readonly browser?: string | undefined;
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

/**
 * The address has an account: its owner hears of it, and nothing is changed. An account that waits for its address gets
 * its link again, which asks for the password of the one who came first: this one's browser proves nothing.
 */
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
  if (owner?.status === 'unverified') return sendVerification(parts, owner);
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

/** Undoes a registration whose address is taken, with the invitation that it used up. */
class AddressIsTaken extends Error {}

/** An invitation came by mail, so it takes the address back from whoever registered it without. */
async function makeRoom(parts: RegistrationParts, email: string, meta: RequestMeta): Promise<void> {
  const { accounts, pending, life, forget } = parts;
  const first = await accounts.findByLogin(email);
  if (first?.status !== 'unverified' || !(await pending.find(first.id))) return;
  await pending.remove(first.id);
  if (await life.discard(first.id, first.email, { kind: 'stranger' }, meta)) await forget([first.id]);
}

async function complete(
  parts: RegistrationParts,
  input: NewRegistration,
  prepared: { readonly account: NewAccount; readonly invitation?: Link | undefined },
  meta: RequestMeta,
): Promise<void> {
  const { credentials, links, transaction, accounts, pending, clock } = parts;
  const { account, invitation } = prepared;
  // Hashed for both ways, and before the transaction, which would hold its connection meanwhile.
  const password = await credentials.preparePassword(input.password);
  try {
    await transaction(async () => {
      if (invitation) {
        if (!(await links.use('invitation', input.invitation ?? ''))) throw invitationOver();
        await makeRoom(parts, account.email, meta);
      }
      const created = await createUnlessTaken(parts, account);
      if (!created) throw new AddressIsTaken();
      await credentials.setPassword(created.id, password, { ...meta, actor: { kind: 'stranger' } });
      const browserHash = input.browser === undefined ? undefined : sha256(input.browser);
      await pending.add({ accountId: created.id, browserHash, registeredAt: clock.now() });
      await sendVerification(parts, created, { usernameTaken: created.username !== account.username });
    });
  } catch (error) {
    if (!(error instanceof AddressIsTaken)) throw error;
    await transaction(async () => tellOwner(parts, await accounts.findByLogin(account.email), meta));
  }
}

/**
 * Makes an account that waits for its address to be confirmed. A free and a taken address get the same answer after the
 * same time; what is wrong with the form is said at once, because it depends on the form alone.
 * `admit` may refuse a form that is good, before anything is made or looked up: limits do not count what was mistyped.
 * @throws AppError `forbidden` when registration is closed, `invalid_input`, `expired` for an invitation, `unavailable`.
 */
export async function register(
  parts: RegistrationParts,
  input: NewRegistration,
  meta: RequestMeta,
  admit: () => Promise<void>,
): Promise<RegistrationResult> {
  const { policy, passwordPolicy, answerTime } = parts;
  const invitation = await readInvitation(parts, input.invitation);
  const { account, emailKey } = accountOf(input, invitation);
  checkPolicy(policy, emailKey, invitation !== undefined);
  if (invitation && parseEmail(invitation.email)?.key !== emailKey) {
    const message = 'This invitation is for another address.';
    throw new AppError('invalid_input', message, { fields: { email: message } });
  }
  const verdict = await passwordPolicy.check(input.password, { personal: personalWords(input), secondFactor: false });
  if (!verdict.ok) return { outcome: 'refused', reasons: verdict.reasons, strength: verdict.strength };
  await admit();
  await answerTime(() => complete(parts, input, { account, invitation }, meta));
  return { outcome: 'accepted' };
}
