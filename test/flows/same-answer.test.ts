import { expect } from 'chai';
import * as oidc from 'openid-client';
import { randomText } from '../../src/shared/ids.ts';
import { createClient, createPerson, enrolTotp } from '../support/people.ts';
import { RelyingParty } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { expectPage, type Page, WebClient } from '../support/web-client.ts';

/** What differs between any two pages: names of the sign-in, of the request, of the form and of the page's scripts. */
const perFlow: readonly (readonly [RegExp, string])[] = [
  [/\/sign-in\/[\w-]{43}/g, '/sign-in/…'],
  [/(sign_in=)[\w-]+/g, '$1…'],
  [/\breq_[0-9a-z]{16}\b/g, 'req_…'],
  [/(name="csrf" value=")[^"]+/g, '$1…'],
  [/(nonce[="-]+)[\w+/=-]{16,}/g, '$1…'],
];

/** Headers that differ between any two answers. */
const ofTheMoment = new Set(['date', 'x-request-id']);

const alike = (text: string, login: string): string =>
  perFlow.reduce((rest, [pattern, by]) => rest.replaceAll(pattern, by), text).replaceAll(login, 'LOGIN');

/** All that a browser gets to see, without what differs each time. */
function shown({ status, headers, text, url }: Page, login: string): unknown {
  const said = [...headers].filter(([name]) => !ofTheMoment.has(name));
  const values = said.map(([name, value]) => [name, alike(value.replaceAll(/(sp_\w+=)[^;]+/g, '$1…'), login)]);
  return { status, path: alike(url.pathname, login), headers: values, text: alike(text, login) };
}

const operator = { kind: 'operator' } as const;

// Of the time that it takes only the hash is looked at, which is nearly all of it: medians of a few requests on a busy
// machine differ by more than what could be found.
describe('a name that nobody has', () => {
  let server: RunningApp;
  let app: RelyingParty;
  let compared = 0;

  before(async () => {
    server = await startApp();
    const { hasher } = server.app.domains;
    const { verify } = hasher;
    hasher.verify = (...given) => {
      compared += 1;
      return verify(...given);
    };
    const { client } = await createClient(server, {
      kind: 'native',
      metadata: { redirect_uris: ['http://127.0.0.1/callback'] },
    });
    app = await RelyingParty.discover({
      issuer: server.url,
      clientId: client.id,
      auth: oidc.None(),
      redirectUri: 'http://127.0.0.1/callback',
    });
  });
  after(() => server?.[Symbol.asyncDispose]());

  /** A try in a browser of its own, and how many passwords were compared for it. */
  async function tryAs(login: string, password = 'not the right one') {
    const web = new WebClient(server.url);
    const page = expectPage(await web.open((await app.request()).url), 'login');
    const before = compared;
    const answer = await web.submit(page, { username: login, password, action: 'continue' }, 'username');
    expectPage(answer, 'login');
    return { ...(shown(answer, login) as { status: number; text: string }), compared: compared - before };
  }

  const nobody = (): string => `p${randomText(10)}`;

  it('get the same page, headers and hashing as a wrong password', async () => {
    const expected = await tryAs(nobody());
    expect(expected).to.include({ status: 422, compared: 1 });
    expect(expected.text).to.include('role="alert"').and.include('value="LOGIN"');
    const known = await createPerson(server);
    expect(await tryAs(known.login), 'a wrong password').to.deep.equal(expected);
    const [twoDoors, disabled, bare] = [await createPerson(server), await createPerson(server), nobody()];
    await enrolTotp(server, twoDoors.account.id, twoDoors.login);
    expect(await tryAs(twoDoors.login), 'of somebody with a second factor').to.deep.equal(expected);
    await server.app.domains.accounts.disable(disabled.account.id, operator);
    expect(await tryAs(disabled.login, disabled.password), 'the right one, disabled').to.deep.equal(expected);
    await server.app.domains.accounts.create({ email: `${bare}@people.example`, username: bare }, operator);
    expect(await tryAs(bare), 'of somebody who has none').to.deep.equal(expected);
  });

  it('get the same by mail address, and after another try', async () => {
    const address = ({ login }: { readonly login: string }): string => `${login}@people.example`;
    const [login, known] = [nobody(), await createPerson(server)];
    for (const which of ['first', 'second']) {
      const expected = await tryAs(address({ login }));
      expect(expected).to.include({ status: 422, compared: 1 });
      expect(await tryAs(address(known)), `${which} try`).to.deep.equal(expected);
    }
  });
});
