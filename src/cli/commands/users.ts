import { z } from 'zod';
import { type Account, personalWords } from '../../accounts/index.ts';
import { AppError } from '../../shared/errors.ts';
import { asAccountId } from '../../shared/ids.ts';
import { defineCommand, wrongCursor } from '../command.ts';
import { type Domains, operator } from '../domains.ts';
import { dated, facts, table } from '../render.ts';

/** Whom a command is about, as it is typed. */
export const login = z.string().min(1).max(320).describe('Id, email or username.');
const password = z
  .string()
  .min(8, 'A password needs 8 characters or more.')
  .max(256, 'A password has 256 characters at most.')
  .optional();

const mustChange = z
  .boolean()
  .optional()
  .describe(
    'Whether they choose another one when they sign in. Default: yes for a random password, no for a given one.',
  );

/** Finds whom a command is about. @throws AppError `not_found`. */
export async function getAccount({ accounts }: Domains, text: string): Promise<Account> {
  const found = (await accounts.find(asAccountId(text))) ?? (await accounts.findByLogin(text));
  if (found) return found;
  throw new AppError('not_found', `There is no account ${text}.`);
}

type Facts = Parameters<typeof facts>[0];

const describeAccount = (account: ReturnType<typeof dated<Account>>, more: Facts = []): string =>
  facts([
    ['id', account.id],
    ['email', `${account.email} (${account.emailVerified ? 'confirmed' : 'not confirmed'})`],
    ['username', account.username],
    ['name', account.profile.name],
    ['status', account.status],
    ['roles', account.roles.join(', ')],
    ['created', account.createdAt],
    ...more,
  ]);

const shownOnce = (text: string | undefined): string =>
  text === undefined ? '' : `\n\nPassword, shown only now: ${text}`;

const create = defineCommand({
  name: 'users create',
  summary: 'Make an account. Without --password-stdin it gets a random password, which is printed once.',
  makesDatabase: true,
  schema: z.object({
    email: z.string().max(320).describe('Mail address.'),
    username: z.string().max(64).optional().describe('Name to sign in with beside the address.'),
    name: z.string().max(200).optional().describe('Full name.'),
    admin: z.boolean().default(false).describe('Give it the role admin.'),
    emailVerified: z.boolean().default(true).describe('Whether the address is known to be theirs. Default: yes.'),
    mustChange,
    password,
  }),
  stdin: { 'password-stdin': 'password' },
  fields: { 'profile.name': 'name' },
  example: 'sallyport users create --email alex@example.com --username alex --name "Alex Doe"',
  async run(input, domains) {
    if (input.password !== undefined) {
      const personal = [input.email, input.username ?? '', input.name ?? ''];
      await domains.passwordPolicy.enforce(input.password, { personal, secondFactor: false });
    }
    const account = await domains.accounts.create(
      {
        email: input.email,
        username: input.username,
        emailVerified: input.emailVerified,
        roles: input.admin ? ['admin'] : [],
        profile: { name: input.name },
      },
      operator,
    );
    const secret = input.password ?? (await domains.passwordPolicy.generate());
    await domains.credentials.setPassword(account.id, secret, {
      actor: operator,
      mustChange: input.mustChange ?? input.password === undefined,
    });
    return { ...dated(account), ...(input.password === undefined && { password: secret }) };
  },
  render: (result) => `${describeAccount(result)}${shownOnce(result.password)}`,
});

const list = defineCommand({
  name: 'users list',
  summary: 'List accounts, newest first.',
  schema: z.object({
    search: z.string().max(254).optional().describe('Part of a name, username or address.'),
    limit: z.coerce.number().int().min(1).max(100).default(50).describe('How many, 100 at most. Default: 50.'),
    after: z.string().max(100).optional().describe('Id of the last account of the page before.'),
  }),
  async run({ search, limit, after }, { accounts }) {
    const cursor = after === undefined ? undefined : asAccountId(after);
    if (cursor !== undefined && !(await accounts.find(cursor))) wrongCursor(`There is no account ${cursor}.`);
    return (await accounts.list({ limit, search, after: cursor })).map(dated);
  },
  render: (accounts) =>
    table(
      ['id', 'email', 'username', 'name', 'status', 'created'],
      accounts.map((account) => [
        account.id,
        account.email,
        account.username ?? '',
        account.profile.name ?? '',
        account.status,
        account.createdAt,
      ]),
      'There are no such accounts.',
    ),
});

const show = defineCommand({
  name: 'users show',
  summary: 'Show an account and which factors it has.',
  schema: z.object({ user: login }),
  positional: 'user',
  async run({ user }, domains) {
    const account = await getAccount(domains, user);
    const [factors, passkeys] = await Promise.all([
      domains.credentials.factorsOf(account.id),
      domains.passkeys.countOf(account.id),
    ]);
    return { ...dated(account), factors: { ...factors, passkeys } };
  },
  render: (account) =>
    describeAccount(account, [
      ['password', account.factors.password],
      ['authenticator', account.factors.totp],
      ['backup codes', account.factors.backupCodes],
      ['passkeys', account.factors.passkeys],
    ]),
});

const change = (verb: 'disable' | 'enable', summary: string, done: string) =>
  defineCommand({
    name: `users ${verb}`,
    summary,
    schema: z.object({ user: login }),
    positional: 'user',
    run: async ({ user }, domains) =>
      dated(await domains.accounts[verb]((await getAccount(domains, user)).id, operator)),
    render: (account) => `${account.email} ${done}`,
  });

const setPassword = defineCommand({
  name: 'users set-password',
  summary: 'Replace a password. Without --password-stdin a random one is made and printed once.',
  schema: z.object({ user: login, mustChange, password }),
  positional: 'user',
  stdin: { 'password-stdin': 'password' },
  async run(input, domains) {
    const account = await getAccount(domains, input.user);
    if (input.password !== undefined) {
      await domains.passwordPolicy.enforce(input.password, {
        accountId: account.id,
        personal: personalWords(account),
        secondFactor: (await domains.credentials.factorsOf(account.id)).totp,
      });
    }
    const secret = input.password ?? (await domains.passwordPolicy.generate(account.id));
    await domains.credentials.setPassword(account.id, secret, {
      actor: operator,
      mustChange: input.mustChange ?? input.password === undefined,
    });
    return { id: account.id, email: account.email, ...(input.password === undefined && { password: secret }) };
  },
  render: (result) => `${result.email} has a new password.${shownOnce(result.password)}`,
});

const requirePasswordChange = defineCommand({
  name: 'users require-password-change',
  summary: 'Have somebody choose another password when they sign in, for example when others may know it.',
  schema: z.object({ user: login }),
  positional: 'user',
  async run({ user }, domains) {
    const account = await getAccount(domains, user);
    if (!(await domains.passwordPolicy.requireChange(account.id, { actor: operator }))) {
      throw new AppError('conflict', `${account.email} has no password.`);
    }
    return { id: account.id, email: account.email };
  },
  render: ({ email }) => `${email} chooses another password at the next sign-in.`,
});

const resetSecondFactor = defineCommand({
  name: 'users reset-second-factor',
  summary: 'Take the authenticator and the backup codes away, for somebody who lost them.',
  schema: z.object({ user: login }),
  positional: 'user',
  async run({ user }, domains) {
    const { id, email } = await getAccount(domains, user);
    const { credentials, passkeys, passwordPolicy } = domains;
    const [left, { totp, backupCodes }] = await Promise.all([passkeys.countOf(id), credentials.factorsOf(id)]);
    const alone = !passkeys.usable || left === 0;
    // First: a short password must not open anything alone, not even when the rest of this fails.
    const mustChange = alone && (await passwordPolicy.isShortAlone(id));
    if (mustChange) await passwordPolicy.requireChange(id, { actor: operator });
    await credentials.totp.remove(id, { actor: operator });
    return { id, email, mustChange, removed: totp || backupCodes > 0, passkeys: left };
  },
  render: ({ email, mustChange, removed, passkeys }) => {
    const done = removed
      ? `The authenticator and the backup codes of ${email} are gone.`
      : `${email} has no authenticator, so nothing was taken away.`;
    const left =
      passkeys > 0
        ? ` ${passkeys === 1 ? 'A passkey stays' : `${passkeys} passkeys stay`}.`
        : ' They sign in without a second factor until they set one up.';
    const next = mustChange ? ' Their password is short without one: they choose another at the next sign-in.' : '';
    return `${done}${left}${next}`;
  },
});

export const userCommands = [
  create,
  list,
  show,
  change('disable', 'Stop an account from signing in.', 'can no longer sign in.'),
  change('enable', 'Let a disabled or locked account sign in again.', 'can sign in.'),
  setPassword,
  requirePasswordChange,
  resetSecondFactor,
];
