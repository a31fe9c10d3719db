import { AppError } from '../../shared/errors.ts';
import { asAccountId } from '../../shared/ids.ts';
import { doorsOf } from '../doors.ts';
import { metaOf } from '../request-meta.ts';
import { scopeTexts } from '../scope-texts.ts';
import { appOf, type SignInSurface, seeOther, type Visit } from './context.ts';
import type { Remember } from './remember.ts';
import { dispatch, pageOfPrompt, signInAnew } from './steps.ts';

const gone = (): AppError =>
  new AppError('expired', 'This sign-in has expired. Nothing is lost: start again from the app.');

async function show(surface: SignInSurface, visit: Visit): Promise<void> {
  const { interaction, client, ctx } = visit;
  const account = interaction.session && (await surface.accounts.find(asAccountId(interaction.session.accountId)));
  if (!account) throw gone();
  const before = await surface.consents.find(account.id, client.id);
  const apis = await Promise.all(
    Object.entries(interaction.missing.resources).map(async ([identifier, names]) => {
      const api = await surface.apis.find(identifier);
      const scopes = names.map((name) => ({
        icon: 'document' as const,
        text: api?.scopes.find((scope) => scope.name === name)?.description ?? name,
        isNew: before !== undefined && !before.resources[identifier]?.includes(name),
      }));
      return { name: api?.name ?? identifier, scopes };
    }),
  );
  const scopes = interaction.missing.scopes.flatMap((name) => {
    const text = name === 'offline_access' ? undefined : scopeTexts[name];
    const value = name === 'email' ? account.email : name === 'phone' ? account.phoneNumber : undefined;
    return text ? [{ ...text, value, isNew: before !== undefined && !before.scopes.includes(name) }] : [];
  });
  const app = appOf(visit);
  await surface.pages.show(ctx, 'consent', {
    app,
    verified: client.firstParty,
    scopes,
    apis,
    offline: interaction.offlineAccess,
    account: account.email,
    doors: doorsOf(interaction.session),
    redirectDomain: app.domain,
  });
}

export async function showConsent(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  if ((await pageOfPrompt(surface, visit)) !== 'consent') return dispatch(surface, remember, visit);
  return show(surface, visit);
}

export async function submitConsent(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  const { ctx, interaction, client } = visit;
  const form = await surface.forms.read(ctx);
  if ((await pageOfPrompt(surface, visit)) !== 'consent') return dispatch(surface, remember, visit);
  if (form.get('action') === 'restart') return signInAnew(surface, remember, visit);
  if (!interaction.session) throw gone();
  const accountId = asAccountId(interaction.session.accountId);
  const allowed = form.get('action') === 'continue';
  await surface.audit.record({
    type: allowed ? 'consent.granted' : 'consent.denied',
    actor: { kind: 'account', id: accountId },
    outcome: 'success',
    subject: accountId,
    clientId: client.id,
    details: { scopes: interaction.missing.scopes, apis: Object.keys(interaction.missing.resources) },
    ...metaOf(ctx),
  });
  if (!allowed) return seeOther(ctx, await surface.interactions.refuse(ctx, 'The person did not allow it.'));
  await surface.consents.grant(accountId, client.id, interaction.missing);
  seeOther(ctx, await surface.interactions.finishConsent(ctx, interaction.missing));
}
