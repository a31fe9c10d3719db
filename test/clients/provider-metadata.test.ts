import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import Provider, { type AdapterPayload, type Configuration } from 'oidc-provider';
import {
  type Client,
  type ClientKind,
  type ClientStore,
  createClients,
  type NewClient,
  ownMetadata,
  toProviderMetadata,
} from '../../src/clients/index.ts';
import { systemClock } from '../../src/shared/clock.ts';

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwks = { keys: [{ ...key.publicKey.export({ format: 'jwk' }), kty: 'EC' }] };

/** A client as the domain makes it, without a database. */
async function made(input: NewClient): Promise<Client> {
  const store = {
    transaction: (work: () => Promise<unknown>) => work(),
    insert: async () => true,
    addSecret: async () => undefined,
  } as unknown as ClientStore;
  const audit = { record: async () => undefined, list: async () => [] };
  const clients = createClients({ store, clock: systemClock, audit, allowLoopbackHttp: true });
  return (await clients.create(input, { kind: 'operator' })).client;
}

function providerOf(metadata: Readonly<Record<string, unknown>>): Provider {
  const configuration: Configuration = {
    adapter: (() => ({ find: async () => metadata as AdapterPayload })) as unknown as NonNullable<
      Configuration['adapter']
    >,
    jwks: { keys: [{ ...key.privateKey.export({ format: 'jwk' }), kid: 'k' }] } as NonNullable<Configuration['jwks']>,
    cookies: { keys: ['a key for tests only'] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      backchannelLogout: { enabled: true },
    },
    responseTypes: ['code', 'code id_token', 'id_token'],
    scopes: ['openid', 'profile', 'email', 'address', 'phone', 'offline_access'],
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    extraClientMetadata: { properties: [...ownMetadata] },
  };
  return new Provider('http://localhost:3000', configuration);
}

const redirect = { redirect_uris: ['https://app.example/cb'], post_logout_redirect_uris: ['https://app.example/'] };
const inputs: [string, NewClient][] = [
  ['web', { name: 'App', kind: 'web', metadata: redirect, firstParty: true, requireSecondFactor: true }],
  ['spa', { name: 'App', kind: 'spa', metadata: { redirect_uris: ['http://localhost:8080/cb'] } }],
  [
    'native',
    { name: 'App', kind: 'native', metadata: { redirect_uris: ['http://127.0.0.1/cb', 'com.example.app:/cb'] } },
  ],
  ['machine', { name: 'App', kind: 'machine', apis: { 'https://api.example': ['a'] } }],
  ['service', { name: 'App', kind: 'service', metadata: { token_endpoint_auth_method: 'client_secret_post' } }],
  [
    'web with an ID token in front',
    { name: 'App', kind: 'web', metadata: { ...redirect, response_types: ['code id_token'] } },
  ],
  [
    'web with nothing but an ID token',
    { name: 'App', kind: 'web', metadata: { ...redirect, grant_types: [], response_types: ['id_token'] } },
  ],
  [
    'web with keys',
    { name: 'App', kind: 'web', metadata: { ...redirect, token_endpoint_auth_method: 'private_key_jwt', jwks } },
  ],
  [
    'web with everything',
    {
      name: 'App',
      kind: 'web',
      metadata: {
        ...redirect,
        scope: 'openid email',
        client_uri: 'https://app.example/',
        logo_uri: 'https://app.example/logo.svg',
        policy_uri: 'https://app.example/privacy',
        tos_uri: 'https://app.example/terms',
        initiate_login_uri: 'https://app.example/login',
        contacts: ['ops@app.example'],
        jwks_uri: 'https://app.example/jwks',
        backchannel_logout_uri: 'https://app.example/logout',
        backchannel_logout_session_required: true,
        default_max_age: 3600,
        require_auth_time: true,
        require_pushed_authorization_requests: true,
      },
    },
  ],
];

describe('clients as oidc-provider sees them', () => {
  for (const [what, input] of inputs) {
    it(`are accepted: ${what}`, async () => {
      const client = await made(input);
      const metadata = toProviderMetadata(client);
      const seen = await providerOf(metadata).Client.find(client.id);
      if (!seen) throw new Error('The client was not found.');
      expect(seen.clientId).to.equal(client.id);
      expect(seen.applicationType).to.equal(client.kind === 'native' ? 'native' : 'web');
      expect(seen.tokenEndpointAuthMethod).to.equal(client.metadata.token_endpoint_auth_method);
      const front = client.metadata.response_types.some((type) => type.includes('id_token'));
      expect(seen.grantTypes).to.deep.equal([...client.metadata.grant_types, ...(front ? ['implicit'] : [])]);
      expect(seen.responseTypes).to.deep.equal(client.metadata.response_types);
      expect(seen.redirectUris).to.deep.equal(client.metadata.redirect_uris);
      expect(seen.idTokenSignedResponseAlg).to.equal('ES256');
      expect(seen.first_party).to.equal(client.firstParty);
      expect(seen.require_second_factor).to.equal(client.requireSecondFactor);
      expect(seen.require_pkce).to.equal(true);
      // Nothing that we keep gets lost on the way.
      const lost = Object.keys(metadata).filter((name) => !(name in seen.metadata()));
      expect(lost).to.deep.equal([]);
    });
  }

  it('have a placeholder for a secret only where the method needs one, and it says nothing', async () => {
    const kinds: [ClientKind, boolean][] = [
      ['web', true],
      ['spa', false],
    ];
    for (const [kind, has] of kinds) {
      const client = await made({ name: 'App', kind, metadata: redirect });
      const again = toProviderMetadata({ ...client });
      expect('client_secret' in again).to.equal(has);
      if (has)
        expect(again.client_secret)
          .to.match(/^[\w-]{43}$/)
          .and.not.include(client.id);
      expect(again).to.deep.equal(toProviderMetadata(client));
    }
    const one = await made({ name: 'App', kind: 'web', metadata: redirect });
    const two = await made({ name: 'App', kind: 'web', metadata: redirect });
    expect(toProviderMetadata(one).client_secret).to.not.equal(toProviderMetadata(two).client_secret);
  });

  it('cost nothing the second time', async () => {
    const client = await made({ name: 'App', kind: 'web', metadata: redirect });
    expect(toProviderMetadata(client)).to.equal(toProviderMetadata(client));
  });
});
