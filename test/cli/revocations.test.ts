import { expect } from 'chai';
import { asAccountId, randomText } from '../../src/shared/ids.ts';
import { testDatabase } from '../support/database.ts';
import { type FakeServer, startFakeServer } from './command-line.ts';

const operator = { kind: 'operator' } as const;

describe('revocations commands, executed by the running server', () => {
  let server: FakeServer;
  before(async () => {
    server = await startFakeServer();
  });
  after(async () => {
    // They concern all who share this database.
    const database = await testDatabase();
    await database.sql('revocation').where({ kind: 'everything' }).delete();
    await database.sql('logout_delivery').delete();
    await server?.[Symbol.asyncDispose]();
  });

  async function app(): Promise<string> {
    const { client } = await server.domains.clients.create(
      { name: 'Notes', kind: 'web', metadata: { redirect_uris: ['https://app.example/callback'] } },
      operator,
    );
    return client.id;
  }
  const add = (...words: string[]) => server.run(['revocations', 'add', ...words, '--json']);

  it('revoke a client, an API, a grant and a token, with who and why', async () => {
    const id = await app();
    const done = await add('--kind', 'client', '--id', id, '--reason', 'its secret leaked');
    expect(done.code, done.err).to.equal(0);
    expect(done.json()).to.deep.equal({ kind: 'client', id, sessions: 0 });
    const listed = (await server.run(['revocations', 'list', '--kind', 'client', '--id', id, '--json'])).json();
    expect(listed).to.have.length(1);
    expect(listed[0]).to.include({ kind: 'client', by: 'operator', reason: 'its secret leaked' });
    const [event] = await server.domains.audit.list({ subject: id, type: 'token.revoked', limit: 1 });
    expect(event?.details).to.include({ kind: 'client', reason: 'its secret leaked' });

    const token = `at_${randomText(53)}`;
    const words = ['revocations', 'add', '--kind', 'token', '--token-stdin', '--reason', 'seen in a log', '--json'];
    const result = await server.run(words, token);
    expect(result.code, result.err).to.equal(0);
    expect(result.out).to.not.include(token);
    expect(server.domains.revocations.isRevokedCached([{ kind: 'token', id: token }])).to.equal(true);
    expect((await server.run(['revocations', 'list'])).out).to.match(/client +\S+ .* operator +its secret leaked/);
  });

  it('end an account: its tokens, its sessions', async () => {
    const { accounts, sessions, revocations } = server.domains;
    const account = await accounts.create({ email: `${randomText(10)}@example.com` }, operator);
    await sessions.open({ accountId: account.id, kind: 'browser', flow: randomText(20), amr: ['pwd'] });
    const done = await add('--kind', 'account', '--id', account.email ?? '', '--reason', 'stolen');
    expect(done.json()).to.deep.equal({ kind: 'account', id: account.id, sessions: 1 });
    expect(await sessions.list(asAccountId(account.id))).to.deep.equal([]);
    const check = [{ kind: 'account', id: account.id, issuedAt: Date.now() - 5000 }] as const;
    expect(revocations.isRevokedCached(check)).to.equal(true);
  });

  it('refuse what does not exist, what needs a reason, and moments to come', async () => {
    for (const [kind, id] of [
      ['client', 'app_none'],
      ['api', 'https://none.example/'],
      ['account', 'nobody'],
    ] as const) {
      expect((await add('--kind', kind, '--id', id, '--reason', 'test')).code, kind).to.equal(1);
    }
    expect((await add('--kind', 'grant', '--id', 'g')).err).to.include('--reason');
    expect((await add('--kind', 'grant', '--reason', 'test')).err).to.include('--id');
    expect((await add('--kind', 'session', '--id', 's', '--reason', 'test')).err).to.include('--kind');
    const allBefore = (...words: string[]) => server.run(['revocations', 'all-before', ...words, '--reason', 'test']);
    expect((await allBefore('2999-01-01T00:00:00Z')).err).to.include('in the future');
    expect((await allBefore('yesterday')).err).to.include('Give a moment');
  });

  it('revoke all before a moment, with the sign-ins from before it', async () => {
    const words = ['revocations', 'all-before', '2001-01-01T00:00:00Z', '--reason', 'long ago', '--json'];
    const done = await server.run(words);
    expect(done.code, done.err).to.equal(0);
    expect(done.json()).to.deep.equal({
      ...{ kind: 'everything', id: 'everything', sessions: 0, apiKeys: 0, before: '2001-01-01T00:00:00Z' },
    });
    const { revocations } = server.domains;
    const ask = (text: string) =>
      revocations.isRevokedCached([{ kind: 'client', id: 'x', issuedAt: Date.parse(text) }]);
    expect([ask('2001-01-01T00:00:00Z'), ask('2001-01-01T00:00:01Z')]).to.deep.equal([true, false]);
    const [event] = await server.domains.audit.list({ subject: 'everything', limit: 1 });
    expect(event?.details).to.include({ before: '2001-01-01T00:00:00.000Z' });
    await server.domains.revocations.refresh();
    const stats = (await server.run(['revocations', 'stats', '--json'])).json();
    expect(stats.database.everything).to.equal(1);
    expect(stats.memory.byKind.everything).to.equal(1);
    expect((await server.run(['revocations', 'stats'])).out).to.match(/everything +1 +1/);
  });

  it('end the API keys of an API with its tokens, for good', async () => {
    const { apis, accounts, apiKeys, audit } = server.domains;
    const scopes = [{ name: 'read', description: 'Read' }];
    const makeApi = async (): Promise<string> =>
      (await apis.create({ identifier: `https://${randomText(10)}.example/`, name: 'Notes', scopes }, operator))
        .identifier;
    const [api, other] = [await makeApi(), await makeApi()];
    const { id } = await accounts.create({ email: `${randomText(10)}@example.com` }, operator);
    const owner = { kind: 'account', id } as const;
    const make = (audience: string) =>
      apiKeys.create({ owner, name: 'Script', audience, scopes: ['read'], expiresInDays: null }, operator);
    const [first, elsewhere] = [await make(api), await make(other)];
    const done = await server.run(['revocations', 'all-before', '--api', api, '--reason', 'its log leaked', '--json']);
    expect(done.json()).to.deep.equal({ kind: 'api', id: api, sessions: 0, apiKeys: 1 });
    expect([await apiKeys.verify(first.text), await apiKeys.verify(elsewhere.text)].map(Boolean)).to.deep.equal([
      false,
      true,
    ]);
    const [event] = await audit.list({ subject: id, type: 'api_key.revoked', limit: 1 });
    expect(event?.details).to.include({ key: first.key.id, reason: 'its log leaked' });
    expect((await apiKeys.list({ owner })).find(({ audience }) => audience === api)).to.have.property('revokedAt');

    const ended = await server.run(['revocations', 'add', '--kind', 'api', '--id', other, '--reason', 'leaked']);
    expect(ended.out, ended.err).to.include('1 API key has ended');
    expect(await apiKeys.verify(elsewhere.text)).to.equal(undefined);
  });

  it('list which apps were told of a logout, and register where', async () => {
    const made = await server.run([
      ...['clients', 'create', '--name', 'Told', '--kind', 'web', '--redirect-uri', 'https://app.example/callback'],
      ...['--backchannel-logout-uri', 'https://app.example/logout', '--backchannel-logout-session-required', '--json'],
    ]);
    expect(made.code, made.err).to.equal(0);
    const { id, metadata } = made.json();
    expect(metadata).to.include({
      backchannel_logout_uri: 'https://app.example/logout',
      backchannel_logout_session_required: true,
    });
    const bad = await server.run(['clients', 'update', id, '--backchannel-logout-uri', 'http://app.example/logout']);
    expect(bad.err).to.include('--backchannel-logout-uri');
    const { accounts, sessions } = server.domains;
    const account = await accounts.create({ email: `${randomText(10)}@example.com` }, operator);
    const grants = [{ clientId: id, grantId: randomText(20) }];
    await sessions.open({ accountId: account.id, kind: 'api', amr: ['pwd'], grants });
    await sessions.endAll(account.id, operator);
    const listed = await server.run(['sessions', 'deliveries', '--client', id, '--status', 'pending', '--json']);
    expect(listed.json()).to.have.length(1);
    expect(listed.json()[0]).to.include({ clientId: id, accountId: account.id, reason: 'ended-all', attempts: 0 });
    expect((await server.run(['sessions', 'deliveries', '--user', account.id])).out).to.match(/ended-all +pending +0/);
    expect((await server.run(['sessions', 'deliveries', '--client', 'none'])).out).to.include('No app had to be told');
  });
});
