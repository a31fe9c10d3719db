import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { asAccountId, randomText } from '../../src/shared/ids.ts';
import { type FakeServer, startFakeServer } from './command-line.ts';

const fresh = (): string => randomText(10);

describe('commands, executed by the running server', () => {
  let server: FakeServer;

  before(async () => {
    server = await startFakeServer();
  });

  after(() => server[Symbol.asyncDispose]());

  const newUser = async (): Promise<{ id: string; email: string; username: string; password: string }> => {
    const username = `u${fresh()}`;
    const made = await server.run([
      'users',
      'create',
      '--email',
      `${username}@example.com`,
      '--username',
      username,
      '--json',
    ]);
    expect(made.code, made.err).to.equal(0);
    return made.json();
  };

  const newApi = async (): Promise<string> => {
    const identifier = `https://${fresh()}.example.com`;
    const made = await server.run([
      'apis',
      'create',
      identifier,
      '--name',
      'Orders',
      '--scope',
      'read=Read',
      '--scope',
      'write',
    ]);
    expect(made.code, made.err).to.equal(0);
    return identifier;
  };

  const newClient = async (...options: string[]): Promise<{ id: string; secret?: string; version: number }> => {
    const made = await server.run(['clients', 'create', '--name', 'App', '--json', ...options]);
    expect(made.code, made.err).to.equal(0);
    return made.json();
  };

  describe('users', () => {
    it('makes an account with a random password that works, and prints it once', async () => {
      const user = await newUser();
      expect(user.password).to.match(/^\w{5}(-\w{5}){3}$/);
      expect(await server.domains.credentials.verifyPassword(asAccountId(user.id), user.password)).to.equal(true);
      const shown = await server.run(['users', 'show', user.id]);
      expect(shown.out).to.contain(user.email).and.not.contain(user.password);
      const [event] = await server.domains.audit.list({ subject: user.id, type: 'account.created', limit: 1 });
      expect(event?.actor).to.deep.equal({ kind: 'operator' });
    });

    it('takes a password from standard input and does not repeat it', async () => {
      const email = `${fresh()}@example.com`;
      const words = [
        'users',
        'create',
        '--email',
        email,
        '--name',
        'Alex Doe',
        '--admin',
        '--password-stdin',
        '--json',
      ];
      const made = await server.run(words, 'correct horse battery\n');
      expect(made.code, made.err).to.equal(0);
      expect(made.out).not.to.contain('correct horse');
      expect(made.json()).to.deep.include({ email, roles: ['admin'], emailVerified: true });
      const { id } = made.json();
      expect(await server.domains.credentials.verifyPassword(id, 'correct horse battery')).to.equal(true);
    });

    it('finds an account by id, username and address, and lists it', async () => {
      const user = await newUser();
      const factors = { password: true, totp: false, backupCodes: 0, passkeys: 0 };
      for (const name of [user.id, user.username, user.email.toUpperCase()]) {
        const shown = await server.run(['users', 'show', name, '--json']);
        expect(shown.json()).to.deep.include({ id: user.id, factors });
      }
      const listed = await server.run(['users', 'list', '--search', user.username, '--json']);
      expect(listed.json().map(({ id }: { id: string }) => id)).to.deep.equal([user.id]);
      const { out } = await server.run(['users', 'show', user.id]);
      expect(out)
        .to.include(`${user.email} (confirmed)`)
        .and.match(/^passkeys +0$/m);
      expect(
        new Set(
          out
            .trim()
            .split('\n')
            .map((line) => /^[a-z ]+? {2,}/.exec(line)?.[0].length),
        ).size,
      ).to.equal(1);
      expect((await server.run(['users', 'list', '--search', user.username])).out).to.match(/^ID +EMAIL.*\nacc_/);
    });

    it('disables and enables', async () => {
      const user = await newUser();
      expect((await server.run(['users', 'disable', user.username])).code).to.equal(0);
      expect((await server.domains.accounts.find(asAccountId(user.id)))?.status).to.equal('suspended');
      expect((await server.run(['users', 'enable', user.username, '--json'])).json().status).to.equal('active');
    });

    it('replaces a password', async () => {
      const user = await newUser();
      const { password } = (await server.run(['users', 'set-password', user.email, '--json'])).json();
      const { credentials } = server.domains;
      expect(await credentials.verifyPassword(asAccountId(user.id), user.password)).to.equal(false);
      expect(await credentials.verifyPassword(asAccountId(user.id), password)).to.equal(true);
    });

    it('takes a lost second factor away', async () => {
      const user = await newUser();
      const id = asAccountId(user.id);
      const { totp, backupCodes, factorsOf } = server.domains.credentials;
      await totp.begin(id, user.email);
      await backupCodes.create(id);
      const reset = await server.run(['users', 'reset-second-factor', user.email, '--json']);
      expect(reset.code).to.equal(0);
      expect(reset.json()).to.include({ mustChange: false, removed: true, passkeys: 0 });
      expect(await factorsOf(id)).to.deep.include({ totp: false, backupCodes: 0 });
      const again = await server.run(['users', 'reset-second-factor', user.email]);
      expect(again.out).to.include('has no authenticator, so nothing was taken away');
    });

    it('has a password changed that was long enough beside the second factor only', async () => {
      const user = await newUser();
      const id = asAccountId(user.id);
      const { credentials, passwordPolicy } = server.domains;
      await credentials.totp.begin(id, user.email);
      await credentials.setPassword(id, 'kX9#vq2Lw');
      expect(await passwordPolicy.mustChange(id)).to.equal(false);
      const reset = await server.run(['users', 'reset-second-factor', user.email]);
      expect(reset.out, reset.err).to.include('choose another');
      expect(await passwordPolicy.mustChange(id)).to.equal(true);
      expect((await credentials.factorsOf(id)).totp).to.equal(false);
    });
  });

  describe('clients', () => {
    const redirect = ['--redirect-uri', 'https://app.example.com/callback'];

    it('registers a web app whose secret works, and prints it once', async () => {
      const made = await newClient('--kind', 'web', ...redirect, '--redirect-uri', 'https://app.example.com/other');
      expect(await server.domains.clients.verifySecret(made.id, made.secret ?? '')).to.equal(true);
      const shown = await server.run(['clients', 'show', made.id, '--json']);
      expect(shown.out).not.to.contain(made.secret);
      expect(shown.json().metadata).to.deep.include({
        redirect_uris: ['https://app.example.com/callback', 'https://app.example.com/other'],
        token_endpoint_auth_method: 'client_secret_basic',
      });
    });

    it('registers a browser app without a secret', async () => {
      const made = await newClient(
        '--kind',
        'spa',
        '--first-party',
        '--post-logout-redirect-uri',
        'https://app.example.com/',
        ...redirect,
      );
      expect(made).to.deep.include({ firstParty: true }).and.not.have.property('secret');
    });

    it('grants an API as a whole, or some of its scopes, also when its address has a port', async () => {
      const [one, other] = [await newApi(), await newApi()];
      const ported = `${one}:8443`;
      await server.run(['apis', 'create', ported, '--name', 'Ported', '--scope', 'read=Read']);
      const words = ['--api', one, '--api', `${other}:read+write`, '--api', `${ported}:read`];
      const made = (await newClient('--kind', 'web', ...redirect, ...words)) as unknown as { apis: unknown };
      expect(made.apis).to.deep.equal({ [one]: [], [other]: ['read', 'write'], [ported]: ['read'] });
    });

    it('takes public keys from a file', async () => {
      const keys = {
        keys: [
          {
            kty: 'OKP',
            crv: 'Ed25519',
            kid: '1',
            use: 'sig',
            alg: 'EdDSA',
            x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
          },
        ],
      };
      const file = join(server.dataDir, 'jwks.json');
      writeFileSync(file, JSON.stringify(keys));
      const identifier = await newApi();
      const made = await newClient(
        '--kind',
        'machine',
        '--api',
        `${identifier}:read`,
        '--auth-method',
        'private_key_jwt',
        '--jwks',
        file,
      );
      expect(made).not.to.have.property('secret');
      expect((await server.domains.clients.find(made.id))?.metadata.jwks).to.deep.equal(keys);
    });

    it('changes what is named and nothing else', async () => {
      const made = await newClient('--kind', 'web', ...redirect);
      const changed = await server.run([
        'clients',
        'update',
        made.id,
        '--name',
        'Renamed',
        '--disabled',
        '--require-second-factor',
        '--json',
      ]);
      expect(changed.json()).to.deep.include({
        name: 'Renamed',
        disabled: true,
        requireSecondFactor: true,
        version: made.version + 1,
      });
      expect(changed.json().metadata.redirect_uris).to.deep.equal(['https://app.example.com/callback']);
      const back = await server.run([
        'clients',
        'update',
        made.id,
        '--no-disabled',
        '--no-require-second-factor',
        '--json',
      ]);
      expect(back.json()).to.deep.include({ name: 'Renamed', disabled: false, requireSecondFactor: false });
    });

    it('lets an operator turn PKCE off for one confidential app', async () => {
      const made = await newClient('--kind', 'web', ...redirect, '--no-require-pkce');
      const client = await server.domains.clients.find(made.id);
      expect(client?.requirePkce).to.equal(false);
      expect(client?.metadata.response_types).to.deep.equal(['code']);
    });

    it('takes scopes that have colons, like the API before them', async () => {
      const api = `https://orders-${Date.now()}.example:8443`;
      await server.run(['apis', 'create', api, '--name', 'Orders', '--scope', 'orders:read=Read your orders']);
      const made = await newClient('--kind', 'machine', '--api', `${api}:orders:read`);
      expect((await server.domains.clients.find(made.id))?.apis).to.deep.equal({ [api]: ['orders:read'] });
    });

    it('rotates a secret, with the old one working on or not', async () => {
      const made = await newClient('--kind', 'web', ...redirect);
      const works = (secret = ''): Promise<boolean> => server.domains.clients.verifySecret(made.id, secret);
      const next = (await server.run(['clients', 'rotate-secret', made.id, '--json'])).json();
      expect([await works(made.secret), await works(next.secret)]).to.deep.equal([true, true]);
      const last = (await server.run(['clients', 'rotate-secret', made.id, '--overlap', '0', '--json'])).json();
      expect([await works(made.secret), await works(next.secret), await works(last.secret)]).to.deep.equal([
        false,
        false,
        true,
      ]);
    });

    it('removes', async () => {
      const made = await newClient('--kind', 'web', ...redirect);
      expect((await server.run(['clients', 'remove', made.id])).code).to.equal(0);
      expect((await server.run(['clients', 'show', made.id])).code).to.equal(1);
      expect((await server.run(['clients', 'remove', made.id])).code).to.equal(1);
    });
  });

  describe('apis', () => {
    it('registers, shows, lists and removes', async () => {
      const identifier = await newApi();
      const shown = (await server.run(['apis', 'show', identifier, '--json'])).json();
      expect(shown.scopes).to.deep.equal([
        { name: 'read', description: 'Read' },
        { name: 'write', description: 'write' },
      ]);
      expect((await server.run(['apis', 'list'])).out).to.contain(identifier);
      expect((await server.run(['apis', 'remove', identifier])).code).to.equal(0);
      expect((await server.run(['apis', 'show', identifier])).code).to.equal(1);
    });
  });

  describe('keys', () => {
    it('rotates in stages and revokes only when told that it is an emergency', async () => {
      const rotated = await server.run(['keys', 'rotate', '--alg', 'ES256', '--json']);
      expect(rotated.code, rotated.err).to.equal(0);
      const [next] = rotated.json();
      expect(next).to.deep.include({ alg: 'ES256', state: 'published' });
      expect(next.nextStep.state).to.equal('signing');

      const keys = (await server.run(['keys', 'list', '--json'])).json() as {
        kid: string;
        alg: string;
        state: string;
      }[];
      expect(JSON.stringify(keys)).not.to.contain('"d"');
      const signer = keys.find(({ alg, state }) => alg === 'ES256' && state === 'signing')!;
      const refused = await server.run(['keys', 'revoke', signer.kid]);
      expect(refused.code).to.equal(1);
      const revoked = await server.run(['keys', 'revoke', signer.kid, '--emergency', '--json']);
      expect(revoked.json().map(({ kid }: { kid: string }) => kid)).not.to.include(signer.kid);
    });
  });

  describe('audit', () => {
    it('lists what happened to somebody', async () => {
      const user = await newUser();
      const events = (await server.run(['audit', 'list', '--subject', user.id, '--json'])).json();
      expect(events.map(({ type }: { type: string }) => type)).to.have.members(['account.created', 'password.changed']);
      expect(
        (await server.run(['audit', 'list', '--subject', user.id, '--type', 'account.created', '--limit', '1'])).out,
      ).to.match(/account\.created +success +operator/);
    });
  });
});
