import * as oidc from 'openid-client';
import { createClient } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { secondOver } from '../support/second-over.ts';
import type { RunningApp } from '../support/start-app.ts';
import { expectPage, type Page, WebClient } from '../support/web-client.ts';

export const callback = 'https://app.example/callback';

/** Limits that tests of other things do not meet. */
export const roomy = {
  SALLYPORT_LIMIT_REGISTRATION: '100000',
  SALLYPORT_LIMIT_MAIL_REQUESTS: '100000',
  SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '100000',
};

/** The path of the newest mail of that kind to an address, with its token. */
export async function mailed(
  { app }: RunningApp,
  to: string,
  template: string,
): Promise<{ path: string; token: string; count: number }> {
  const rows = (await app.database.sql('outbox').where({ recipient: to, template }).orderBy('created_at', 'desc')) as {
    id: string;
  }[];
  for (const { id } of rows) {
    // One that a cap stopped has no text.
    const text = (await app.domains.notifications.find(id))?.content?.text ?? '';
    const [, path, token] = /(\/account\/[\w-]+\?(?:token|invitation)=([\w-]+))/.exec(text) ?? [];
    if (path && token) return { path, token, count: rows.length };
  }
  return { path: '', token: '', count: rows.length };
}

/** An app whose person stands at its sign-in page. */
export async function registeredApp(server: RunningApp, name?: string): Promise<RelyingParty> {
  const input = { kind: 'spa', firstParty: true, metadata: { redirect_uris: [callback] } } as const;
  const { client } = await createClient(server, { ...input, ...(name !== undefined && { name }) });
  return RelyingParty.discover({ issuer: server.url, clientId: client.id, auth: oidc.None(), redirectUri: callback });
}

/** Fills in the registration form of this browser; the page after it. */
export async function register(
  web: WebClient,
  email: string,
  password: string,
  from = '/account/register',
): Promise<Page> {
  const page = expectPage(await web.open(from), 'register');
  return web.submit(page, { email, 'new-password': password, action: 'continue' }, 'email');
}

/** Opens a mailed link and presses its one button, with what it asks for. */
export async function follow(web: WebClient, path: string, fields: Record<string, string> = {}): Promise<Page> {
  const page = await web.open(path);
  return web.submit(page, { ...fields, action: 'continue' }, 'token');
}

/** What a page answers, without what is random in every answer. */
export async function answerOf(response: Response): Promise<string> {
  const headers = [...response.headers]
    .filter(([name]) => !['date', 'x-request-id', 'set-cookie'].includes(name))
    .map((pair) => pair.join(': '));
  const cookies = response.headers
    .getSetCookie()
    .map((line) => line.replace(/=[^;]*/, (value) => `=${value.length}`).replace(/expires=[^;]*/, 'expires=…'));
  const text = (await response.text()).replace(/req_\w+|value="[\w-]{43,}"/g, '…');
  return [response.status, ...headers, ...cookies, text].join('\n');
}

/**
 * Signs in after a password was set. All access from before ends with it, and sign-ins count in whole seconds: one in
 * the same second is from before.
 */
export async function signInAfterChange(
  web: WebClient,
  page: Page,
  person: { login: string; password: string },
): Promise<Page> {
  await secondOver();
  return signIn(web, page, person);
}

/** Posts the form of a page without following where it leads. */
export async function postRaw(web: WebClient, path: string, fields: Record<string, string>): Promise<Response> {
  return web.fetch(path, {
    method: 'POST',
    body: new URLSearchParams(fields).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
}

/** A browser with the form token that all of our forms take. */
export async function visitorOf(server: RunningApp): Promise<{ web: WebClient; csrf: string }> {
  const web = new WebClient(server.url);
  const page = await web.open('/account/forgot-password');
  return { web, csrf: /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '' };
}
