import { expect } from 'chai';
import type { RunningApp } from '../support/start-app.ts';
import { cli, environment, type Run, startControlled } from './command-line.ts';

const callback = 'https://app.example.com/callback';

describe('response types of clients on the command line', () => {
  let server: RunningApp;
  let controlled: Awaited<ReturnType<typeof startControlled>>;

  before(async () => {
    controlled = await startControlled();
    server = controlled.server;
  });
  after(() => controlled?.[Symbol.asyncDispose]());

  const run = (...words: string[]): Promise<Run> => cli(environment(server.dataDir), words);
  const create = (kind: string, ...more: string[]): Promise<Run> =>
    run('clients', 'create', '--name', 'App', '--kind', kind, '--redirect-uri', callback, ...more);
  const made = async (run: Promise<Run>): Promise<{ id: string; grants: string[]; types: string[] }> => {
    const { code, err, out } = await run;
    expect(code, err).to.equal(0);
    const { id, metadata } = JSON.parse(out);
    return { id, grants: metadata.grant_types, types: metadata.response_types };
  };

  /** Whether the server lets the app begin a sign-in with this response type. */
  async function begins(id: string, type: string): Promise<boolean> {
    const url = new URL('/oauth2/authorize', server.url);
    const pkce = { code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' };
    const query = { client_id: id, response_type: type, redirect_uri: callback, scope: 'openid', nonce: 'n1', ...pkce };
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const answer = await fetch(url, { redirect: 'manual' });
    return answer.status === 200 && (await answer.text()).includes('action="/sign-in/');
  }

  it('are code alone, unless an operator says otherwise', async () => {
    const { id, types, grants } = await made(create('web', '--json'));
    expect({ types, grants }).to.deep.equal({ types: ['code'], grants: ['authorization_code', 'refresh_token'] });
    expect([await begins(id, 'code'), await begins(id, 'id_token')]).to.deep.equal([true, false]);
  });

  it('can be set when an app is registered, with the grants that they need', async () => {
    const hybrid = await made(create('web', '--response-type', 'code id_token', '--response-type', 'code', '--json'));
    expect(hybrid.types).to.deep.equal(['code id_token', 'code']);
    expect(hybrid.grants).to.deep.equal(['authorization_code', 'refresh_token']);
    for (const type of ['code', 'code id_token']) expect(await begins(hybrid.id, type), type).to.equal(true);
    expect(await begins(hybrid.id, 'id_token')).to.equal(false);

    const implicit = await made(create('web', '--response-type', 'id_token', '--json'));
    expect(implicit).to.deep.include({ types: ['id_token'], grants: [] });
    expect([await begins(implicit.id, 'code'), await begins(implicit.id, 'id_token')]).to.deep.equal([false, true]);
    expect((await run('clients', 'show', implicit.id)).out).to.match(/^grants +implicit$/m);
  });

  it('can be changed and are shown, and the grants follow there and back', async () => {
    const { id } = await made(
      create('web', '--grant-type', 'authorization_code', '--grant-type', 'client_credentials', '--json'),
    );
    const update = (...types: string[]) =>
      made(run('clients', 'update', id, ...types.flatMap((type) => ['--response-type', type]), '--json'));
    expect((await update('code id_token')).grants).to.deep.equal(['authorization_code', 'client_credentials']);
    const shown = await run('clients', 'show', id);
    expect(shown.out).to.match(/^response types +code id_token$/m);
    expect(shown.out).to.match(/^grants +authorization_code client_credentials implicit$/m);
    expect(await update('id_token')).to.deep.include({ types: ['id_token'], grants: ['client_credentials'] });
    expect(await begins(id, 'id_token')).to.equal(true);
    expect(await update('code')).to.deep.include({
      types: ['code'],
      grants: ['authorization_code', 'refresh_token', 'client_credentials'],
    });
    expect([await begins(id, 'code'), await begins(id, 'id_token')]).to.deep.equal([true, false]);
    const renamed = await made(run('clients', 'update', id, '--name', 'Renamed', '--json'));
    expect(renamed.types).to.deep.equal(['code']);
  });

  it('are named in the help', async () => {
    for (const command of ['create', 'update']) {
      const { out } = await run('help', 'clients', command);
      expect(out, command).to.match(/--response-type … .*One of code, code id_token, id_token\. May be given more/);
    }
  });

  for (const [why, words] of [
    ['one that nobody has', ['web', '--response-type', 'banana']],
    ['one with an access token', ['web', '--response-type', 'id_token token']],
    ['token', ['web', '--response-type', 'code', '--response-type', 'token']],
    ['none', ['web', '--response-type', '']],
    ['an ID token for a browser app', ['spa', '--response-type', 'code id_token']],
    ['an ID token for a machine', ['machine', '--response-type', 'id_token']],
    ['code for a machine', ['machine', '--response-type', 'code']],
    ['code without its grant', ['web', '--response-type', 'code', '--grant-type', 'client_credentials']],
  ] as const) {
    it(`refuse ${why} with exit code 2`, async () => {
      const [kind, ...more] = words;
      const { code, err } = await create(kind, ...more);
      expect(code, err).to.equal(2);
      expect(err).to.include('--response-type: ');
    });
  }

  it('refuse to send an ID token to an address without https', async () => {
    const { id } = await made(create('web', '--json'));
    const words = ['--response-type', 'id_token', '--redirect-uri', 'http://localhost:8080/callback'];
    const { code, err } = await run('clients', 'update', id, ...words);
    expect(code).to.equal(2);
    expect(err).to.include('--redirect-uri: ');
    expect((await run('clients', 'show', id)).out).to.match(/^response types +code$/m);
  });
});
