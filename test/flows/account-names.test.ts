import { expect } from 'chai';
import { randomText } from '../../src/shared/ids.ts';
import { newAddress } from '../registration/fixture.ts';
import { createPerson, enrolTotp, type Person } from '../support/people.ts';
import { signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { expectPage, type Page, WebClient } from '../support/web-client.ts';
import { type Ask, registerApp, tokenOf, withToken } from '../web/api-caller.ts';
import { mailed } from './entry-visitor.ts';

const path = '/account/profile/username';
const any = { 'if-match': '*' };
const newName = (): string => `n${randomText(10)}`;

describe('names and notices of somebody who is signed in', () => {
  let server: RunningApp;
  let app: Awaited<ReturnType<typeof registerApp>>;

  before(async () => {
    server = await startApp({ SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '10000' });
    app = await registerApp(server);
  });
  after(() => server?.[Symbol.asyncDispose]());

  const enter = async (person: Person, to = path): Promise<{ web: WebClient; page: Page }> => {
    const web = new WebClient(server.url, { 'user-agent': 'Firefox of the test' });
    return { web, page: await signIn(web, await web.open(to), person) };
  };
  const ask = async (person: Person): Promise<Ask> =>
    withToken(server, await tokenOf(server, person, { app: app.app }));
  const nameOf = async ({ account }: Person) => (await server.app.domains.accounts.find(account.id))?.username;
  const changes = ({ account }: Person) =>
    server.app.domains.audit.list({ subject: account.id, type: 'account.updated', limit: 50 });
  const noticesTo = async ({ account }: Person): Promise<string[]> =>
    (await server.app.domains.notifications.list(200))
      .filter(({ to, status }) => to === account.email && status !== 'capped')
      .map(({ template }) => template);
  const save = (web: WebClient, page: Page, username: string): Promise<Page> =>
    web.submit(page, { username, action: 'continue' }, 'username');

  it('change, sign in, and are refused when they are no names or somebody else’s, whatever the capitals', async () => {
    const [person, other] = [await createPerson(server), await createPerson(server)];
    const { web, page } = await enter(person);
    expect(expectPage(page, 'account-username').text).to.include(person.login).and.include('Change username');
    for (const wrong of ['', 'ab', 'a b', '-mara', 'mara@fernhill.example', 'ｍａｒａ', 'mará', 'x'.repeat(65)]) {
      const refused = expectPage(await save(web, page, wrong), 'account-username');
      expect([wrong, refused.status]).to.deep.equal([wrong, 422]);
    }
    const taken = expectPage(await save(web, page, other.login.toUpperCase()), 'account-username');
    expect(taken.status).to.equal(409);
    expect(taken.text).to.include('Another account has this username.').and.include(other.login.toUpperCase());
    const name = newName();
    const done = expectPage(await save(web, taken, ` ${name} `), 'account-username');
    expect([done.status, await nameOf(person)]).to.deep.equal([200, name]);
    expect(done.text).to.include('Your username is saved.');
    const [row, ...others] = await changes(person);
    expect(others).to.deep.equal([]);
    expect(row?.details).to.deep.equal({ fields: ['username'] });
    expect(row).to.include({ ip: '127.0.0.1', userAgent: 'Firefox of the test' });
    expect(row?.requestId).to.be.a('string').and.not.equal('');
    expect((await enter({ ...person, login: name.toUpperCase() })).page.name).to.equal('account-username');
    expectPage((await enter(person)).page, 'login');

    const removed = await web.submit(done, { action: 'remove' }, 'username');
    expect([removed.url.search, await nameOf(person)]).to.deep.equal(['?done=removed', undefined]);
    expect(removed.text).to.include('Choose a username');
    // The name that was given up is anybody's.
    expect((await (await ask(other))('PATCH', '/me', { username: name }, any)).status).to.equal(200);
  });

  it('change by the API, with the scope of the address and the version that was read', async () => {
    const [person, other] = [await createPerson(server), await createPerson(server)];
    const api = await ask(person);
    const before = await api('GET', '/me');
    expect(before.json.username).to.equal(person.login);
    const weak = withToken(
      server,
      await tokenOf(server, person, { app: app.app, scope: 'account:read account:write' }),
    );
    const refused = await weak('PATCH', '/me', { username: newName() }, any);
    expect([refused.status, refused.headers.get('www-authenticate')]).to.satisfy(
      ([status, challenge]: [number, string]) => status === 403 && challenge.includes('account:security'),
    );
    expect((await weak('PATCH', '/me', { nickname: 'Mo' }, any)).status).to.equal(200);
    const stale = await api('PATCH', '/me', { username: newName() }, { 'if-match': before.headers.get('etag') ?? '' });
    expect([stale.status, stale.json.fields]).to.deep.equal([409, undefined]);
    const taken = await api('PATCH', '/me', { username: other.login.toUpperCase() }, any);
    expect([taken.status, taken.json.fields]).to.deep.equal([409, { username: 'Another account has this username.' }]);
    expect((await api('PATCH', '/me', { username: 'a b' }, any)).status).to.equal(422);
    const name = newName();
    const done = await api('PATCH', '/me', { username: name, given_name: 'Mo' }, any);
    expect(done.json).to.include({ username: name, given_name: 'Mo' });
    const [row] = await changes(person);
    expect(row).to.deep.include({ clientId: app.client.id, details: { fields: ['profile', 'username'] } });
    expect((await api('PATCH', '/me', { username: null }, any)).json).to.not.have.property('username');
    expect(await nameOf(person)).to.equal(undefined);
  });

  it('want the second factor of whoever has one, as the address does', async () => {
    const person = await createPerson(server);
    const api = await ask(person);
    await enrolTotp(server, person.account.id, person.login);
    const refused = await api('PATCH', '/me', { username: newName() }, any);
    expect(refused.status).to.equal(401);
    expect(refused.headers.get('www-authenticate'))
      .to.include('insufficient_user_authentication')
      .and.include('max_age');
    expect(await nameOf(person)).to.equal(person.login);
    expect((await api('PATCH', '/me', { nickname: 'Mo' }, any)).status).to.equal(200);
  });

  it('are nobody’s list: ten are asked for in an hour, by page and API together', async () => {
    const person = await createPerson(server);
    const other = await createPerson(server);
    const api = await ask(person);
    const { web, page } = await enter(person);
    for (let count = 0; count < 5; count += 1) {
      expect((await api('PATCH', '/me', { username: other.login }, any)).status).to.equal(409);
      expect((await save(web, page, other.login)).status).to.equal(409);
    }
    const late = await api('PATCH', '/me', { username: newName() }, any);
    expect([late.status, Number(late.headers.get('retry-after')) > 60]).to.deep.equal([429, true]);
    expect((await save(web, page, newName())).status).to.equal(429);
    expect((await api('PATCH', '/me', { nickname: 'Mo' }, any)).status).to.equal(200);
  });

  it('go to one of many who want the same at once', async () => {
    const people = await Promise.all(Array.from({ length: 4 }, () => createPerson(server)));
    const asks = await Promise.all(people.map(ask));
    const name = newName();
    const answers = await Promise.all(
      asks.flatMap((api) => Array.from({ length: 10 }, () => api('PATCH', '/me', { username: name }, any))),
    );
    const names = await Promise.all(people.map(nameOf));
    expect(names.filter((one) => one === name)).to.have.length(1);
    expect(new Set(answers.map(({ status }) => status))).to.satisfy((seen: Set<number>) =>
      [...seen].every((status) => status === 200 || status === 409),
    );
  });

  it('stop at sixty changes in a minute, by page and API together, for that account alone', async () => {
    const [person, other] = [await createPerson(server), await createPerson(server)];
    const api = await ask(person);
    const { web, page } = await enter(person);
    const statuses = await Promise.all(Array.from({ length: 70 }, () => api('PATCH', '/me', {}, any)));
    const passed = statuses.filter(({ status }) => status === 200);
    expect([passed.length, statuses.filter(({ status }) => status === 429).length]).to.deep.equal([60, 10]);
    const refused = statuses.find(({ status }) => status === 429);
    expect(Number(refused?.headers.get('retry-after'))).to.be.within(1, 60);
    expect((await save(web, page, newName())).status).to.equal(429);
    expect((await api('GET', '/me')).status, 'reading is no change').to.equal(200);
    expect((await (await ask(other))('PATCH', '/me', {}, any)).status).to.equal(200);
  });

  it('are told of new backup codes, once there were others', async () => {
    const person = await createPerson(server);
    const { accountSettings } = server.app.domains;
    await enrolTotp(server, person.account.id, person.login);
    await accountSettings.regenerateBackupCodes(person.account);
    expect(await noticesTo(person)).to.deep.equal(['second-factor-enrolled']);
    await accountSettings.regenerateBackupCodes(person.account);
    expect(await noticesTo(person)).to.deep.equal(['backup-codes-replaced', 'second-factor-enrolled']);
  });

  it('are told at the old address that a new one is asked for, a few times an hour', async () => {
    const person = await createPerson(server);
    const { registration } = server.app.domains;
    for (let count = 0; count < 7; count += 1) await registration.changeEmail(person.account.id, newAddress());
    const told = await noticesTo(person);
    expect(told).to.deep.equal(Array.from({ length: 5 }, () => 'email-change-requested'));
  }).timeout(10_000);

  it('keep the link to a new address when another mail to it is one too many, and no link to any other', async () => {
    const person = await createPerson(server);
    const { registration } = server.app.domains;
    const [wrong, right] = [newAddress(), newAddress()];
    await registration.changeEmail(person.account.id, wrong);
    const gone = await mailed(server, wrong, 'change-email');
    for (let count = 0; count < 6; count += 1) await registration.changeEmail(person.account.id, right);
    expect((await registration.confirmEmailChange(gone.token)).outcome).to.equal('expired');
    const rows = (await server.app.database.sql('outbox').where({ recipient: right })) as { status: string }[];
    expect(rows.filter(({ status }) => status === 'capped').length, 'some were not mailed').to.be.greaterThan(0);
    const { token } = await mailed(server, right, 'change-email');
    expect(await registration.confirmEmailChange(token)).to.include({ outcome: 'changed', email: right });
    expect(await server.app.database.sql('one_time_link').where({ account_id: person.account.id })).to.deep.equal([]);
  }).timeout(10_000);
});
