import { expect } from 'chai';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { newKeyId, newKeyText } from '../../src/api-keys/key-text.ts';
import { createApi, createClient, createPerson, enrolTotp, type Person } from '../support/people.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { fullestStoreLane } from '../support/store-lanes.ts';
import { type Answer, browserOf, withToken } from '../web/api-caller.ts';

const operator = { kind: 'operator' } as const;

for (const lane of fullestStoreLane()) {
  describe(`API keys over HTTP on ${lane.name}`, () => {
    const stack = new AsyncDisposableStack();
    let server: RunningApp;
    let person: Person;
    let [own, api] = ['', ''];
    let keySet: ReturnType<typeof createRemoteJWKSet>;

    before(async () => {
      server = await startApp({
        ...(await lane.env(stack)),
        SALLYPORT_API_KEYS: 'everyone',
        SALLYPORT_LIMIT_TOKEN: '10000',
      });
      person = await createPerson(server);
      own = `${server.url}/api/v1`;
      keySet = createRemoteJWKSet(new URL(`${server.url}/oauth2/jwks`));
      api = await createApi(server);
    });
    after(async () => {
      await server[Symbol.asyncDispose]();
      await stack.disposeAsync();
    });

    const issue = (more: object = {}) =>
      server.app.domains.apiKeys.create(
        {
          owner: { kind: 'account', id: person.account.id },
          name: 'Script',
          audience: own,
          scopes: ['account:read'],
          ...more,
        },
        operator,
      );
    const toToken = (text: string): Promise<Answer> => withToken(server, text)('POST', '/auth/api-key');
    const introspect = async (asker: Awaited<ReturnType<typeof createClient>>, token: string, accept = '*/*') => {
      const authorization = `Basic ${Buffer.from(`${asker.client.id}:${asker.secret}`).toString('base64')}`;
      const init = { method: 'POST', headers: { authorization, accept }, body: new URLSearchParams({ token }) };
      return (await (await fetch(`${server.url}/oauth2/introspect`, init)).json()) as Record<string, unknown>;
    };

    it('stand for their owner at our API with exactly their scopes, and never where a sign-in is wanted', async () => {
      const { text } = await issue({ scopes: ['account:read', 'account:security'] });
      const ask = withToken(server, text);
      expect((await ask('GET', '/me')).json.sub).to.equal(person.account.id);
      expect((await ask('PATCH', '/me', { name: 'Another' }, { 'if-match': '"1"' })).status).to.equal(403);
      expect((await ask('GET', '/me/sessions')).status).to.equal(200);
      for (const [method, path, body] of [
        ['POST', '/me/api-keys', { name: 'More', scopes: ['account:read'] }],
        ['DELETE', '/me/sessions', undefined],
      ] as const) {
        const answer = await ask(method, path, body);
        expect(answer.status, path).to.equal(401);
        expect(answer.headers.get('www-authenticate')).to.include('insufficient_user_authentication');
      }
      const token = (await toToken(text)).json.access_token;
      expect((await withToken(server, token)('GET', '/me')).json.sub, 'its token').to.equal(person.account.id);
      expect((await withToken(server, token)('DELETE', '/me/sessions')).status).to.equal(401);
    });

    it('that are wrong, of nobody, over or for another API are refused alike', async () => {
      const [mine, elsewhere, over] = [
        await issue(),
        await issue({ audience: api, scopes: ['notes:read'] }),
        await issue(),
      ];
      await server.app.domains.apiKeys.revoke(over.key.id, operator);
      const last = mine.text.endsWith('0') ? '1' : '0';
      const texts = [
        mine.text.slice(0, -1) + last,
        newKeyText(mine.key.id),
        newKeyText(newKeyId()),
        elsewhere.text,
        over.text,
        'spk_',
      ];
      const seen = new Set<string>();
      for (const text of texts) {
        const { status, json, headers } = await withToken(server, text)('GET', '/me');
        seen.add(JSON.stringify([status, json.detail, headers.get('www-authenticate')]));
      }
      expect([...seen]).to.have.length(1);
      expect([...seen][0]).to.match(/^\[401.*invalid_token/);
      for (const text of [texts[0], texts[2], over.text, 'x', ''])
        expect((await toToken(text ?? '')).status).to.equal(401);
    });

    it('become short signed tokens for their API, which end with them', async () => {
      const { key, text } = await issue({ audience: api, scopes: ['notes:read'] });
      const { status, json, headers } = await toToken(text);
      expect([status, json.token_type, json.scope, headers.get('cache-control')]).to.deep.equal([
        200,
        'Bearer',
        'notes:read',
        'no-store',
      ]);
      const { payload } = await jwtVerify(json.access_token, keySet, {
        issuer: server.url,
        audience: api,
        typ: 'at+jwt',
      });
      expect(payload).to.deep.include({ sub: person.account.id, scope: 'notes:read', client_id: 'sallyport-api-keys' });
      expect((payload.exp ?? 0) - (payload.iat ?? 0)).to.equal(json.expires_in);
      const service = await createClient(server, { kind: 'service', apis: { [api]: [] } });
      expect(await introspect(service, json.access_token))
        .to.deep.include({ active: true, sub: person.account.id })
        .and.not.have.property('lineage');
      await server.app.domains.apiKeys.revoke(key.id, operator);
      expect(await introspect(service, json.access_token)).to.deep.equal({ active: false });
    });

    it('of a service carry its name and end with it', async () => {
      const machine = await createClient(server, { kind: 'machine', apis: { [api]: ['notes:read'] } });
      const { text } = await issue({
        owner: { kind: 'client', id: machine.client.id },
        audience: api,
        scopes: ['notes:read'],
      });
      const token = (await toToken(text)).json.access_token;
      expect(decodeJwt(token)).to.deep.include({ sub: machine.client.id, client_id: machine.client.id, aud: api });
      const service = await createClient(server, { kind: 'service', apis: { [api]: [] } });
      expect(await introspect(service, token)).to.include({ active: true });
      await server.app.domains.clients.update(machine.client.id, 1, { disabled: true }, operator);
      expect(await introspect(service, token)).to.deep.equal({ active: false });
      expect(await introspect(service, text)).to.deep.equal({ active: false });
    });

    it('are introspected by the service of their API like a token, on every way there, and by nobody else', async () => {
      const { key, text } = await issue({ audience: api, scopes: ['notes:read', 'notes:write'] });
      const service = await createClient(server, { kind: 'service', apis: { [api]: [] } });
      const stranger = await createClient(server, { kind: 'service' });
      const wanted = {
        active: true,
        sub: person.account.id,
        aud: api,
        scope: 'notes:read notes:write',
        iss: server.url,
        key_id: key.id,
      };
      // The second way is the library's own handler, which knows no keys.
      const signedType = 'application/token-introspection+jwt';
      const library = await introspect(service, text, `application/json, ${signedType}`);
      for (const answer of [await introspect(service, text), library]) expect(answer).to.deep.include(wanted);
      for (const bad of [text.replace(/.$/, (char) => (char === '0' ? '1' : '0')), newKeyText(key.id)]) {
        expect(await introspect(service, bad)).to.deep.equal({ active: false });
      }
      expect(await introspect(stranger, text)).to.deep.equal({ active: false });
      for (const [asker, answer] of [
        [service, wanted],
        [stranger, { active: false }],
      ] as const) {
        const authorization = `Basic ${Buffer.from(`${asker.client.id}:${asker.secret}`).toString('base64')}`;
        const response = await fetch(`${server.url}/oauth2/introspect`, {
          method: 'POST',
          headers: { authorization, accept: signedType },
          body: new URLSearchParams({ token: text }),
        });
        expect([response.status, response.headers.get('content-type')]).to.deep.equal([200, signedType]);
        const { payload } = await jwtVerify(await response.text(), keySet, {
          issuer: server.url,
          audience: asker.client.id,
          typ: 'token-introspection+jwt',
        });
        expect(payload.token_introspection).to.deep.include(answer);
      }
      const ui = await fetch(`${server.url}/oauth2/userinfo`, { headers: { authorization: `Bearer ${text}` } });
      expect(ui.status).to.equal(401);
    });

    it('are used as often as they may be', async () => {
      const { text } = await issue({ rateLimit: 3 });
      const answers = await Promise.all(Array.from({ length: 8 }, () => withToken(server, text)('GET', '/me')));
      expect(answers.filter(({ status }) => status === 200)).to.have.length(3);
      const refused = answers.find(({ status }) => status === 429);
      expect(Number(refused?.headers.get('retry-after'))).to.be.within(1, 60);
      expect((await toToken(text)).status).to.equal(429);
    });

    it('make as many tokens as they may be used, and these are good for any number of requests', async () => {
      const { text } = await issue({ rateLimit: 3 });
      expect((await withToken(server, text)('GET', '/me')).status).to.equal(200);
      const minted = await Promise.all(Array.from({ length: 20 }, () => toToken(text)));
      const made = minted.filter(({ status }) => status === 200);
      expect(made).to.have.length(2);
      const refused = minted.find(({ status }) => status !== 200);
      expect(refused?.status).to.equal(429);
      expect(Number(refused?.headers.get('retry-after'))).to.be.within(1, 60);
      const useToken = withToken(server, made[0]?.json.access_token);
      for (let turn = 0; turn < 6; turn += 1) expect((await useToken('GET', '/me')).status).to.equal(200);
      expect((await withToken(server, text)('GET', '/me')).status).to.equal(429);
    });

    it('are made, listed, rotated and revoked by people who just signed in', async () => {
      const owner = await createPerson(server);
      const totp = await enrolTotp(server, owner.account.id, owner.login);
      const { ask } = await browserOf(server, owner, totp);
      const made = await ask('POST', '/me/api-keys', { name: 'Report', scopes: ['account:read'], expires_in_days: 30 });
      expect(made.status, JSON.stringify(made.json)).to.equal(201);
      const { id } = made.json.key;
      expect((await withToken(server, made.json.text)('GET', '/me')).status).to.equal(200);
      expect((await ask('POST', '/me/api-keys', { name: 'Report', scopes: ['nothing'] })).status).to.equal(422);
      expect(
        (await ask('POST', '/me/api-keys', { name: 'Report', audience: 'https://x/', scopes: ['a'] })).status,
      ).to.equal(422);
      const rotated = await ask('POST', `/me/api-keys/${id}/rotate`, { overlap_seconds: 0 });
      expect(rotated.status).to.equal(200);
      expect((await withToken(server, made.json.text)('GET', '/me')).status).to.equal(401);
      expect((await withToken(server, rotated.json.text)('GET', '/me')).status).to.equal(200);
      const listed = await ask('GET', '/me/api-keys?limit=1');
      expect(listed.json.items).to.have.length(1);
      expect(listed.json.items[0]).to.include({ id, name: 'Report', status: 'active' });
      expect(JSON.stringify(listed.json)).not.to.include('spk_');
      const fromTheStart = await ask('GET', '/me/api-keys?cursor=99999999999999-zz');
      expect(fromTheStart.json.items.map((key: { id: string }) => key.id)).to.deep.equal([id]);
      expect((await ask('GET', '/me/api-keys?cursor=1-zz')).json.items).to.deep.equal([]);
      const stranger = await issue();
      expect((await ask('DELETE', `/me/api-keys/${stranger.key.id}`)).status).to.equal(404);
      expect((await ask('DELETE', `/me/api-keys/${id}`)).status).to.equal(204);
      expect((await withToken(server, rotated.json.text)('GET', '/me')).status).to.equal(401);
      const activity = await ask('GET', '/me/activity');
      const types = activity.json.items.map(({ type }: { type: string }) => type);
      expect(types).to.include.members(['api_key.created', 'api_key.rotated', 'api_key.revoked']);
      const exported = await server.app.domains.accountData.export(owner.account.id);
      expect(JSON.stringify(exported.apiKeys))
        .to.include(id)
        .and.not.match(/spk_|hash/);
    });

    it('stop with the account, and end when it is taken back', async () => {
      const owner = await createPerson(server);
      const { text } = await issue({ owner: { kind: 'account', id: owner.account.id } });
      const status = async (): Promise<number> => (await withToken(server, text)('GET', '/me')).status;
      await server.app.domains.accounts.disable(owner.account.id, operator);
      expect(await status()).to.equal(401);
      await server.app.domains.accounts.enable(owner.account.id, operator);
      expect(await status()).to.equal(200);
      await server.app.domains.audit.record({
        type: 'password.reset',
        actor: { kind: 'account', id: owner.account.id },
        outcome: 'success',
        subject: owner.account.id,
      });
      expect(await status()).to.equal(401);
    });
  });
}

describe('API keys on two nodes', () => {
  const lane = fullestStoreLane().at(1);
  it('end on the other node at once', async function endOnTheOther() {
    if (!lane) return this.skip();
    await using stack = new AsyncDisposableStack();
    const env = await lane.env(stack);
    const one = stack.use(await startApp(env));
    const other = await startApp({ ...env, SALLYPORT_ISSUER: one.url });
    const person = await createPerson(one);
    const { apiKeys } = one.app.domains;
    const { key, text } = await apiKeys.create(
      {
        owner: { kind: 'account', id: person.account.id },
        name: 'Script',
        audience: `${one.url}/api/v1`,
        scopes: ['account:read'],
      },
      operator,
    );
    const elsewhere = other.app.domains.apiKeys;
    expect((await elsewhere.verify(text))?.account?.id).to.equal(person.account.id);
    const next = await apiKeys.rotate(key.id, operator, { overlapSeconds: 0 });
    expect([await elsewhere.verify(text), (await elsewhere.verify(next.text))?.key.id]).to.deep.equal([
      undefined,
      key.id,
    ]);
    await apiKeys.revoke(key.id, operator);
    expect(await elsewhere.verify(next.text)).to.equal(undefined);

    // What the other node knew of uses is not lost with it.
    const owner = { kind: 'account', id: person.account.id } as const;
    expect((await apiKeys.list({ owner }))[0]).to.not.have.property('lastUsedAt');
    await other[Symbol.asyncDispose]();
    expect((await apiKeys.list({ owner }))[0]).to.have.property('lastUsedAt');
  });
});
