import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { createSqlApiStore } from '../../src/apis/api-store-sql.ts';
import { createApis } from '../../src/apis/index.ts';
import { createSqlAuditStore } from '../../src/audit/audit-store-sql.ts';
import { type Actor, createAuditLog } from '../../src/audit/index.ts';
import { createSqlClientStore } from '../../src/clients/client-store-sql.ts';
import { type Client, type Clients, createClients, type NewClient } from '../../src/clients/index.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { sha256 } from '../../src/shared/crypto.ts';
import { asClientId } from '../../src/shared/ids.ts';
import type { Database } from '../../src/storage/database.ts';
import { sqlLanes, testDatabase } from '../support/database.ts';
import { refusal } from '../support/refusal.ts';

const operator: Actor = { kind: 'operator' };
const unique = (): string => randomBytes(6).toString('hex');
const redirect = { redirect_uris: ['https://app.example/cb'] };
const publicJwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
const deviceGrants = ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'];
const jwks = { keys: [{ ...publicJwk, kty: 'EC' }] };

for (const lane of sqlLanes()) {
  describe(`clients on ${lane}`, () => {
    let database: Database;
    let clock: FixedClock;
    let clients: Clients;
    let elsewhere: Clients;
    let audit: ReturnType<typeof createAuditLog>;

    before(async () => {
      database = await testDatabase(lane);
    });

    beforeEach(() => {
      clock = new FixedClock();
      audit = createAuditLog(createSqlAuditStore(database), clock);
      const needs = { store: createSqlClientStore(database), clock, audit };
      clients = createClients(needs);
      elsewhere = createClients(needs);
    });

    const make = (extra: Partial<NewClient> = {}): ReturnType<Clients['create']> =>
      clients.create({ name: 'App', kind: 'web', metadata: redirect, ...extra }, operator);

    it('come back as they were made, with the presets of their kind', async () => {
      const { client, secret } = await make();
      expect(await elsewhere.find(client.id)).to.deep.equal(client);
      expect(client.id).to.match(/^app_[0-9a-z]{20}$/);
      expect(secret).to.match(/^scs_/);
      expect(client).to.deep.include({ firstParty: false, requirePkce: true, mayIntrospect: false, disabled: false });
      expect(client.metadata).to.deep.equal({
        redirect_uris: ['https://app.example/cb'],
        post_logout_redirect_uris: [],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'client_secret_basic',
        id_token_signed_response_alg: 'ES256',
        scope: 'openid profile email address phone offline_access',
      });
    });

    const presets: [NewClient['kind'], NewClient['metadata'], string, string[], boolean][] = [
      ['spa', redirect, 'none', ['authorization_code', 'refresh_token'], false],
      ['native', { redirect_uris: ['com.example.app:/cb'] }, 'none', ['authorization_code', 'refresh_token'], false],
      ['native', { grant_types: [...deviceGrants] }, 'none', [...deviceGrants], false],
      ['machine', {}, 'client_secret_basic', ['client_credentials'], true],
      ['service', {}, 'client_secret_basic', [], true],
      [
        'web',
        { ...redirect, token_endpoint_auth_method: 'private_key_jwt', jwks },
        'private_key_jwt',
        ['authorization_code', 'refresh_token'],
        false,
      ],
    ];
    for (const [kind, metadata, method, grants, hasSecret] of presets) {
      it(`of kind ${kind} with ${method} start right`, async () => {
        const { client, secret } = await make({ kind, metadata });
        expect(client.metadata.token_endpoint_auth_method).to.equal(method);
        expect(client.metadata.grant_types).to.deep.equal(grants);
        expect(secret !== undefined).to.equal(hasSecret);
        expect(client.mayIntrospect).to.equal(false);
      });
    }

    it('that are services of named APIs do not get the right to introspect everything', async () => {
      const { client } = await make({ kind: 'service', metadata: {}, apis: { 'https://api.example': [] } });
      expect(client.mayIntrospect).to.equal(false);
    });

    it('may have an id of their own, once', async () => {
      const id = `own-${unique()}`;
      const tries = await Promise.allSettled(Array.from({ length: 20 }, () => make({ id })));
      expect(tries.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
      expect((await refusal(make({ id }))).details.fields).to.have.keys('id');
      const secrets = await database.sql('client_secret').where({ client_id: id });
      expect(secrets).to.have.length(1);
    });

    const unacceptable: [string, Record<string, unknown>, string][] = [
      ['no redirect URI', { metadata: {} }, 'redirect_uris'],
      ['plain http', { metadata: { redirect_uris: ['http://app.example/cb'] } }, 'redirect_uris'],
      [
        'one bad redirect URI among good ones',
        { metadata: { redirect_uris: [...redirect.redirect_uris, 'https://*.example/'] } },
        'redirect_uris',
      ],
      [
        'a bad address to go to after signing out',
        { metadata: { ...redirect, post_logout_redirect_uris: ['javascript:alert(1)'] } },
        'post_logout_redirect_uris',
      ],
      [
        '51 redirect URIs',
        { metadata: { redirect_uris: Array.from({ length: 51 }, (_, index) => `https://app.example/${index}`) } },
        'redirect_uris',
      ],
      ['redirect URIs of a machine', { kind: 'machine', metadata: redirect }, 'redirect_uris'],
      ['the implicit grant', { metadata: { ...redirect, grant_types: ['implicit'] } }, 'grant_types'],
      ['the password grant', { metadata: { ...redirect, grant_types: ['password'] } }, 'grant_types'],
      [
        'a machine that signs people in',
        { kind: 'machine', metadata: { grant_types: ['authorization_code'] } },
        'grant_types',
      ],
      [
        'client_credentials of a public client',
        { kind: 'spa', metadata: { ...redirect, grant_types: ['client_credentials'] } },
        'grant_types',
      ],
      ['the device grant for a browser app', { kind: 'spa', metadata: { grant_types: deviceGrants } }, 'grant_types'],
      [
        'refresh without code',
        { metadata: { ...redirect, grant_types: ['refresh_token'], response_types: [] } },
        'grant_types',
      ],
      ['the response type token', { metadata: { ...redirect, response_types: ['token'] } }, 'response_types'],
      [
        'the response type id_token of a public client',
        { kind: 'spa', metadata: { ...redirect, response_types: ['code id_token'] } },
        'response_types',
      ],
      [
        'an ID token through the browser to this machine',
        { metadata: { redirect_uris: ['https://localhost/cb'], response_types: ['code id_token'] } },
        'redirect_uris',
      ],
      [
        'the response type id_token with the grant of a code',
        { metadata: { ...redirect, response_types: ['id_token'] } },
        'response_types',
      ],
      ['code together with a token', { metadata: { ...redirect, response_types: ['code token'] } }, 'response_types'],
      [
        'a public web client',
        { metadata: { ...redirect, token_endpoint_auth_method: 'none' } },
        'token_endpoint_auth_method',
      ],
      [
        'a browser app with a secret',
        { kind: 'spa', metadata: { ...redirect, token_endpoint_auth_method: 'client_secret_basic' } },
        'token_endpoint_auth_method',
      ],
      [
        'client_secret_jwt',
        { metadata: { ...redirect, token_endpoint_auth_method: 'client_secret_jwt' } },
        'token_endpoint_auth_method',
      ],
      [
        'private_key_jwt without keys',
        { metadata: { ...redirect, token_endpoint_auth_method: 'private_key_jwt' } },
        'jwks',
      ],
      ['a symmetric key', { metadata: { ...redirect, jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } } }, 'jwks'],
      ['two sources of keys', { metadata: { ...redirect, jwks, jwks_uri: 'https://app.example/jwks' } }, 'jwks'],
      ['keys over plain http', { metadata: { ...redirect, jwks_uri: 'http://app.example/jwks' } }, 'jwks_uri'],
      ['a logo that is a script', { metadata: { ...redirect, logo_uri: 'javascript:alert(1)' } }, 'logo_uri'],
      ['a scope of an API as identity scope', { metadata: { ...redirect, scope: 'openid notes:read' } }, 'scope'],
      [
        'HS256 ID tokens',
        { metadata: { ...redirect, id_token_signed_response_alg: 'HS256' } },
        'id_token_signed_response_alg',
      ],
      [
        'unsigned ID tokens',
        { metadata: { ...redirect, id_token_signed_response_alg: 'none' } },
        'id_token_signed_response_alg',
      ],
      ['a public client without PKCE', { kind: 'spa', requirePkce: false }, 'requirePkce'],
      ['metadata that does not exist', { metadata: { ...redirect, client_secret: 'mine' } }, 'client_secret'],
      ['a field that does not exist', { disabled: true }, 'disabled'],
      ['an id of an account', { id: 'acc_abcdef' }, 'id'],
      ['an id with spaces', { id: 'my app' }, 'id'],
      ['no name', { name: ' ' }, 'name'],
      ['a name that turns text around', { name: 'App\u202e' }, 'name'],
      [
        'a machine with all scopes of an API',
        { kind: 'machine', metadata: {}, apis: { 'https://api.example': [] } },
        'apis',
      ],
    ];
    for (const [what, input, field] of unacceptable) {
      it(`refuse ${what}`, async () => {
        const before = await database.sql('client').count();
        const error = await refusal(make(input as Partial<NewClient>));
        expect(error.code).to.equal('invalid_input');
        expect(error.details.fields).to.have.any.keys(field);
        expect(await database.sql('client').count()).to.deep.equal(before);
      });
    }

    it('name every problem at once', async () => {
      const metadata = { redirect_uris: ['http://a.example'], logo_uri: 'x', grant_types: ['password'] };
      const error = await refusal(make({ metadata }));
      expect(error.details.fields).to.include.keys('redirect_uris', 'logo_uri', 'grant_types');
    });

    it('may use http on this machine where the server allows it', async () => {
      const metadata = { redirect_uris: ['http://localhost:8080/cb'] };
      await refusal(make({ metadata }));
      const lenient = createClients({ store: createSqlClientStore(database), clock, audit, allowLoopbackHttp: true });
      const { client } = await lenient.create({ name: 'App', kind: 'web', metadata }, operator);
      expect(client.metadata.redirect_uris).to.deep.equal(metadata.redirect_uris);
    });

    it('can only name APIs and scopes that exist', async () => {
      const apis = createApis({ store: createSqlApiStore(database), clock, audit });
      const identifier = `https://${unique()}.example`;
      const scopes = [{ name: 'notes:read', description: 'Read' }];
      await apis.create({ identifier, name: 'Notes', scopes }, operator);
      const strict = createClients({
        store: createSqlClientStore(database),
        clock,
        audit,
        checkResource: (name) => apis.find(name),
      });
      const input: NewClient = { name: 'App', kind: 'machine', metadata: {} };
      const { client } = await strict.create({ ...input, apis: { [identifier]: ['notes:read'] } }, operator);
      expect(client.apis).to.deep.equal({ [identifier]: ['notes:read'] });
      for (const wrong of [{ [identifier]: ['notes:write'] }, { 'https://other.example': ['notes:read'] }]) {
        expect((await refusal(strict.create({ ...input, apis: wrong }, operator))).details.fields).to.have.keys('apis');
        const update = strict.update(client.id, 1, { apis: wrong }, operator);
        expect((await refusal(update)).details.fields).to.have.keys('apis');
      }
    });

    it('change name by name, and are checked as a whole', async () => {
      const { client } = await make({ metadata: { ...redirect, logo_uri: 'https://app.example/logo.svg' } });
      clock.advance(10);
      const metadata = { logo_uri: null, scope: 'openid email' };
      const changed = await clients.update(client.id, 1, { metadata, firstParty: true }, operator);
      expect(changed).to.deep.equal(await elsewhere.find(client.id));
      expect(changed.metadata).to.deep.equal({
        ...pick(client),
        scope: 'openid email',
      });
      expect(changed).to.deep.include({
        firstParty: true,
        version: 2,
        updatedAt: clock.now(),
        createdAt: client.createdAt,
      });
      const error = await refusal(clients.update(client.id, 2, { metadata: { redirect_uris: [] } }, operator));
      expect(error.details.fields).to.have.keys('redirect_uris');
      expect((await refusal(clients.update(client.id, 1, { name: 'x' }, operator))).code).to.equal('conflict');
      expect((await refusal(clients.update(asClientId('app_none'), 1, { name: 'x' }, operator))).code).to.equal(
        'not_found',
      );
      const [row] = await audit.list({ subject: client.id, type: 'client.updated', limit: 5 });
      expect(row?.details).to.deep.equal({ fields: ['firstParty', 'logo_uri', 'scope'], disabled: false });
    });

    const pick = ({ metadata }: Client) => {
      const { logo_uri: _logo, ...rest } = metadata;
      return rest;
    };

    it('let one of 20 editors of the same version win', async () => {
      const { client } = await make();
      const edits = Array.from({ length: 20 }, (_, index) =>
        clients.update(client.id, 1, { name: `n${index}` }, operator),
      );
      const results = await Promise.allSettled(edits);
      expect(results.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
    });

    it('show a change here at once, and on another node when it hears of it or within five seconds', async () => {
      const { client } = await make();
      await elsewhere.find(client.id);
      await clients.update(client.id, 1, { disabled: true }, operator);
      expect((await clients.find(client.id))?.disabled).to.equal(true);
      expect((await elsewhere.find(client.id))?.disabled).to.equal(false);
      clock.advance(5);
      expect((await elsewhere.find(client.id))?.disabled).to.equal(true);
      await clients.update(client.id, 2, { disabled: false }, operator);
      elsewhere.hurry();
      expect((await elsewhere.find(client.id))?.disabled).to.equal(false);
    });

    it('are looked up from memory, also while the database is busy', async () => {
      const { client, secret } = await make();
      await clients.find(client.id);
      let queries = 0;
      const counting = (): void => {
        queries += 1;
      };
      database.sql.on('query', counting);
      for (let index = 0; index < 100; index += 1) {
        await clients.find(client.id);
        await clients.verifySecret(client.id, secret!);
      }
      database.sql.removeListener('query', counting);
      expect(queries).to.equal(0);
    });

    it('read inside a transaction are what the transaction sees, and nobody else sees it', async () => {
      const { client } = await make();
      await database
        .transaction(async () => {
          await clients.update(client.id, 1, { name: 'Never' }, operator);
          expect((await clients.find(client.id))?.name).to.equal('Never');
          throw new Error('undo');
        })
        .catch((error: Error) => expect(error.message).to.equal('undo'));
      expect((await clients.find(client.id))?.name).to.equal('App');
    });

    it('verify their secret and nothing else', async () => {
      const { client, secret } = await make();
      const { client: other } = await make();
      expect(await clients.verifySecret(client.id, secret!)).to.equal(true);
      for (const [id, wrong] of [
        [client.id, ''],
        [client.id, `${secret}x`],
        [client.id, sha256(secret!)],
        [other.id, secret!],
        ['app_none', secret!],
        ['', ''],
      ] as const) {
        expect(await clients.verifySecret(id, wrong), `${id} ${wrong}`).to.equal(false);
      }
      await clients.update(client.id, 1, { disabled: true }, operator);
      expect(await clients.verifySecret(client.id, secret!)).to.equal(false);
    });

    it('never store a secret readably', async () => {
      const { secret } = await make();
      const dump = JSON.stringify([
        await database.sql('client'),
        await database.sql('client_secret'),
        await database.sql('audit_event'),
      ]);
      expect(dump).to.include(sha256(secret!));
      expect(dump).to.not.include(secret!.slice(4));
    });

    it('have two secrets while they rotate, and the old one ends on time', async () => {
      const { client, secret: first } = await make();
      const second = await clients.rotateSecret(client.id, { overlapSeconds: 3600 }, operator);
      expect(await clients.verifySecret(client.id, first!)).to.equal(true);
      expect(await clients.verifySecret(client.id, second)).to.equal(true);
      clock.advance(3599.999);
      expect(await clients.verifySecret(client.id, first!)).to.equal(true);
      clock.advance(0.001);
      expect(await clients.verifySecret(client.id, first!)).to.equal(false);
      expect(await clients.verifySecret(client.id, second)).to.equal(true);
      const third = await clients.rotateSecret(client.id, { overlapSeconds: 0 }, operator);
      expect(await clients.verifySecret(client.id, second)).to.equal(false);
      expect(await clients.verifySecret(client.id, third)).to.equal(true);
      // What has ended is gone with the next rotation.
      expect(await database.sql('client_secret').where({ client_id: client.id })).to.have.length(1);
      await clients.rotateSecret(client.id, { overlapSeconds: 60 }, operator);
      expect(await database.sql('client_secret').where({ client_id: client.id })).to.have.length(2);
    });

    it('never give an old secret more time than it had', async () => {
      const { client, secret: first } = await make();
      await clients.rotateSecret(client.id, { overlapSeconds: 60 }, operator);
      await clients.rotateSecret(client.id, { overlapSeconds: 3600 }, operator);
      clock.advance(60);
      expect(await clients.verifySecret(client.id, first!)).to.equal(false);
    });

    it('keep one lasting secret when 20 rotations run at once', async () => {
      const { client } = await make();
      const rotations = Array.from({ length: 20 }, () =>
        clients.rotateSecret(client.id, { overlapSeconds: 60 }, operator),
      );
      const secrets = await Promise.all(rotations);
      clock.advance(61);
      const live = await Promise.all(secrets.map((secret) => clients.verifySecret(client.id, secret)));
      expect(live.filter(Boolean)).to.have.length(1);
    });

    it('do not rotate what they do not have, nor for a nonsense time', async () => {
      const { client: spa } = await make({ kind: 'spa' });
      expect((await refusal(clients.rotateSecret(spa.id, { overlapSeconds: 0 }, operator))).code).to.equal('conflict');
      const { client } = await make();
      for (const overlapSeconds of [-1, 0.5, Number.NaN, 90 * 86_400 + 1]) {
        const error = await refusal(clients.rotateSecret(client.id, { overlapSeconds }, operator));
        expect(error.code).to.equal('invalid_input');
      }
      const missing = clients.rotateSecret(asClientId('app_none'), { overlapSeconds: 0 }, operator);
      expect((await refusal(missing)).code).to.equal('not_found');
    });

    it('lose their secret with the method that used it', async () => {
      const { client, secret } = await make();
      const keyed = { token_endpoint_auth_method: 'private_key_jwt', jwks } as const;
      await clients.update(client.id, 1, { metadata: keyed }, operator);
      expect(await clients.verifySecret(client.id, secret!)).to.equal(false);
      await clients.update(client.id, 2, { metadata: { token_endpoint_auth_method: null, jwks: null } }, operator);
      expect(await clients.verifySecret(client.id, secret!)).to.equal(false);
      const next = await clients.rotateSecret(client.id, { overlapSeconds: 0 }, operator);
      expect(await clients.verifySecret(client.id, next)).to.equal(true);
    });

    it('are gone after they are removed, with their secrets', async () => {
      const { client, secret } = await make();
      await clients.remove(client.id, operator);
      expect(await clients.find(client.id)).to.equal(undefined);
      expect(await clients.verifySecret(client.id, secret!)).to.equal(false);
      expect(await database.sql('client_secret').where({ client_id: client.id })).to.have.length(0);
      expect((await refusal(clients.remove(client.id, operator))).code).to.equal('not_found');
      const types = (await audit.list({ subject: client.id, limit: 5 })).map(({ type }) => type).sort();
      expect(types).to.deep.equal(['client.created', 'client.removed']);
    });

    it('are listed newest first, page by page', async () => {
      clock.advance(36_500 * 86_400);
      const made: string[] = [];
      for (let index = 0; index < 3; index += 1) {
        clock.advance(1);
        made.unshift((await make()).client.id);
      }
      const first = await clients.list({ limit: 2 });
      expect(first.map(({ id }) => id)).to.deep.equal(made.slice(0, 2));
      const second = await clients.list({ limit: 1, after: first[1]?.id });
      expect(second.map(({ id }) => id)).to.deep.equal(made.slice(2));
      await database.sql('client').whereIn('id', made).delete();
    });
  });
}
