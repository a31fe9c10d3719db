import { expect } from 'chai';
import { asAccountId, randomText } from '../../src/shared/ids.ts';
import { type FakeServer, startFakeServer } from './command-line.ts';

describe('commands for the life of accounts', () => {
  let server: FakeServer;
  before(async () => {
    server = await startFakeServer();
  });
  after(() => server[Symbol.asyncDispose]());

  const run = async (...words: string[]) => {
    const done = await server.run([...words, '--json']);
    expect(done.code, done.err).to.equal(0);
    return done.json();
  };
  const newUser = (...more: string[]) => run('users', 'create', '--email', `u${randomText(10)}@example.com`, ...more);

  it('invite an address, and not one that has an account', async () => {
    const email = `u${randomText(10)}@example.com`;
    const invitation = await run('users', 'invite', email, '--role', 'support');
    expect(invitation).to.include({ email, link: server.domains.issuer + invitation.path });
    const text = await server.run(['users', 'invite', `u${randomText(10)}@example.com`]);
    expect(text.out).to.contain(`\n${server.domains.issuer}/`);
    const token = new URLSearchParams(invitation.path.split('?')[1]).get('invitation') ?? '';
    expect((await server.domains.registration.viewInvitation(token))?.email).to.equal(email);
    const { email: taken } = await newUser();
    const refused = await server.run(['users', 'invite', taken]);
    expect(refused.code).to.equal(1);
    expect(refused.err).to.contain('account already');
    expect((await server.run(['users', 'invite', 'nobody'])).err).to.contain('<email>');
  });

  it('verify, delete and restore', async () => {
    const email = `u${randomText(10)}@example.com`;
    const { id } = await server.domains.accounts.create({ email, status: 'unverified' }, { kind: 'operator' });
    expect(await run('users', 'verify', email)).to.include({ status: 'active', emailVerified: true });
    const deleted = await run('users', 'delete', email);
    expect(deleted).to.include({ status: 'deleted', id });
    expect(Date.parse(deleted.purgesAt) - Date.parse(deleted.deletedAt)).to.equal(30 * 86_400_000);
    expect((await server.run(['users', 'verify', id])).code).to.equal(1);
    expect(await run('users', 'restore', id)).to.include({ status: 'active', restored: true });
    expect((await server.run(['users', 'restore', id])).out).to.equal(
      `${email} was not deleted. It is active, as before.\n`,
    );
    const shown = await server.run(['users', 'delete', id]);
    expect(shown.out).to.match(/deleted, and purged after \d{4}-/);
  });

  it('make a recovery link that is mailed, or shown once when that is asked for', async () => {
    const { id, email } = await newUser();
    const refused = await server.run(['users', 'recovery-link', email]);
    expect(refused.code).to.equal(1);
    expect(refused.err).to.contain('cannot help');
    const shown = await run('users', 'recovery-link', email, '--lost', 'password', '--show', '--hours', '2');
    expect(shown).to.include({
      lost: 'password',
      delivery: 'hand',
      user: id,
      link: server.domains.issuer + shown.path,
    });
    const token = new URLSearchParams(shown.path.split('?')[1]).get('token') ?? '';
    expect(await server.domains.recovery.viewLink(token)).to.include({ outcome: 'usable', proof: 'nothing' });
    const mailed = await server.run(['users', 'recovery-link', email, '--lost', 'password']);
    expect(mailed.out)
      .to.match(/link +mailed/)
      .and.not.contain('token');
    const events = await server.domains.audit.list({ subject: id, type: 'recovery_link.created', limit: 9 });
    expect(events).to.have.length(2);
    expect((await server.run(['users', 'recovery-link', email, '--hours', '25'])).code).to.equal(2);
    expect(asAccountId(id)).to.equal(id);
  });
});
