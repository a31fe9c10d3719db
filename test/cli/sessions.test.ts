import { expect } from 'chai';
import { asAccountId, randomText } from '../../src/shared/ids.ts';
import { type FakeServer, startFakeServer } from './command-line.ts';

describe('sessions commands, executed by the running server', () => {
  let server: FakeServer;

  before(async () => {
    server = await startFakeServer();
  });
  after(() => server?.[Symbol.asyncDispose]());

  async function signedIn(times: number): Promise<{ id: string; email: string }> {
    const { accounts, sessions } = server.domains;
    const account = await accounts.create({ email: `${randomText(10)}@example.com` }, { kind: 'operator' });
    for (let turn = 0; turn < times; turn += 1) {
      const request = { accountId: account.id, kind: 'browser', flow: randomText(20), amr: ['pwd'] } as const;
      await sessions.open(request, { ip: '192.0.2.7', userAgent: 'curl/8.5.0' });
    }
    return account;
  }

  it('list them for people and for programs', async () => {
    const { id, email } = await signedIn(2);
    const listed = await server.run(['sessions', 'list', email, '--json']);
    expect(listed.code, listed.err).to.equal(0);
    expect(listed.json()).to.have.length(2);
    expect(listed.json()[0]).to.include({ browser: 'curl', lastIp: '192.0.2.7', kind: 'browser', accountId: id });
    expect(listed.json()[0]).to.not.have.any.keys('uid', 'deviceHash', 'current');
    expect((await server.run(['sessions', 'list', id])).out).to.match(/curl +192\.0\.2\.7 +pwd/);
    const nowhere = await signedIn(0);
    expect((await server.run(['sessions', 'list', nowhere.email])).out).to.contain('signed in nowhere');
    expect((await server.run(['sessions', 'list', 'nobody'])).code).to.equal(1);
  });

  it('end one, once, as the operator', async () => {
    const { id, email } = await signedIn(2);
    const [session] = (await server.run(['sessions', 'list', email, '--json'])).json();
    expect((await server.run(['sessions', 'end', session.id])).code).to.equal(0);
    const again = await server.run(['sessions', 'end', session.id]);
    expect([again.code, again.err]).to.satisfy(
      ([code, err]: [number, string]) => code === 1 && err.includes(session.id),
    );
    expect(await server.domains.sessions.list(asAccountId(id))).to.have.length(1);
    const [event] = await server.domains.audit.list({ subject: id, type: 'session.ended', limit: 9 });
    expect(event).to.deep.include({ actor: { kind: 'operator' } });
    expect(event?.details).to.deep.include({ session: session.id, reason: 'ended' });
  });

  it('end all of an account', async () => {
    const { id, email } = await signedIn(3);
    const done = await server.run(['sessions', 'end-all', email, '--json']);
    expect(done.json()).to.deep.equal({ id, email, ended: 3 });
    expect((await server.run(['sessions', 'end-all', email])).out).to.contain('(0 sessions)');
    expect(await server.domains.sessions.list(asAccountId(id))).to.deep.equal([]);
  });

  it('forget remembered devices and end sessions with another password', async () => {
    const { id } = await signedIn(1);
    const accountId = asAccountId(id);
    const { credentials, sessions } = server.domains;
    await credentials.setPassword(accountId, 'correct horse battery staple', { actor: { kind: 'operator' } });
    expect(await sessions.list(accountId), 'a first password takes nothing').to.have.length(1);
    await credentials.setPassword(accountId, 'another horse battery staple', { actor: { kind: 'operator' } });
    expect(await sessions.list(accountId)).to.deep.equal([]);
  });
});
