import { expect } from 'chai';
import { sha256 } from '../../src/shared/crypto.ts';
import { DirectClient, type Reply, textOf } from '../support/direct-client.ts';
import { createPerson, enrolTotp, type Person } from '../support/people.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';

const begin = { response_type: 'code', code_challenge: sha256('x'.repeat(43)), code_challenge_method: 'S256' };

describe('an installation of an app that an account knows', () => {
  let server: RunningApp;
  let app: DirectClient;

  before(async () => {
    server = await startApp({
      SALLYPORT_LOCKOUT_TRIES: '3',
      SALLYPORT_LIMIT_SIGN_IN: '1000',
      SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '100000',
    });
    app = await DirectClient.register(server);
  });
  after(() => server?.[Symbol.asyncDispose]());

  const login = (person: Person, device_token?: string, client = app): Promise<Reply> =>
    client.login(person, device_token === undefined ? {} : { device_token });
  const tokenOf = async (person: Person, device = 'new', client = app): Promise<string> => {
    const { status, body } = await login(person, device, client);
    expect(status, JSON.stringify(body)).to.equal(200);
    return textOf(body, 'device_token');
  };
  const challenge = (fields: Record<string, string>) => app.form('/oauth2/authorization-challenge', fields);
  const listOf = ({ account }: Person) => server.app.domains.devices.listKnown(account.id);
  /** Wrong passwords of somebody elsewhere, until the account is paused. */
  const lockOut = async (person: Person): Promise<void> => {
    for (let count = 0; count < 4; count += 1) await login({ ...person, password: 'wrong' });
    expect((await login(person)).status).to.equal(429);
  };

  it('gets no token that it did not ask for, and no more devices by coming back', async () => {
    const person = await createPerson(server);
    expect((await login(person)).body).to.not.have.property('device_token');
    expect(await listOf(person)).to.have.length(0);
    const token = await tokenOf(person);
    expect(token).to.not.include(person.account.id);
    const next = await tokenOf(person, token);
    await tokenOf(person, next);
    await tokenOf(person, token);
    expect(await listOf(person)).to.have.length(1);
    await tokenOf(person);
    expect(await listOf(person)).to.have.length(2);
  });

  it('is not locked out by the guesses of a stranger, and whoever has no token still is', async () => {
    const person = await createPerson(server);
    const token = await tokenOf(person);
    await lockOut(person);
    const known = await login(person, token);
    expect(known.status, JSON.stringify(known.body)).to.equal(200);
    for (const other of ['new', `${token.slice(0, -4)}AAAA`, 'x']) {
      await lockOut(person);
      expect((await login(person, other)).status, other).to.equal(429);
    }
    expect((await challenge({ ...begin, username: person.login, password: person.password })).status).to.equal(429);
    const code = await challenge({ ...begin, username: person.login, password: person.password, device_token: token });
    expect(Object.keys(code.body)).to.have.members(['authorization_code', 'device_token']);
  });

  it('is known to its own account and client alone', async () => {
    const [person, other] = [await createPerson(server), await createPerson(server)];
    const theirs = await tokenOf(other);
    const elsewhere = await DirectClient.register(server);
    const foreign = await tokenOf(person, 'new', elsewhere);
    await lockOut(person);
    expect((await login(person, theirs)).status).to.equal(429);
    expect((await login(person, foreign)).status).to.equal(429);
    expect((await login(person, foreign, elsewhere)).status).to.equal(200);
    // Two people with one app are two devices.
    const third = await createPerson(server);
    await tokenOf(third, theirs);
    const [[mine], [first]] = [await listOf(third), await listOf(other)];
    expect(mine?.deviceHash).to.be.a('string').and.not.equal(first?.deviceHash);
  });

  it('is paused for its own guesses', async () => {
    const person = await createPerson(server);
    const token = await tokenOf(person);
    const statuses = [];
    for (let count = 0; count < 6; count += 1) {
      statuses.push((await login({ ...person, password: 'wrong' }, token)).status);
    }
    expect(statuses.filter((status) => status === 401).length).to.be.at.most(3);
    expect((await login(person, token)).status).to.equal(429);
  });

  it('counts at the second factor too, and is no second factor', async () => {
    const person = await createPerson(server);
    const { code } = await enrolTotp(server, person.account.id, person.login);
    const first = await login(person, 'new');
    expect(first.body).to.include({ requires_2fa: true }).and.not.have.property('device_token');
    const shown = { challenge_id: textOf(first.body, 'challenge_id'), code: await code() };
    const done = await app.post('login/2fa', shown);
    const token = textOf(done.body, 'device_token');
    await lockOut(person);
    const again = await login(person, token);
    expect(again.body).to.include({ requires_2fa: true }).and.not.have.property('access_token');
    const challenge_id = textOf(again.body, 'challenge_id');
    const passed = await app.post('login/2fa', { challenge_id, code: await code(1) });
    expect(passed.status, JSON.stringify(passed.body)).to.equal(200);
  });
});
