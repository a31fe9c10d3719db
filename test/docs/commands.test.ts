import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { runCli } from '../../src/cli/run-cli.ts';
import { sha256 } from '../../src/shared/crypto.ts';
import { apiScopes } from '../../src/web/api/resource.ts';
import { startControlled } from '../cli/command-line.ts';
import { textOf } from '../support/direct-client.ts';
import { createApi, createClient, createPerson, enrolTotp } from '../support/people.ts';
import type { RunningApp } from '../support/start-app.ts';
import { registerApp, tokenOf } from '../web/api-caller.ts';

const read = (page: string): string =>
  readFileSync(join(import.meta.dirname, '..', '..', 'docs', `${page}.md`), 'utf8');
const pages = ['first-party', 'api-keys', 'token-exchange'].map(read).join('\n');
const run = promisify(execFile);

const joined = (text: string): string => text.replaceAll(/\\\n\s*/g, '').trim();

/** A shell block of the pages by its name, continued lines joined; the one without a name is that of direct sign-in. */
function block(name: string): string {
  const found = new RegExp(`^\`\`\`sh${name === '' ? '' : ` ${name}`}\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(pages)?.[1];
  if (found === undefined) throw new Error(`The pages have no block ${name}.`);
  return joined(found);
}

type Environment = Readonly<Record<string, string>>;

describe('the commands on the pages, as they stand', () => {
  let server: RunningApp;
  let controlled: Awaited<ReturnType<typeof startControlled>>;

  before(async () => {
    controlled = await startControlled();
    server = controlled.server;
  });
  after(() => controlled?.[Symbol.asyncDispose]());

  /** Runs a block as it stands; everything that it needs comes from the environment. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers by name.
  async function shell(name: string, env: Environment): Promise<any> {
    const variables = { PATH: process.env.PATH ?? '', ISSUER: server.url, ...env };
    const { stdout } = await run('sh', ['-c', block(name)], { env: variables });
    return stdout === '' ? {} : JSON.parse(stdout);
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

  describe('of direct sign-in', () => {
    let clientId: string;
    const asApp = (name: string, env: Environment) => shell(name, { CLIENT_ID: clientId, ...env });

    it('marks an app with the command that it shows', async () => {
      const made = await command('', {});
      expect(made.directSignIn).to.equal(true);
      clientId = made.id;
    });

    it('signs in, shows the second factor, refreshes and signs out with the commands that it shows', async () => {
      const person = await createPerson(server);
      const { code } = await enrolTotp(server, person.account.id, person.login);
      const env = { NAME: person.login, PASSWORD: person.password };
      const challenge = await asApp('login', env);
      expect(challenge).to.include({ requires_2fa: true });
      const shown = { CHALLENGE_ID: textOf(challenge, 'challenge_id'), CODE: await code() };
      const first = await asApp('second-factor', shown);
      const second = await asApp('refresh', { REFRESH_TOKEN: textOf(first, 'refresh_token') });
      expect(second).to.include({ token_type: 'Bearer' });
      const last = { REFRESH_TOKEN: textOf(second, 'refresh_token') };
      expect(await asApp('logout', last)).to.deep.equal({});
      expect(await asApp('refresh', last)).to.include({ status: 401 });
    });

    it('gets and redeems a code with the commands that it shows', async () => {
      const person = await createPerson(server);
      const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
      const env = { NAME: person.login, PASSWORD: person.password, CODE_CHALLENGE: sha256(verifier) };
      const answer = await asApp('challenge', env);
      const redeemed = { AUTHORIZATION_CODE: textOf(answer, 'authorization_code'), CODE_VERIFIER: verifier };
      expect(await asApp('redeem', redeemed)).to.include({ token_type: 'Bearer', scope: 'openid profile' });
    });
  });

  describe('of API keys and token exchange', () => {
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
      expect(await command('allow', env)).to.deep.include({
        target: orders,
        mode: 'delegation',
        scopes: ['notes:read'],
      });
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

  describe('of the account API', () => {
    const page = read('account-api');
    const lines = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, text = '']) => joined(text).split('\n'));

    it('shows commands that work as they stand, one after the other', async () => {
      const person = await createPerson(server);
      let env: Record<string, string> = {
        PATH: process.env.PATH ?? '',
        ISSUER: server.url,
        ACCESS_TOKEN: await tokenOf(server, person),
        PASSWORD: person.password,
        NEW_PASSWORD: 'seven quiet lamps over water',
      };
      // The one that ends its own token comes last.
      const order = [...lines].sort(
        (one, other) => Number(one.includes('/password')) - Number(other.includes('/password')),
      );
      expect(order).to.have.length(5);
      for (const line of order) {
        const { stdout } = await run('sh', ['-c', `${line} -sS -w '\n%{http_code}'`], { env });
        expect(stdout.trim().split('\n').at(-1), `${line}\n${stdout}`).to.match(/^20[04]$/);
        const etag = /^etag: (.*)$/im.exec(stdout)?.[1]?.trim();
        if (etag !== undefined) env = { ...env, ETAG: etag };
      }
      const account = await server.app.domains.accounts.find(person.account.id);
      expect(account?.profile).to.include({ nickname: 'Ada' }).and.to.not.have.property('zoneinfo');
      expect(await server.app.domains.credentials.verifyPassword(person.account.id, env.NEW_PASSWORD ?? '')).to.equal(
        true,
      );
    });

    it('names every scope', () => {
      for (const scope of Object.keys(apiScopes)) expect(page).to.include(`\`${scope}\``);
    });
  });
});
