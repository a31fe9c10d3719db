import type { Account } from '../../accounts/index.ts';
import type { Apis } from '../../apis/index.ts';
import type { Clients } from '../../clients/index.ts';
import type { ConnectedApps, Consent } from '../../consents/index.ts';
import { asClientId } from '../../shared/ids.ts';
import { appCard } from '../app-card.ts';
import type { PageWriter } from '../page-writer.ts';
import { metaOf } from '../request-meta.ts';
import { textsOfScopes } from '../scope-texts.ts';
import { type AccountPage, seeDone } from './account-pages.ts';
import type { AccountAppsPage, AppRight } from './data-page-models.ts';

interface Needs {
  readonly connectedApps: ConnectedApps;
  readonly clients: Pick<Clients, 'find'>;
  readonly apis: Pick<Apis, 'find'>;
  readonly pages: PageWriter;
}

const path = '/apps';

/** What the app may do with the account itself, in the words of the consent page. */
function scopesOf({ scopes, claims }: Consent, account: Account): AppRight[] {
  const values: Partial<Record<string, string>> = { email: account.email, phone: account.phoneNumber };
  const known = textsOfScopes(scopes).map(([name, text]) => ({ ...text, value: values[name] }));
  const facts = claims.map((claim) => claim.replaceAll('_', ' ')).join(', ');
  return facts === '' ? known : [...known, { icon: 'person', text: 'See these facts about you', value: facts }];
}

async function apisOf({ apis }: Needs, { resources }: Consent): Promise<AccountAppsPage['apps'][number]['apis']> {
  return Promise.all(
    Object.entries(resources).map(async ([identifier, names]) => {
      const api = await apis.find(identifier);
      const scopes = names.map((name) => ({
        icon: 'document' as const,
        text: api?.scopes.find((scope) => scope.name === name)?.description ?? name,
      }));
      return {
        name: api?.name ?? identifier,
        scopes: scopes.length > 0 ? scopes : [{ icon: 'document' as const, text: 'Show it who you are' }],
      };
    }),
  );
}

async function appItem(needs: Needs, consent: Consent, account: Account): Promise<AccountAppsPage['apps'][number]> {
  const client = await needs.clients.find(consent.clientId);
  return {
    id: consent.clientId,
    app: client ? appCard(client) : { name: 'An app that is not registered any more', domain: consent.clientId },
    stopped: client === undefined || client.disabled,
    scopes: scopesOf(consent, account),
    apis: await apisOf(needs, consent),
    allowedAt: new Date(consent.grantedAt),
    ...(consent.lastUsedAt !== undefined && { lastUsed: new Date(consent.lastUsedAt) }),
  };
}

const lastSeen = ({ lastUsed, allowedAt }: AccountAppsPage['apps'][number]): number =>
  (lastUsed ?? allowedAt).getTime();

/** The apps that may use the account, and their end. */
export const createAppsPage = (needs: Needs): AccountPage => ({
  path,
  notices: {
    removed: 'That app has no access any more. It has to ask you again.',
    gone: 'That app had no access any more.',
  },

  async show(ctx, { account, shell, done }) {
    const consents = await needs.connectedApps.list(account.id);
    const apps = await Promise.all(consents.map((consent) => appItem(needs, consent, account)));
    apps.sort((one, other) => lastSeen(other) - lastSeen(one));
    await needs.pages.show(ctx, 'account-apps', { shell, done, apps });
  },

  async submit(ctx, { account }, form) {
    const by = { kind: 'account', id: account.id } as const;
    const clientId = asClientId(form.get('client') ?? '');
    const removed = await needs.connectedApps.disconnect(account.id, clientId, by, metaOf(ctx));
    seeDone(ctx, path, removed ? 'removed' : 'gone');
  },
});
