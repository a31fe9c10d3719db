import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as oidc from 'openid-client';
import type { Client, NewClient } from '../../src/clients/index.ts';
import { createClient } from './people.ts';
import { type Attempt, RelyingParty } from './relying-party.ts';
import type { RunningApp } from './start-app.ts';

/** What came back to the app, one entry per visit of its callback. */
export interface Answer {
  readonly parameters: URLSearchParams;
  /** Of the ID token; absent when the issuer answered with an error. */
  readonly claims?: oidc.IDToken;
  readonly tokens?: oidc.TokenEndpointResponse;
}

/**
 * A web app on `localhost`, while the issuer is on `127.0.0.1`: host and port differ, so browsers hold every rule for
 * other origins against the way between them. `/sign-in` takes parameters for the request, `/sign-out` goes to the
 * issuer's logout; the pages are `app-in`, `app-out`, `app-refused` and `app-bye`.
 */
export interface OtherOriginApp extends AsyncDisposable {
  readonly origin: string;
  readonly client: Client;
  readonly answers: readonly Answer[];
}

interface Browser {
  readonly attempts: Map<string, Attempt>;
  signedIn?: { readonly claims: oidc.IDToken; readonly idToken: string };
}

const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

const document = (name: string, text: string): string => `<!doctype html><html lang="en"><head><meta charset="utf-8">
<title>${name}</title><link rel="icon" href="data:,"></head>
<body data-page="${name}"><main><h1>${name}</h1><p id="text">${escaped(text)}</p></main></body></html>`;

/** The relying party's side of one server: sends browsers to the issuer and redeems what they bring back. */
function createHandler(origin: string, party: RelyingParty, answers: Answer[]) {
  const browsers = new Map<string, Browser>();
  const cookie = `app${new URL(origin).port}`;

  const browserOf = (request: IncomingMessage, response: ServerResponse): Browser => {
    const known = new RegExp(`${cookie}=([^;]+)`).exec(request.headers.cookie ?? '')?.[1];
    const found = known === undefined ? undefined : browsers.get(known);
    if (found) return found;
    const [id, made] = [randomUUID(), { attempts: new Map<string, Attempt>() }];
    browsers.set(id, made);
    response.setHeader('set-cookie', `${cookie}=${id}; Path=/; HttpOnly; SameSite=Lax`);
    return made;
  };
  const show = (response: ServerResponse, name: string, text = ''): void => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(document(name, text));
  };
  const send = (response: ServerResponse, location: URL): void => {
    response.writeHead(303, { location: location.href }).end();
  };

  async function callback(url: URL, browser: Browser, response: ServerResponse): Promise<void> {
    const parameters = url.searchParams;
    if (parameters.has('error')) {
      answers.push({ parameters });
      return show(response, 'app-refused', parameters.get('error') ?? '');
    }
    const state = parameters.get('state') ?? '';
    const attempt = browser.attempts.get(state);
    if (!attempt) return show(response, 'app-refused', 'This browser did not ask for that.');
    browser.attempts.delete(state);
    const tokens = await party.redeem(url, attempt);
    const claims = tokens.claims();
    if (!claims) throw new Error('There is no ID token.');
    answers.push({ parameters, claims, tokens });
    browser.signedIn = { claims, idToken: tokens.id_token ?? '' };
    return show(response, 'app-in', claims.sub);
  }

  async function answer(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const browser = browserOf(request, response);
    switch (url.pathname) {
      case '/sign-in': {
        const attempt = await party.request(Object.fromEntries(url.searchParams));
        browser.attempts.set(attempt.checks.expectedState, attempt);
        return send(response, attempt.url);
      }
      case '/callback':
        return callback(url, browser, response);
      case '/sign-out': {
        const hint = browser.signedIn && { id_token_hint: browser.signedIn.idToken };
        delete browser.signedIn;
        return send(
          response,
          oidc.buildEndSessionUrl(party.config, { ...hint, ...Object.fromEntries(url.searchParams) }),
        );
      }
      case '/bye':
        return show(response, 'app-bye');
      default:
        return browser.signedIn ? show(response, 'app-in', browser.signedIn.claims.sub) : show(response, 'app-out');
    }
  }

  return (request: IncomingMessage, response: ServerResponse): void => {
    answer(new URL(request.url ?? '/', origin), request, response).catch((error: unknown) =>
      show(response, 'app-failed', error instanceof Error ? `${error.message} ${String(error.cause)}` : String(error)),
    );
  };
}

/** Starts an app on an origin of its own and registers it with the issuer, as a confidential web app unless `input` differs. */
export async function openOtherOriginApp(server: RunningApp, input: Partial<NewClient> = {}): Promise<OtherOriginApp> {
  const http = createServer();
  http.listen(0, 'localhost');
  await once(http, 'listening');
  const origin = `http://localhost:${(http.address() as AddressInfo).port}`;
  const { client, secret } = await createClient(server, {
    kind: 'web',
    ...input,
    metadata: {
      redirect_uris: [`${origin}/callback`],
      post_logout_redirect_uris: [`${origin}/bye`],
      client_uri: `${origin}/`,
      ...input.metadata,
    },
  });
  const answers: Answer[] = [];
  const party = await RelyingParty.discover({
    issuer: server.url,
    clientId: client.id,
    auth: client.kind === 'web' ? oidc.ClientSecretBasic(secret) : oidc.None(),
    redirectUri: `${origin}/callback`,
  });
  http.on('request', createHandler(origin, party, answers));
  return {
    origin,
    client,
    answers,
    async [Symbol.asyncDispose]() {
      const closed = once(http, 'close');
      http.close();
      http.closeAllConnections();
      await closed;
    },
  };
}
