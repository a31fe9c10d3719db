import { asAccountId } from '../../shared/ids.ts';
import { appOf, leave, type SignInSurface, seeOther, type Visit } from './context.ts';
import type { Remember } from './remember.ts';
import { dispatch, pageOfPrompt, signInAnew } from './steps.ts';

export async function showSelectAccount(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  const { interaction, ctx } = visit;
  const account = interaction.session && (await surface.accounts.find(asAccountId(interaction.session.accountId)));
  if ((await pageOfPrompt(surface, visit)) !== 'select-account' || !account) return dispatch(surface, remember, visit);
  await surface.pages.show(ctx, 'select-account', {
    app: appOf(visit),
    accounts: [
      { id: account.id, name: account.profile.name ?? account.username ?? account.email, detail: account.email },
    ],
  });
}

export async function submitSelectAccount(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  const { interaction, ctx } = visit;
  const form = await surface.forms.read(ctx);
  if ((await pageOfPrompt(surface, visit)) !== 'select-account') return dispatch(surface, remember, visit);
  if (form.get('action') === 'continue' && form.get('account') === interaction.session?.accountId) {
    return seeOther(ctx, await surface.interactions.finishSelectAccount(ctx));
  }
  if (form.get('action') === 'cancel') return leave(surface, visit);
  return signInAnew(surface, remember, visit);
}
