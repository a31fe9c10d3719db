import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { startControlSocket } from '../../src/cli/control-socket.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { createApi, createClient, createPerson } from '../support/people.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { registerApp, tokenOf } from '../web/api-caller.ts';

const read = (page: string): string =>
  readFileSync(join(import.meta.dirname, '..', '..', 'docs', `${page}.md`), 'utf8');
const pages = `${read('api-keys')}\n${read('token-exchange')}`;
const run = promisify(execFile);

/** A shell block of the pages by its name, continued lines joined. */
function block(name: string): string {
  const found = new RegExp(`^\`\`\`sh ${name}\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(pages)?.[1];
  if (found === undefined) throw new Error(`The pages have no block ${name}.`);
  return found.replaceAll(/\\\n\s*/g, '').trim();
}

type Environment = Readonly<Record<string, string>>;

describe('the pages about API keys and token exchange', () => {
  let server: RunningApp;
  let control: AsyncDisposable;

  before(async () => {
    server = await startApp();
    const { dataDir, app } = server;
    control = await startControlSocket({ dataDir, domains: app.domains, logger: silentLogger() });
  });
  after(async () => {
    await control?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers by name.
  async function shell(name: string, env: Environment): Promise<any> {
    const { stdout } = await run('sh', ['-c', block(name)], {
      env: { PATH: process.env.PATH ?? '', ISSUER: server.url, ...env },
    });
    return JSON.parse(stdout);
  }
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers by name.
  async function command(name: string, env: Environment): Promise<any> {
    const text = block(name).replaceAll(/\$(\w+)/g, (_all, variable: string) => env[variable] ?? '');
    const [, , ...words] = [...text.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
    return sallyport(...words);
  }
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers by name.
  async function sallyport(...words: string[]): Promise<any> {
    const output: string[] = [];
    const code = await runCli([...words, '--json'], {
      env: { SALLYPORT_DATA_DIR: server.dataDir, NODE_ENV: 'test' },
      readStdin: async () => '',
      out: (text) => output.push(text),
      err: (text) => output.push(text),
    });
    return code === 0 ? JSON.parse(output.join('')) : { code, text: output.join('') };
  }

  it('make, use, rotate and revoke a key with the commands that they show', async () => {
    const api = await createApi(server);
    const { client } = await createClient(server, { kind: 'machine', apis: { [api]: ['notes:read'] } });
    const service = await createClient(server, { kind: 'service', apis: { [api]: [] } });
    const made = await command('create', { OWNER: client.id, API: api });
    expect(made.key, JSON.stringify(made)).to.match(/^spk_[0-9a-hjkmnp-tv-z]{16}_[0-9a-hjkmnp-tv-z]{59}$/);
    const asker = { SERVICE_ID: service.client.id, SERVICE_SECRET: service.secret };
    expect(await shell('introspect', { ...asker, KEY: made.key })).to.deep.include({
      active: true,
      scope: 'notes:read',
    });
    expect((await shell('token', { KEY: made.key })).access_token).to.match(/^ey/);
    const rotated = await command('rotate', { KEY_ID: made.id });
    expect(rotated.key).not.to.equal(made.key);
    for (const KEY of [made.key, rotated.key])
      expect((await shell('introspect', { ...asker, KEY })).active).to.equal(true);
    expect((await sallyport('api-keys', 'list', '--client', client.id))[0]).to.include({
      id: made.id,
      status: 'active',
    });
    await command('revoke', { KEY_ID: made.id });
    expect(await shell('introspect', { ...asker, KEY: rotated.key })).to.deep.equal({ active: false });
    expect((await sallyport('api-keys', 'list'))[0]).to.include({ id: made.id, status: 'revoked' });
    expect((await sallyport('api-keys', 'create', 'x', '--api', api, '--scope', 'notes:read')).text).to.include(
      '--user',
    );
    expect(
      (await sallyport('api-keys', 'create', 'x', '--client', client.id, '--api', 'https://x/', '--scope', 'a')).text,
    ).to.include('--api');
  });

  it('use a person’s key at the account API', async () => {
    const person = await createPerson(server);
    const own = `${server.url}/api/v1`;
    const words = [
      'Mine',
      '--user',
      person.login,
      '--api',
      own,
      '--scope',
      'account:read',
      '--forever',
      '--per-minute',
      '60',
    ];
    const made = await sallyport('api-keys', 'create', ...words);
    expect(made).to.include({ rateLimit: 60 }).and.not.have.property('expiresAt');
    expect((await shell('me', { PERSONAL_KEY: made.key })).sub).to.equal(person.account.id);
  });

  it('exchange a token and verify one', async () => {
    const [api, orders] = [`${server.url}/api/v1`, await createApi(server)];
    const gateApi = await createApi(server);
    const gateway = await createClient(server, { kind: 'service', apis: { [gateApi]: [] } });
    const machine = await createClient(server, { kind: 'machine', apis: { [gateApi]: ['notes:read'] } });
    const body = new URLSearchParams({ grant_type: 'client_credentials', resource: gateApi, scope: 'notes:read' });
    const authorization = `Basic ${Buffer.from(`${machine.client.id}:${machine.secret}`).toString('base64')}`;
    const response = await fetch(`${server.url}/oauth2/token`, { method: 'POST', headers: { authorization }, body });
    const { access_token: TOKEN } = (await response.json()) as { access_token: string };
    const env = { GATEWAY_ID: gateway.client.id, GATEWAY_SECRET: gateway.secret, ORDERS: orders, TOKEN };
    expect((await shell('exchange', env)).error).to.equal('unauthorized_client');
    expect(await command('allow', env)).to.deep.include({ target: orders, mode: 'delegation', scopes: ['notes:read'] });
    expect(await shell('exchange', env)).to.include({ token_type: 'Bearer', scope: 'notes:read' });
    expect(await sallyport('exchange', 'list', gateway.client.id)).to.have.length(1);
    expect(
      (await sallyport('exchange', 'allow', gateway.client.id, '--api', api, '--scope', 'account:read')).text,
    ).to.include('--api');
    await sallyport('exchange', 'remove', gateway.client.id, '--api', orders);
    expect((await shell('exchange', env)).error).to.equal('unauthorized_client');

    const person = await createPerson(server);
    const { app } = await registerApp(server);
    const asker = await createClient(server, { kind: 'service', mayIntrospect: true });
    const verdict = await shell('verify', {
      SERVICE_ID: asker.client.id,
      SERVICE_SECRET: asker.secret,
      TOKEN: await tokenOf(server, person, { app }),
      API: api,
    });
    expect(verdict).to.deep.include({ active: true, allowed: false, user: { id: person.account.id } });
    expect(verdict.reasons).to.deep.equal([{ code: 'scope', text: 'It lacks a scope.', missing: ['notes:read'] }]);
  });
});
