import type { Api } from '../../apis/index.ts';
import { noteAuditSession } from '../../audit/index.ts';
import type { Permissions } from '../../consents/index.ts';
import { allowedScopes } from '../../oidc/index.ts';
import { asAccountId } from '../../shared/ids.ts';
import { expired } from '../../sign-in/index.ts';
import { metaOf } from '../request-meta.ts';
import { scopeTexts } from '../scope-texts.ts';
import { appOf, type SignInSurface, seeOther, type Visit } from './context.ts';
import { sessionDoors } from './doors.ts';
import type { Remember } from './remember.ts';
import { dispatch, pageOfPrompt, signInAnew } from './steps.ts';

const union = (left: readonly string[], right: readonly string[]): string[] => [...new Set([...left, ...right])];

interface RequestedApi {
  readonly identifier: string;
  readonly api: Api | undefined;
  readonly scopes: readonly string[];
}

/** The APIs of this request and what of them the app gets. */
async function requestedApis(surface: SignInSurface, { interaction, client }: Visit): Promise<RequestedApi[]> {
  const identifiers = union(interaction.resources, Object.keys(interaction.missing.resources));
  return Promise.all(
    identifiers.map(async (identifier) => {
      const api = await surface.apis.find(identifier);
      const names = api?.scopes.map(({ name }) => name) ?? [];
      const offered = allowedScopes(client, identifier, names) ?? [];
      const asked = interaction.requestedScopes.filter((scope) => offered.includes(scope));
      return { identifier, api, scopes: union(asked, interaction.missing.resources[identifier] ?? []) };
    }),
  );
}

/** Everything that the person says yes to: the whole request, also what they allowed before and see again. */
function allPermissions({ interaction }: Visit, apis: readonly RequestedApi[]): Permissions {
  const { missing, requestedScopes } = interaction;
  return {
    scopes: union(
      missing.scopes,
      requestedScopes.filter((scope) => Object.hasOwn(scopeTexts, scope)),
    ),
    claims: missing.claims,
    resources: Object.fromEntries(apis.map(({ identifier, scopes }) => [identifier, scopes])),
  };
}

async function show(surface: SignInSurface, visit: Visit): Promise<void> {
  const { interaction, client, ctx } = visit;
  const account = interaction.session && (await surface.accounts.find(asAccountId(interaction.session.accountId)));
  if (!account) throw expired();
  const before = await surface.consents.find(account.id, client.id);
  const requested = await requestedApis(surface, visit);
  const apis = requested.map(({ identifier, api, scopes }) => ({
    name: api?.name ?? identifier,
    scopes: scopes.map((name) => ({
      icon: 'document' as const,
      text: api?.scopes.find((scope) => scope.name === name)?.description ?? name,
      isNew: before !== undefined && !before.resources[identifier]?.includes(name),
    })),
  }));
  const scopes = allPermissions(visit, requested).scopes.flatMap((name) => {
    const text = name === 'offline_access' ? undefined : scopeTexts[name];
    const value = name === 'email' ? account.email : name === 'phone' ? account.phoneNumber : undefined;
    return text ? [{ ...text, value, isNew: before !== undefined && !before.scopes.includes(name) }] : [];
  });
  const app = appOf(visit);
  await surface.pages.show(ctx, 'consent', {
    app,
    // Every client is registered by an operator; apps that register themselves do not exist yet.
    verified: true,
    scopes,
    apis: apis.map((api) => (api.scopes.length > 0 ? api : { ...api, scopes: [bareApi] })),
    offline: interaction.offlineAccess,
    account: account.email,
    doors: sessionDoors(interaction.session),
    redirectDomain: app.domain,
  });
}

/** What an app gets of an API when it asks for none of its scopes. */
const bareApi = { icon: 'document' as const, text: 'Show it who you are' };

export async function showConsent(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  if ((await pageOfPrompt(surface, visit)) !== 'consent') return dispatch(surface, remember, visit);
  return show(surface, visit);
}

export async function submitConsent(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  const { ctx, interaction, client } = visit;
  const form = await surface.forms.read(ctx);
  if ((await pageOfPrompt(surface, visit)) !== 'consent') return dispatch(surface, remember, visit);
  if (form.get('action') === 'restart') return signInAnew(surface, remember, visit);
  if (!interaction.session) throw expired();
  const accountId = asAccountId(interaction.session.accountId);
  const allowed = form.get('action') === 'continue';
  const permissions = allPermissions(visit, await requestedApis(surface, visit));
  if (!(await surface.interactions.claimAnswer(ctx))) throw expired();
  noteAuditSession(await surface.sessions.handleOf(interaction.session));
  await surface.audit.record({
    type: allowed ? 'consent.granted' : 'consent.denied',
    actor: { kind: 'account', id: accountId },
    outcome: 'success',
    subject: accountId,
    clientId: client.id,
    details: { scopes: permissions.scopes, claims: permissions.claims, apis: Object.keys(permissions.resources) },
    ...metaOf(ctx),
  });
  if (!allowed) return seeOther(ctx, await surface.interactions.refuse(ctx, 'The person did not allow it.'));
  await surface.consents.grant(accountId, client.id, permissions);
  seeOther(ctx, await surface.interactions.finishConsent(ctx, permissions));
}
