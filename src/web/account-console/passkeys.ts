import type { Context } from 'koa';
import type { SecurityState } from '../../account-settings/index.ts';
import { mostPasskeys, type Passkey } from '../../passkeys/index.ts';
import { AppError } from '../../shared/errors.ts';
import type { AccountPasskeyAddPage, AccountPasskeyPage, AccountPasskeyRow } from '../account-models.ts';
import type { Form } from '../http/form.ts';
import { metaOf } from '../request-meta.ts';
import { type AccountPage, type AccountVisit, seeDone } from './account-pages.ts';
import { bindingOf, dateOf, type SecuritySurface } from './security-surface.ts';

const rowOf = ({ id, name, provider, synced, backedUp, createdAt, lastUsedAt }: Passkey): AccountPasskeyRow => ({
  id,
  name,
  // It is often the name already.
  provider: provider === name ? undefined : provider,
  synced,
  backedUp,
  addedAt: new Date(createdAt),
  usedAt: dateOf(lastUsedAt),
});

/** Whether a passkey makes the password alone open nothing any more. */
const isFirstSecondStep = ({ factors, secondFactor }: SecurityState): boolean => factors.password && !secondFactor;

/** The list of passkeys. */
export const passkeysPage = ({ settings, passkeys, pages }: SecuritySurface): AccountPage => ({
  path: '/passkeys',
  notices: {
    added: 'The passkey is added. It opens both doors at your next sign-in.',
    'added-first':
      'The passkey is added, and opens both doors at once. From now on a sign-in with your password asks for it too.',
    'added-beside': 'The passkey is added. Use it at your next sign-in, in the place of your password and code.',
    renamed: 'The passkey has its new name.',
    removed: 'The passkey is removed. Your browser may still offer it until you delete it there as well.',
  },
  async show(ctx, { account, shell, done }) {
    const state = await settings.securityState(account);
    await pages.show(ctx, 'account-passkeys', {
      shell,
      done,
      usable: state.passkeysUsable,
      passkeys: state.passkeys.map(rowOf),
      full: state.passkeys.length >= mostPasskeys,
      isFirstSecondStep: isFirstSecondStep(state),
      needsBackupCodes: state.factors.password && state.secondFactor && state.factors.backupCodes === 0,
      signals: await passkeys.accountSignals(account),
    });
  },
});

/** What a page says of a refusal, and at which field. Anything else is not for the page. */
function problemOf(error: unknown): { problem?: string; nameError?: string } {
  if (!(error instanceof AppError) || !['invalid_input', 'expired', 'conflict'].includes(error.code)) throw error;
  const nameError = error.details.fields?.name;
  return nameError === undefined ? { problem: error.message } : { nameError };
}

async function showAdd(
  { settings, pages }: SecuritySurface,
  ctx: Context,
  visit: AccountVisit,
  more: Pick<AccountPasskeyAddPage, 'name' | 'nameError' | 'problem'> = {},
): Promise<void> {
  const { account, shell, done } = visit;
  const state = await settings.securityState(account);
  const { passkeysUsable, passkeys } = state;
  if (!passkeysUsable || passkeys.length >= mostPasskeys) return void ctx.redirect('/account/passkeys');
  const options = await settings.beginPasskey(account, bindingOf(visit, 'passkey'));
  const status = more.nameError === undefined && more.problem === undefined ? 200 : 422;
  await pages.show(
    ctx,
    'account-passkey-add',
    { shell, done, options, isFirstSecondStep: isFirstSecondStep(state), ...more },
    status,
  );
}

async function add(surface: SecuritySurface, ctx: Context, visit: AccountVisit, form: Form): Promise<void> {
  const name = form.get('name') ?? '';
  const response = form.get('passkey') ?? '';
  if (response === '') {
    const problem = 'No passkey came from your browser. Adding one needs JavaScript and a browser that knows passkeys.';
    return showAdd(surface, ctx, visit, { name, problem });
  }
  const before = await surface.settings.securityState(visit.account);
  try {
    const input = { binding: bindingOf(visit, 'passkey'), response, name };
    const { synced } = await surface.settings.addPasskey(visit.account, input, metaOf(ctx));
    // It was shown just now: this session need not show it again for the next page.
    await surface.renewSession(ctx, { secondFactor: synced ? 'swk' : 'hwk' });
  } catch (error) {
    return showAdd(surface, ctx, visit, { name, ...problemOf(error) });
  }
  seeDone(ctx, '/passkeys', isFirstSecondStep(before) ? 'added-first' : before.factors.totp ? 'added-beside' : 'added');
}

/** The page where a passkey is added. */
export const addPasskeyPage = (surface: SecuritySurface): AccountPage => ({
  path: '/passkeys/add',
  fresh: true,
  show: (ctx, visit) => showAdd(surface, ctx, visit),
  submit: (ctx, visit, form) => add(surface, ctx, visit, form),
});

/** New options for that page, when it stayed open longer than its challenge. */
export const passkeyOptionsPage = ({ settings }: SecuritySurface): AccountPage => ({
  path: '/passkeys/options',
  fresh: true,
  async show(ctx, visit) {
    ctx.body = await settings.beginPasskey(visit.account, bindingOf(visit, 'passkey'));
  },
});

async function showOne(
  { settings, pages }: SecuritySurface,
  ctx: Context,
  { account, shell, done }: AccountVisit,
  more: Pick<AccountPasskeyPage, 'name' | 'nameError' | 'problem'> = {},
): Promise<void> {
  const { passkeys } = await settings.securityState(account);
  const passkey = passkeys.find(({ id }) => id === ctx.params.id);
  if (!passkey) throw new AppError('not_found', 'There is no such passkey. It may have been removed.');
  const status = more.nameError === undefined && more.problem === undefined ? 200 : more.problem ? 409 : 422;
  await pages.show(ctx, 'account-passkey', { shell, done, passkey: rowOf(passkey), ...more }, status);
}

async function change(surface: SecuritySurface, ctx: Context, visit: AccountVisit, form: Form): Promise<void> {
  const { account } = visit;
  const passkeyId = String(ctx.params.id);
  const name = form.get('name') ?? '';
  const removes = form.get('action') === 'remove';
  try {
    if (removes) await surface.settings.removePasskey(account, passkeyId, metaOf(ctx));
    else await surface.settings.renamePasskey(account, { passkeyId, name }, metaOf(ctx));
  } catch (error) {
    return showOne(surface, ctx, visit, { ...(removes ? {} : { name }), ...problemOf(error) });
  }
  seeDone(ctx, '/passkeys', removes ? 'removed' : 'renamed');
}

/** The page of one passkey. It comes after the others below its path. */
export const passkeyPage = (surface: SecuritySurface): AccountPage => ({
  path: '/passkeys/:id',
  fresh: true,
  show: (ctx, visit) => showOne(surface, ctx, visit),
  submit: (ctx, visit, form) => change(surface, ctx, visit, form),
});
