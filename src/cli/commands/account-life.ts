import { z } from 'zod';
import type { Account } from '../../accounts/index.ts';
import { AppError } from '../../shared/errors.ts';
import { defineCommand } from '../command.ts';
import { operator } from '../domains.ts';
import { dated, facts, moment } from '../render.ts';
import { getAccount, login } from './users.ts';

/** The account as it is printed, with all of its moments as text. */
const printed = ({ deletedAt, ...account }: Account) => ({
  ...dated(account),
  ...(deletedAt !== undefined && { deletedAt: moment(deletedAt) }),
});

const hours = (most: number, fallback: number) =>
  z.coerce
    .number()
    .int()
    .min(1)
    .max(most)
    .default(fallback)
    .describe(`Hours that the link works, ${most} at most. Default: ${fallback}.`);

const invite = defineCommand({
  name: 'users invite',
  summary: 'Mail a link that makes an account for one address, also where registration takes an invitation.',
  makesDatabase: true,
  schema: z.object({
    email: z.string().max(320).describe('Mail address.'),
    role: z.array(z.string().max(64)).default([]).describe('Role that the account will have.'),
    hours: hours(720, 168),
  }),
  positional: 'email',
  fields: { roles: 'role' },
  example: 'sallyport users invite alex@example.com --role support',
  async run({ email, role, hours }, { registration, issuer }) {
    const invitation = await registration.invite({ email, roles: role, lifeSeconds: hours * 3600 }, operator);
    const link = new URL(invitation.path, issuer).href;
    return { ...invitation, link, expiresAt: moment(invitation.expiresAt) };
  },
  render: ({ email, link, expiresAt }) => `${email} is invited until ${expiresAt}. The mail has this link:\n${link}`,
});

const verify = defineCommand({
  name: 'users verify',
  summary: 'Say that an address is known to be theirs; an account that waited for that can sign in.',
  schema: z.object({ user: login }),
  positional: 'user',
  async run({ user }, domains) {
    const account = await getAccount(domains, user);
    const proven = await domains.accountLife.prove(account.id, account.email, 'verify', operator);
    if (!proven) throw new AppError('conflict', `The account is ${account.status}, and that does not allow this.`);
    return printed(proven.account);
  },
  render: ({ email }) => `${email} is verified.`,
});

const remove = defineCommand({
  name: 'users delete',
  summary: 'Delete an account. It can be restored until it is purged, and keeps its names until then.',
  schema: z.object({ user: login }),
  positional: 'user',
  async run({ user }, domains) {
    const account = await domains.accountData.delete((await getAccount(domains, user)).id, operator);
    const purgesAt = domains.accountData.purgesAt(account);
    return { ...printed(account), ...(purgesAt !== undefined && { purgesAt: moment(purgesAt) }) };
  },
  render: ({ email, purgesAt }) => `${email} is deleted, and purged after ${purgesAt ?? 'the delay'}.`,
});

const restore = defineCommand({
  name: 'users restore',
  summary: 'Bring a deleted account back as it was, until it is purged.',
  schema: z.object({ user: login }),
  positional: 'user',
  async run({ user }, domains) {
    const { id, status } = await getAccount(domains, user);
    return { ...printed(await domains.accountData.restore(id, operator)), restored: status === 'deleted' };
  },
  render: ({ email, status, restored }) =>
    restored
      ? `${email} is ${status} again. It has to sign in anew.`
      : `${email} was not deleted. It is ${status}, as before.`,
});

const recoveryLink = defineCommand({
  name: 'users recovery-link',
  summary: 'Make a link for somebody who lost a second factor or password. What is left has to be proven beside it.',
  schema: z.object({
    user: login,
    lost: z.enum(['second-factor', 'password']).default('second-factor').describe('second-factor or password.'),
    remove: z
      .array(z.enum(['authenticator', 'passkeys']))
      .default([])
      .describe('authenticator (with the backup codes) or passkeys: what goes when the link is used.'),
    show: z.boolean().default(false).describe('Print the link to hand it over, in the place of mailing it.'),
    hours: hours(24, 1),
  }),
  positional: 'user',
  fields: { lifeSeconds: 'hours', removes: 'remove' },
  example: 'sallyport users recovery-link alex --remove authenticator --remove passkeys',
  async run({ user, lost, remove, show, hours }, domains) {
    const account = await getAccount(domains, user);
    const { path, ...issued } = await domains.recovery.issueLink(account.id, operator, {
      lost,
      ...(remove.length > 0 && { removes: remove }),
      delivery: show ? 'hand' : 'mail',
      lifeSeconds: hours * 3600,
    });
    const link = path && { path, link: new URL(path, domains.issuer).href };
    return { user: account.id, email: account.email, ...issued, ...link, expiresAt: moment(issued.expiresAt) };
  },
  render: ({ email, lost, removes, link, expiresAt }) =>
    facts([
      ['for', email],
      ['lost', lost],
      ['removes', removes.join(', ')],
      ['works until', expiresAt],
      ['link', link ? `${link} (shown only now)` : 'mailed'],
    ]),
});

export const accountLifeCommands = [invite, verify, remove, restore, recoveryLink];
