import { expect } from 'chai';
import * as oidc from 'openid-client';
import type { RequestOptions } from '../../src/passkeys/index.ts';
import { type Authenticator, createAuthenticator } from '../passkeys/authenticator.ts';
import { DirectClient } from '../support/direct-client.ts';
import { createClient, createPerson, enrolTotp, type Person } from '../support/people.ts';
import { type Attempt, RelyingParty } from '../support/relying-party.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';
import { expectPage, type Page, signInBase, WebClient } from '../support/web-client.ts';

const callback = 'https://app.example/callback';

/** What somebody has beside the password. */
export type Second = 'nothing' | 'app' | 'passkey';

export interface Resident extends Person {
  readonly second: Second;
  readonly key?: Authenticator;
  /** The next code of the authenticator app. */
  code?(): Promise<string>;
}

/** A browser at a door of the house, and the app that sent it there. */
export interface Visit {
  readonly web: WebClient;
  readonly attempt: Attempt;
  readonly page: Page;
}

/** A whole server where a mailed code is the second step of whoever has none, seen over HTTP only. */
export class House implements AsyncDisposable {
  readonly server: RunningApp;
  readonly app: RelyingParty;
  readonly direct: DirectClient;

  private constructor(server: RunningApp, app: RelyingParty, direct: DirectClient) {
    this.server = server;
    this.app = app;
    this.direct = direct;
  }

  static async open(env: Record<string, string> = {}): Promise<House> {
    const port = await freePort();
    const server = await startApp({
      PORT: String(port),
      // Passkeys want a name, not an address.
      SALLYPORT_ISSUER: `http://localhost:${port}`,
      SALLYPORT_EMAIL_STEP: 'no-other-factor',
      SALLYPORT_REMEMBER_DEVICE_DAYS: '30',
      SALLYPORT_PASSKEY_OFFER_DAYS: '0',
      SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '100000',
      SALLYPORT_LIMIT_REGISTRATION: '100000',
      SALLYPORT_LIMIT_MAIL_REQUESTS: '100000',
      ...env,
    });
    const metadata = { redirect_uris: [callback] };
    const { client } = await createClient(server, { kind: 'spa', firstParty: true, metadata });
    const about = { issuer: server.url, clientId: client.id, auth: oidc.None(), redirectUri: callback };
    return new House(server, await RelyingParty.discover(about), await DirectClient.register(server));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
  }

  async resident(second: Second): Promise<Resident> {
    return this.equip(await createPerson(this.server), second);
  }

  /** Gives somebody a second factor. */
  async equip(person: Person, second: Second): Promise<Resident> {
    const { account, login } = person;
    if (second === 'app') {
      const { code } = await enrolTotp(this.server, account.id, login);
      return { ...person, second, code: () => code() };
    }
    if (second === 'nothing') return { ...person, second };
    const { passkeys } = this.server.app.domains;
    const key = createAuthenticator({ origin: this.server.url });
    const options = await passkeys.beginRegistration(account, 'test');
    await passkeys.finishRegistration(account, 'test', key.create(options));
    return { ...person, second, key };
  }

  /** The app sends a browser to sign in. */
  async visit(web = new WebClient(this.server.url)): Promise<Visit> {
    const attempt = await this.app.request();
    return { web, attempt, page: await web.open(attempt.url) };
  }

  /** What was mailed to somebody last that has this in it. */
  async mailed({ account }: Pick<Person, 'account'>, pattern: RegExp): Promise<string> {
    const mails = await this.server.app.domains.notifications.list(200);
    const found = mails.flatMap(({ to, content }) =>
      to === account.email ? (pattern.exec(content?.text ?? '')?.[1] ?? []) : [],
    );
    return found[0] ?? expect.fail(`no mail to ${account.email} with ${pattern}`);
  }

  /** No session in this browser, for apps, consoles or the API, whatever cookies it has by now. */
  async expectNobody({ web, page }: Pick<Visit, 'web' | 'page'>): Promise<void> {
    expect(page.url.searchParams.get('code'), page.url.href).to.equal(null);
    const thief = new WebClient(this.server.url);
    for (const [name, value] of web.cookies()) thief.setCookie(name, value);
    const silent = await thief.open((await this.app.request({ prompt: 'none' })).url);
    expect(silent.url.searchParams.get('error')).to.equal('login_required');
    expect((await thief.fetch('/api/v1/me')).status).to.equal(401);
    expect((await thief.fetch('/account')).status).to.equal(303);
  }

  async passkeyOptions(web: WebClient, page: Page): Promise<RequestOptions> {
    return (await (await web.fetch(`${signInBase(page)}/passkey-options`)).json()) as RequestOptions;
  }

  async showPasskey({ web, page }: Visit, key: Authenticator | undefined, verified: boolean): Promise<Page> {
    const passkey = JSON.stringify(key?.get(await this.passkeyOptions(web, page), { verified }));
    return web.submit(page, { action: 'passkey', passkey }, 'csrf', 'action');
  }

  /** Opens the second door as the person does, once it is the one that the browser stands at; the callback's page. */
  async pass({ web, page }: Visit, person: Resident): Promise<Page> {
    if (person.second === 'passkey') {
      return this.showPasskey({ web, page: expectPage(page, 'passkey') } as Visit, person.key, false);
    }
    const name = person.second === 'app' ? 'totp' : 'email-code';
    const code = person.second === 'app' ? ((await person.code?.()) ?? '') : await this.mailed(person, /^(\d{8})$/m);
    return web.submit(expectPage(page, name), { code, action: 'continue' }, 'code');
  }

  /** Who the app was told that came, and how. */
  async told(callbackUrl: URL, attempt: Attempt): Promise<{ sub: unknown; acr: unknown; amr: unknown }> {
    expect(callbackUrl.searchParams.has('code'), callbackUrl.href).to.equal(true);
    const claims = (await this.app.redeem(callbackUrl, attempt)).claims();
    return { sub: claims?.sub, acr: claims?.acr, amr: claims?.amr };
  }
}
