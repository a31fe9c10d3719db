import { expect } from 'chai';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { Provider } from 'oidc-provider';
import * as oidc from 'openid-client';
import type { ClientPatch } from '../../src/clients/index.ts';
import { sha256 } from '../../src/shared/crypto.ts';
import { createApi, createClient, createPerson, type Person } from '../support/people.ts';
import { allow, RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { emptiestAndFullest } from '../support/store-lanes.ts';
import { WebClient } from '../support/web-client.ts';

const callback = 'https://app.example/callback';
const operator = { kind: 'operator' } as const;
type Way = 'plain' | 'ordinary';

type Sender = Pick<App, 'clientId' | 'secret' | 'method'>;

interface App {
  readonly clientId: string;
  readonly secret: string;
  readonly method: 'client_secret_basic' | 'client_secret_post' | 'none';
  readonly tokens: { readonly refresh_token: string; readonly access_token: string };
}

interface Answer {
  readonly status: number;
  readonly headers: string[];
  readonly body: Record<string, string>;
  readonly way: Way;
}

/** Counts what oidc-provider answers itself. */
function watchLibrary(): { answers: () => number } & Disposable {
  const prototype = Provider.prototype as unknown as { emit(name: string, ...rest: unknown[]): boolean };
  const { emit } = prototype;
  let answers = 0;
  prototype.emit = function watched(name, ...rest) {
    if (name.startsWith('grant.')) answers += 1;
    return emit.call(this, name, ...rest);
  };
  return {
    answers: () => answers,
    [Symbol.dispose]() {
      prototype.emit = emit;
    },
  };
}

const without = (claims: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(claims).map(([name, value]) => [name, /^(iat|exp|jti)$/.test(name) ? 'X' : value]));

const readJwt = (token: string): unknown[] => [decodeProtectedHeader(token), without(decodeJwt(token))];

const shown = (body: Record<string, string>): unknown =>
  Object.entries(body).map(([name, value]) => {
    if (name === 'id_token' || String(value).startsWith('ey')) return [name, ...readJwt(value)];
    return [name, /^(at|rt)_/.test(value) ? `${value.slice(0, 13)} ${value.length}` : value];
  });

for (const lane of emptiestAndFullest()) {
  describe(`plain refreshes on ${lane.name}`, () => {
    let server: RunningApp;
    let person: Person;
    const stack = new AsyncDisposableStack();
    let library: ReturnType<typeof watchLibrary>;

    before(async () => {
      library = stack.use(watchLibrary());
      const env = await lane.env(stack);
      server = await startApp({ ...env, SALLYPORT_LIMIT_REFRESH: '30', SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '10000' });
      person = await createPerson(server);
    });
    after(async () => {
      await server?.[Symbol.asyncDispose]();
      await stack.disposeAsync();
    });

    async function start(
      method: App['method'],
      options: {
        scope?: string;
        resource?: string;
        who?: Person;
        metadata?: Record<string, unknown>;
        input?: Record<string, unknown>;
      } = {},
    ): Promise<App> {
      const { scope = 'openid', resource, who = person } = options;
      const { client, secret } = await createClient(server, {
        kind: method === 'none' ? 'spa' : 'web',
        firstParty: true,
        ...(resource && { apis: { [resource]: [] } }),
        ...options.input,
        metadata: {
          redirect_uris: [callback],
          ...(method !== 'none' && { token_endpoint_auth_method: method }),
          ...options.metadata,
        },
      });
      const known = { issuer: server.url, clientId: client.id, auth: oidc.None(), redirectUri: callback };
      const party = await RelyingParty.discover(known);
      const browser = new WebClient(server.url);
      const attempt = await party.request({
        scope,
        ...(resource && { resource }),
        ...(scope.includes('offline_access') && { prompt: 'consent' }),
      });
      let page = await signIn(browser, await browser.open(attempt.url), who);
      if (page.url.origin !== 'https://app.example') page = await allow(browser, page);
      const app = { clientId: client.id, secret, method };
      const { body } = await post(app, {
        grant_type: 'authorization_code',
        code: page.url.searchParams.get('code') ?? '',
        redirect_uri: callback,
        code_verifier: attempt.checks.pkceCodeVerifier,
        ...(resource && { resource }),
      });
      const { refresh_token = '', access_token = '' } = body;
      return { ...app, tokens: { refresh_token, access_token } };
    }

    async function post(
      { clientId, secret, method }: Sender,
      fields: Record<string, string>,
      headers: Record<string, string> = {},
    ): Promise<Answer> {
      const basic = `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`;
      const before = library.answers();
      const response = await fetch(`${server.url}/oauth2/token`, {
        method: 'POST',
        headers: { ...(method === 'client_secret_basic' && { authorization: basic }), ...headers },
        body: new URLSearchParams({
          ...(method !== 'client_secret_basic' && { client_id: clientId }),
          ...(method === 'client_secret_post' && { client_secret: secret }),
          ...fields,
        }),
      });
      // CORS is for browsers, and they name their origin, so theirs are not plain.
      const own = ['access-control-allow-origin', 'access-control-expose-headers', 'vary'];
      const said = [...response.headers]
        .filter(([name]) => ![...own, 'date', 'content-length', 'x-request-id'].includes(name))
        .map(([name, text]) => `${name}: ${text}`)
        .sort();
      const body = (await response.json()) as Record<string, string>;
      const way = library.answers() === before ? 'plain' : 'ordinary';
      return { status: response.status, headers: said, body, way };
    }

    /** A parameter that nobody knows makes no difference but that the request is not plain. */
    const refresh = (
      app: Sender,
      value: string,
      way: Way,
      { fields, headers }: { fields?: Record<string, string>; headers?: Record<string, string> } = {},
    ): Promise<Answer> => {
      const unknown = way === 'ordinary' && { unknown: 'x' };
      return post(app, { grant_type: 'refresh_token', refresh_token: value, ...unknown, ...fields }, headers);
    };

    const introspect = async (token: string): Promise<unknown> => {
      const { client, secret } = await createClient(server, { kind: 'service', mayIntrospect: true });
      const response = await fetch(`${server.url}/oauth2/introspect`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`${client.id}:${secret}`).toString('base64')}` },
        body: new URLSearchParams({ token }),
      });
      return without((await response.json()) as Record<string, unknown>);
    };

    const stored = async (token: string): Promise<unknown> => {
      const [row] = await server.app.database
        .sql('artifact')
        .where({ id_hash: sha256(token) })
        .select('*');
      if (!row) return undefined;
      const { rotations, ...payload } = JSON.parse(row.payload as string) as Record<string, unknown>;
      const state = { consumed_at: row.consumed_at !== null, successor_hash: row.successor_hash !== null };
      return {
        ...row,
        ...state,
        id_hash: '',
        expires_at: '',
        payload: without(payload),
        rotated: Number(rotations ?? 0) > 0,
      };
    };

    const cases: Record<string, () => Promise<App>> = {
      'a secret in a header': () => start('client_secret_basic'),
      'a secret in the form': () => start('client_secret_post', { scope: 'openid profile email' }),
      'no secret': () => start('none'),
      'access while the person is away': () => start('none', { scope: 'openid email offline_access' }),
      'no ID token': () => start('client_secret_basic', { scope: 'profile' }),
      'an ID token with RS256': () =>
        start('client_secret_basic', { metadata: { id_token_signed_response_alg: 'RS256' } }),
      'an API with signed tokens': async () =>
        start('client_secret_basic', { resource: await createApi(server), scope: 'openid email notes:read' }),
      'an API with opaque tokens': async () =>
        start('none', { resource: await createApi(server, { tokenFormat: 'opaque' }), scope: 'openid notes:read' }),
      'an app of somebody else': () => start('client_secret_basic', { input: { firstParty: false } }),
    };

    for (const [name, begin] of Object.entries(cases)) {
      it(`are answered as the ordinary way does: ${name}`, async () => {
        const app = await begin();
        const first = await refresh(app, app.tokens.refresh_token, 'plain');
        const second = await refresh(app, first.body.refresh_token ?? '', 'ordinary');
        const third = await refresh(app, second.body.refresh_token ?? '', 'plain');
        expect([first, second, third].map(({ status, way }) => [status, way])).to.deep.equal([
          [200, 'plain'],
          [200, 'ordinary'],
          [200, 'plain'],
        ]);
        expect(shown(first.body)).to.deep.equal(shown(second.body));
        expect(shown(third.body)).to.deep.equal(shown(second.body));
        expect(first.headers).to.deep.equal(second.headers);
        const fourth = await refresh(app, third.body.refresh_token ?? '', 'ordinary');
        for (const kind of ['access_token', 'refresh_token'] as const) {
          const [one = '', other = ''] = [third.body[kind], fourth.body[kind]];
          if (kind === 'access_token') expect(await introspect(one)).to.deep.equal(await introspect(other));
          const now = await stored(kind === 'access_token' ? one : (second.body.refresh_token ?? ''));
          expect(now, kind).to.deep.equal(await stored(kind === 'access_token' ? other : one));
        }
      });
    }

    it('give no second use: the library takes over, and forgives a lost answer', async () => {
      const app = await start('none');
      const unheard = await refresh(app, app.tokens.refresh_token, 'plain');
      await new Promise((resolve) => setTimeout(resolve, 150));
      const retried = await refresh(app, app.tokens.refresh_token, 'plain');
      expect([unheard.way, retried.way, retried.status]).to.deep.equal(['plain', 'ordinary', 200]);
      expect((await refresh(app, retried.body.refresh_token ?? '', 'plain')).way).to.equal('plain');
      expect((await refresh(app, app.tokens.refresh_token, 'plain')).body.error).to.equal('invalid_grant');
    });

    const change = async (id: string, patch: ClientPatch): Promise<unknown> => {
      const { clients } = server.app.domains;
      const client = await clients.find(id);
      return client && clients.update(client.id, client.version, patch, operator);
    };
    const ends: Record<string, (app: App, who: Person) => Promise<unknown>> = {
      'its account is disabled': (_app, who) => server.app.domains.accounts.disable(who.account.id, operator),
      'its app is disabled': ({ clientId }) => change(clientId, { disabled: true }),
      'its app may not refresh any more': ({ clientId }) =>
        change(clientId, { metadata: { grant_types: ['authorization_code'] } }),
      'its token was revoked': (app) =>
        fetch(`${server.url}/oauth2/revoke`, {
          method: 'POST',
          body: new URLSearchParams({ token: app.tokens.refresh_token, client_id: app.clientId }),
        }),
    };
    for (const [name, end] of Object.entries(ends)) {
      it(`are refused when ${name}`, async () => {
        const who = await createPerson(server);
        const app = await start('none', { who });
        await end(app, who);
        const answers = [
          await refresh(app, app.tokens.refresh_token, 'plain'),
          await refresh(app, app.tokens.refresh_token, 'ordinary'),
        ];
        expect(answers[0]?.status).to.be.within(400, 401);
        expect(answers[0]).to.deep.equal(answers[1]);
        expect(answers[0]?.way).to.equal('ordinary');
      });
    }

    it('are refused to whom the token does not belong, and stay usable', async () => {
      const [app, other] = [await start('none'), await start('client_secret_basic')];
      const value = app.tokens.refresh_token;
      const refusals = [
        await refresh({ ...other }, value, 'plain'),
        await refresh({ ...app, clientId: other.clientId }, value, 'plain'),
        await refresh({ ...other, secret: 'wrong' }, other.tokens.refresh_token, 'plain'),
        await refresh({ ...other, method: 'client_secret_post' }, other.tokens.refresh_token, 'plain'),
        await refresh(app, value, 'plain', { fields: { scope: 'openid email' } }),
        await refresh(app, value, 'plain', { headers: { dpop: 'nonsense' } }),
        await refresh(app, `${value.slice(0, -1)}!`, 'plain'),
      ];
      expect(refusals.every(({ status, way }) => status >= 400 && status < 500 && way === 'ordinary')).to.equal(true);
      expect((await refresh(app, value, 'plain')).way).to.equal('plain');
      expect((await refresh(other, other.tokens.refresh_token, 'plain')).way).to.equal('plain');
    });

    it('are limited as the others are, and a refusal costs nothing', async () => {
      const app = await start('client_secret_basic', { who: await createPerson(server) });
      let value = app.tokens.refresh_token;
      for (let turn = 0; turn < 30; turn += 1) {
        const { status, body } = await refresh(app, value, turn % 2 ? 'plain' : 'ordinary');
        expect(status, String(turn)).to.equal(200);
        value = body.refresh_token ?? '';
      }
      const [plain, ordinary] = [await refresh(app, value, 'plain'), await refresh(app, value, 'ordinary')];
      expect([plain.status, ordinary.status]).to.deep.equal([429, 429]);
      expect(plain.body.error).to.equal('slow_down');
      expect(plain.headers.some((line) => line.startsWith('retry-after: '))).to.equal(true);
    });
  });
}
