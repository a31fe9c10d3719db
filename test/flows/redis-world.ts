import { type IncomingHttpHeaders, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import * as oidc from 'openid-client';
import { tokenIdFor } from '../../src/oidc/artifact-store.ts';
import { createApi, createClient, createPerson, type Person } from '../support/people.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';
import { WebClient } from '../support/web-client.ts';

const redirectUri = 'https://app.example/callback';
const operator = { kind: 'operator' } as const;

export interface NodeAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers by name.
  readonly json: any;
}

interface Sent {
  readonly authorization?: string;
  readonly cookie?: string;
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: unknown;
}

/** One request to one node, under the address that both have. */
function send(host: string, port: number, path: string, { form, json, ...headers }: Sent): Promise<NodeAnswer> {
  const body = form ? new URLSearchParams(form).toString() : json === undefined ? undefined : JSON.stringify(json);
  const type = form ? 'application/x-www-form-urlencoded' : 'application/json';
  const all = { host, ...headers, ...(body !== undefined && { 'content-type': type }) };
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', path, method: body === undefined ? 'GET' : 'POST', headers: all };
    const outgoing = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        const read: unknown = text.startsWith('{') ? JSON.parse(text) : {};
        resolve({ status: response.statusCode ?? 0, headers: response.headers, json: read });
      });
    });
    outgoing.on('error', reject).end(body);
  });
}

type App = Awaited<ReturnType<typeof createClient>>;

const basic = ({ client, secret }: App): string => `Basic ${btoa(`${client.id}:${secret}`)}`;

/** A client that proves itself with a key, and one assertion of it. */
async function createSigner(node: RunningApp, api: string) {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kty: 'EC', kid: 'k1', alg: 'ES256', use: 'sig' };
  const { client } = await createClient(node, {
    kind: 'machine',
    apis: { [api]: ['notes:read'] },
    metadata: { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } },
  });
  return async (): Promise<Record<string, string>> => ({
    client_id: client.id,
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await new SignJWT({ jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .setIssuer(client.id)
      .setSubject(client.id)
      .setAudience(node.url)
      .setIssuedAt()
      .setExpirationTime('120s')
      .sign(privateKey),
  });
}

/** Two nodes on one PostgreSQL and one Redis, with apps of each kind. */
export async function createRedisWorld(stack: AsyncDisposableStack, sql: string, redis: string) {
  const { url } = stack.use(await createTestDatabase(sql));
  const env = { DATABASE_URL: url, REDIS_URL: redis, SALLYPORT_LIMIT_REFRESH: '1000', SALLYPORT_API_KEYS: 'everyone' };
  const one = stack.use(await startApp(env));
  const otherPort = await freePort();
  const other = stack.use(await startApp({ ...env, PORT: String(otherPort), SALLYPORT_ISSUER: one.url }));
  const host = new URL(one.url).host;
  const ports = [Number(new URL(one.url).port), otherPort];
  const ownApi = `${one.url}/api/v1`;
  const [jwtApi, opaqueApi] = [await createApi(one), await createApi(one, { tokenFormat: 'opaque' })];
  const apis = { [jwtApi]: ['notes:read'], [opaqueApi]: ['notes:read'] };
  const web = {
    kind: 'web',
    firstParty: true,
    apis: { ...apis, [ownApi]: [] },
    metadata: { redirect_uris: [redirectUri] },
  } as const;
  const [app, strict] = [await createClient(one, web), await createClient(one, { ...web, strictRefresh: true })];
  const service = await createClient(one, { kind: 'service', mayIntrospect: true });
  const machine = await createClient(one, { kind: 'machine', apis });
  const partyOf = ({ client, secret }: App): Promise<RelyingParty> => {
    const auth = oidc.ClientSecretBasic(secret);
    return RelyingParty.discover({ issuer: one.url, clientId: client.id, auth, redirectUri });
  };
  const [party, strictParty] = [await partyOf(app), await partyOf(strict)];

  const at = (node: number, path: string, sent: Sent): Promise<NodeAnswer> => send(host, ports[node] ?? 0, path, sent);
  const both = (path: string, sent: Sent): Promise<NodeAnswer[]> => Promise.all([0, 1].map((n) => at(n, path, sent)));
  const scopes = { own: 'openid', account: 'openid account:read' } as Record<string, string>;
  const resources = { account: ownApi, jwt: jwtApi, opaque: opaqueApi } as Record<string, string>;

  /** A browser of this person, at the end of an authorization request for one of the resources. */
  async function arrive(browser: WebClient, person: Person, name: string, by = party) {
    const resource = resources[name];
    const attempt = await by.request({ scope: scopes[name] ?? 'openid notes:read', ...(resource && { resource }) });
    const page = await browser.open(attempt.url);
    const back = page.name === 'login' ? await signIn(browser, page, person) : page;
    return { attempt, back: back.url, extra: resource ? { resource } : {} };
  }

  return {
    one,
    other,
    both,
    app: basic(app),
    strictApp: basic(strict),
    machine: basic(machine),
    apis: { jwtApi, opaqueApi, ownApi },
    assertion: await createSigner(one, jwtApi),
    token: (node: number, authorization: string | undefined, form: Record<string, string>): Promise<NodeAnswer> =>
      at(node, '/oauth2/token', { ...(authorization && { authorization }), form }),
    revoke: (authorization: string, token: string): Promise<NodeAnswer> =>
      at(1, '/oauth2/revoke', { authorization, form: { token } }),

    /** Somebody new in a browser, with a token for each of these and a refresh token from `own`. */
    async enter(names: readonly string[], how?: 'strict') {
      const person = await createPerson(one);
      const browser = new WebClient(one.url);
      const by = how === 'strict' ? strictParty : party;
      const tokens: Record<string, string> = {};
      let refreshToken = '';
      for (const name of names) {
        const { attempt, back, extra } = await arrive(browser, person, name, by);
        const got = await by.redeem(back, attempt, extra);
        tokens[name] = got.access_token;
        if (name === 'own') refreshToken = got.refresh_token ?? '';
      }
      return { person, web: browser, tokens, refreshToken };
    },

    /** A code that nobody has redeemed yet, as the form that would. */
    async code(browser: WebClient, person: Person): Promise<Record<string, string>> {
      const { attempt, back } = await arrive(browser, person, 'own');
      const code = back.searchParams.get('code') ?? '';
      const { pkceCodeVerifier: code_verifier } = attempt.checks;
      return { grant_type: 'authorization_code', code, code_verifier, redirect_uri: redirectUri };
    },

    /** What the cookies of a browser are worth at both nodes: `in`, or the error of a silent request. */
    async silent(browser: WebClient): Promise<string[]> {
      const { url: address } = await party.request({ prompt: 'none' });
      const cookie = [...browser.cookies()].map(([name, value]) => `${name}=${value}`).join('; ');
      const answers = await both(`${address.pathname}${address.search}`, { cookie });
      return answers.map(({ status, headers }) =>
        status >= 400 ? String(status) : (new URL(headers.location ?? '').searchParams.get('error') ?? 'in'),
      );
    },

    /** What both nodes say of a token in every place that takes one, each answer once. */
    async standing(name: string, token: string): Promise<string[]> {
      const authorization = basic(service);
      const said = [
        ...(await both('/oauth2/introspect', { authorization, form: { token } })),
        ...(await both('/api/v1/auth/verify', { authorization, json: { token } })),
      ].map(({ status, json }) => (status === 200 ? String(json.active) : String(status)));
      const path = { own: '/oauth2/userinfo', account: '/api/v1/me', key: '/api/v1/me' }[name];
      if (path) {
        for (const { status } of await both(path, { authorization: `Bearer ${token}` })) {
          said.push(status === 200 ? 'true' : status === 401 ? 'false' : String(status));
        }
      }
      return [...new Set(said)];
    },

    /** Waits until both nodes have found their Redis again. */
    async untilBack(): Promise<void> {
      const authorization = basic(service);
      // Nobody was given this one, and only Redis knows that.
      const token = tokenIdFor('AccessToken', 'grant');
      for (const end = Date.now() + 10_000; Date.now() < end; await delay(50)) {
        const said = await both('/oauth2/introspect', { authorization, form: { token } });
        if (said.every(({ status }) => status === 200)) return;
      }
      throw new Error('The nodes did not find their Redis again.');
    },

    createKey: (id: Person['account']['id']) =>
      one.app.domains.apiKeys.create(
        { owner: { kind: 'account', id }, name: 'Script', audience: ownApi, scopes: ['account:read'] },
        operator,
      ),
    async endSession(id: Person['account']['id']): Promise<boolean> {
      const [session] = await one.app.domains.sessions.list(id);
      return one.app.domains.sessions.end(session?.id ?? '', operator);
    },
  };
}
