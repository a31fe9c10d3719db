import * as oidc from 'openid-client';
import { createClient, type Person } from '../support/people.ts';
import { allow, RelyingParty, signIn } from '../support/relying-party.ts';
import type { RunningApp } from '../support/start-app.ts';
import { expectPage, type Page, WebClient } from '../support/web-client.ts';

/** An answer of the API, read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers by name.
  readonly json: any;
}

/** One request of somebody. */
export type Ask = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<Answer>;

export const allScopes = 'account:read account:write account:security';

async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, json: text === '' ? undefined : JSON.parse(text) };
}

const initOf = (method: string, body: unknown, headers: Readonly<Record<string, string>>): RequestInit => ({
  method,
  headers: {
    accept: 'application/json',
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...headers,
  },
  ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
});

/** Whoever has this token. */
export const withToken =
  (server: RunningApp, token: string): Ask =>
  async (method, path, body, headers = {}) =>
    read(
      await fetch(
        `${server.url}/api/v1${path}`,
        initOf(method, body, { authorization: `Bearer ${token}`, ...headers }),
      ),
    );

type Factor = { code(stepsAhead?: number): Promise<string> };

async function passDoors(web: WebClient, page: Page, person: Person, factor?: Factor, steps = 0): Promise<Page> {
  const next = await signIn(web, page, person);
  if (!factor) return next;
  expectPage(next, 'totp');
  return web.submit(next, { code: await factor.code(steps), action: 'continue' }, 'code');
}

/** An app that may use the account API, as third parties build them. */
export async function registerApp(server: RunningApp, firstParty = true) {
  const { client } = await createClient(server, {
    kind: 'spa',
    firstParty,
    apis: { [`${server.url}/api/v1`]: [] },
    metadata: { redirect_uris: ['https://app.example/callback'] },
  });
  const app = await RelyingParty.discover({
    issuer: server.url,
    clientId: client.id,
    auth: oidc.None(),
    redirectUri: 'https://app.example/callback',
  });
  return { client, app };
}

/** Signs the person in for the app in a browser of their own, and returns its token for the account API. */
export async function tokenOf(
  server: RunningApp,
  person: Person,
  options: { scope?: string; app?: RelyingParty; factor?: Factor; steps?: number; web?: WebClient } = {},
): Promise<string> {
  const { scope = allScopes, factor, steps, web = new WebClient(server.url) } = options;
  const app = options.app ?? (await registerApp(server)).app;
  const resource = `${server.url}/api/v1`;
  const attempt = await app.request({ scope: `openid ${scope}`, resource });
  const first = await web.open(attempt.url);
  const end = first.name === 'login' ? await passDoors(web, first, person, factor, steps) : first;
  const back = end.name === 'consent' ? await allow(web, end) : end;
  if (!back.url.searchParams.has('code')) throw new Error(`no code at ${back.url.href}, ${back.name} ${back.text}`);
  return (await app.redeem(back.url, attempt, { resource })).access_token;
}

/** The person's own browser, as a page of ours calls from it. */
export async function browserOf(
  server: RunningApp,
  person: Person,
  factor?: Factor,
  steps = 0,
): Promise<{ web: WebClient; ask: Ask }> {
  const web = new WebClient(server.url);
  await passDoors(web, await web.open('/account'), person, factor, steps);
  const own = { 'sec-fetch-site': 'same-origin', origin: server.url };
  const send = async (method: string, path: string, body: unknown, headers: Readonly<Record<string, string>>) =>
    read(await web.fetch(`/api/v1${path}`, initOf(method, body, headers)));
  const csrf = (await send('GET', '/me', undefined, own)).headers.get('x-csrf-token') ?? '';
  return {
    web,
    ask: (method, path, body, headers = {}) => send(method, path, body, { ...own, 'x-csrf-token': csrf, ...headers }),
  };
}
