import { expect } from 'chai';
import { generate } from 'otplib';
import { withAuditContext } from '../../src/audit/index.ts';
import { createPerson, enrolTotp, type Person } from '../support/people.ts';
import { refusalCode } from '../support/refusal.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { browserOf } from '../web/api-caller.ts';

/** What a request does that was let in while its session was open, and gets to the writing when it is not any more. */
describe('what is made in a session that ended meanwhile', () => {
  let server: RunningApp;
  let person: Person;
  let late: <T>(work: () => Promise<T>) => Promise<T>;

  before(async () => {
    server = await startApp({ SALLYPORT_API_KEYS: 'everyone' });
  });
  after(() => server?.[Symbol.asyncDispose]());

  beforeEach(async () => {
    const { sessions } = server.app.domains;
    person = await createPerson(server);
    await browserOf(server, person);
    const [{ id: sessionId } = expect.fail('no session')] = await sessions.list(person.account.id);
    late = (work) => withAuditContext({ sessionId }, work);
  });

  const makeKey = () => {
    const owner = { kind: 'account', id: person.account.id } as const;
    const key = { owner, name: 'Backdoor', audience: `${server.url}/api/v1`, scopes: ['account:read'] };
    return server.app.domains.apiKeys.create(key, owner);
  };

  it('is kept while it is open', async () => {
    await late(makeKey);
    expect(await server.app.domains.apiKeys.list()).to.have.lengthOf.at.least(1);
  });

  for (const how of ['ended', 'taken back'] as const) {
    it(`is undone when it was ${how}: an API key, backup codes, an authenticator`, async () => {
      const { apiKeys, credentials, accountSettings, sessions } = server.app.domains;
      const { account } = person;
      await enrolTotp(server, account.id, person.login);
      if (how === 'ended') await sessions.endAll(account.id, { kind: 'operator' });
      else
        await credentials.setPassword(account.id, 'nine lanterns under the old bridge', {
          actor: { kind: 'operator' },
        });
      expect(await refusalCode(late(makeKey))).to.equal('unauthenticated');
      expect((await apiKeys.list()).filter(({ owner }) => owner.id === account.id)).to.deep.equal([]);

      const codes = () => accountSettings.regenerateBackupCodes(account, {});
      expect(await refusalCode(late(codes))).to.equal('unauthenticated');
      const { secret } = await credentials.totp.begin(account.id, person.login, { binding: 'late' });
      const input = { binding: 'late', code: await generate({ secret }) };
      const confirm = () => accountSettings.confirmTotp(account, input, {});
      expect(await refusalCode(late(confirm))).to.equal('unauthenticated');
    });
  }
});
