import { parseEmail } from '../accounts/index.ts';
import type { Actor } from '../audit/index.ts';
import type { Link } from '../one-time-secrets/index.ts';
import { AppError } from '../shared/errors.ts';
import { lives, type RegistrationParts, type RequestMeta } from './parts.ts';

/** Whom an operator invites. */
export interface NewInvitation {
  readonly email: string;
  /** What the account will have. */
  readonly roles?: readonly string[] | undefined;
  /** Default: seven days. */
  readonly lifeSeconds?: number | undefined;
}

/** An invitation that was mailed. */
export interface Invitation {
  readonly id: string;
  readonly email: string;
  readonly path: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** The roles that come with an invitation. */
export const invitedRoles = (invitation: Link | undefined): string[] =>
  Array.isArray(invitation?.data.roles) ? [...(invitation.data.roles as readonly string[])] : [];

/** The invitation that somebody came with. @throws AppError `expired` for a token that is worth nothing. */
export async function readInvitation(
  { links }: Pick<RegistrationParts, 'links'>,
  token: string | undefined,
): Promise<Link | undefined> {
  if (token === undefined || token === '') return undefined;
  const link = await links.peek('invitation', token);
  if (link) return link;
  throw invitationOver();
}

/** Says that an invitation is worth nothing any more. */
export const invitationOver = (): AppError =>
  new AppError('expired', 'This invitation was used or is over. Ask whoever invited you for another one.');

/**
 * Invites an address: a mail with a link that registers that address and no other, once.
 * @throws AppError `forbidden` when registration is off, `invalid_input`, or `conflict` when the address has an account.
 */
export async function invite(
  parts: RegistrationParts,
  input: NewInvitation,
  by: Actor,
  meta: RequestMeta,
): Promise<Invitation> {
  const { accounts, links, notifications, audit, paths, policy, transaction } = parts;
  if (policy.mode === 'off') throw new AppError('forbidden', 'Registration is closed here.');
  const address = parseEmail(input.email)?.address;
  if (address === undefined) {
    const message = 'Give a mail address, for example alex@example.com.';
    throw new AppError('invalid_input', message, { fields: { email: message } });
  }
  const { roles = [], lifeSeconds = lives.invitation } = input;
  if (await accounts.findByLogin(address)) throw new AppError('conflict', 'This address has an account already.');
  return transaction(async () => {
    const link = await links.create({
      purpose: 'invitation',
      email: address,
      data: { roles: [...roles] },
      lifeSeconds,
    });
    const path = paths.acceptInvitation(link.token);
    await audit.record({
      ...meta,
      type: 'invitation.created',
      actor: by,
      outcome: 'success',
      subject: link.id,
      details: { roles: [...roles] },
    });
    await notifications.send({
      to: address,
      template: 'invitation',
      data: { path, expiresAt: link.expiresAt, timeZone: undefined },
    });
    return { id: link.id, email: address, path, expiresAt: link.expiresAt };
  });
}
