import { expect } from 'chai';
import { banner, type Findings, noteFor } from '../../src/app/banner.ts';
import { loadConfig } from '../../src/config/load.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';

describe('banner', () => {
  let server: RunningApp;
  before(async () => {
    server = await startApp({ NODE_ENV: 'development' });
  });
  after(() => server?.[Symbol.asyncDispose]());

  it('names the pages and the docs, at addresses that answer', async () => {
    const config = loadConfig({ NODE_ENV: 'development', SALLYPORT_ISSUER: server.url });
    const text = banner(config, undefined);
    const urls = text.match(/https?:\S+/g) ?? [];
    const paths = urls.map((url) => new URL(url).pathname);
    expect(paths).to.include.members(['/account', '/admin', '/api/docs', '/dev/mail']);
    for (const url of urls) {
      const { status } = await fetch(url, { redirect: 'manual' });
      expect(status, url).to.be.within(200, 303);
    }
  });

  it('shows who there is to try, and what for', () => {
    const config = loadConfig({ NODE_ENV: 'development' });
    const person = { email: 'x@demo.example', password: 'abcde-fghij', roles: [] };
    const users = [
      { ...person, username: 'alice' },
      { ...person, username: 'bob', totp: { secret: 'S', uri: 'otpauth:' } },
      { ...person, username: 'admin', roles: ['admin'] },
    ];
    const lines = banner(config, { users, clients: [], apis: [] }).split('\n');
    for (const user of users) {
      const line = lines.find((one) => one.trim().startsWith(`${user.username} `));
      expect(line).to.include(user.password).and.to.include(noteFor(user));
    }
    expect(new Set(users.map(noteFor)).size).to.equal(3);
  });

  describe('in production', () => {
    const production = {
      NODE_ENV: 'production',
      SALLYPORT_ISSUER: 'https://id.example.com',
      SALLYPORT_SECRETS: 'x'.repeat(40),
    };
    const stores = { DATABASE_URL: 'postgres://db/x', REDIS_URL: 'redis://cache' };
    const of = (env: Record<string, string>, findings: Findings = {}): string =>
      banner(loadConfig({ ...production, ...env }), undefined, findings);

    it('says where it listens', () => {
      expect(of(stores, { port: 4711 })).to.match(/Listens on +0\.0\.0\.0:4711\n/);
      expect(of({ ...stores, HOST: '::' }, { port: 4711 })).to.match(/Listens on +\[::\]:4711\n/);
    });

    it('warns of the embedded database, and not of PostgreSQL', () => {
      expect(of({})).to.match(/Warning: DATABASE_URL is not set, .*PostgreSQL/);
      expect(of(stores)).not.to.include('Warning');
      expect(banner(loadConfig({ NODE_ENV: 'development' }), undefined)).not.to.include('Warning');
    });

    it('warns of a Redis that does not answer', () => {
      expect(of(stores, { redisAnswers: true })).to.include('PostgreSQL, Redis\n');
      expect(of(stores, { redisAnswers: false }))
        .to.include('Redis (does not answer)')
        .and.match(/Warning: Redis does not answer at REDIS_URL\. .*503/);
    });

    it('suggests an administrator while there is none', () => {
      expect(of(stores, { hasAdmin: false })).to.include('users create --email you@example.com --admin');
      expect(of(stores, { hasAdmin: true })).not.to.include('--admin');
    });
  });

  it('says why there is neither demo data nor a mail viewer where others can reach the server', () => {
    const of = (env: Record<string, string>): string =>
      banner(loadConfig({ NODE_ENV: 'development', ...env }), undefined);
    expect(of({ HOST: '0.0.0.0' }))
      .to.include('Others can reach this server (HOST is 0.0.0.0)')
      .and.include('no demo data')
      .and.not.include('Mail (dev)');
    expect(of({ SALLYPORT_ISSUER: 'https://id.example.com' })).to.include(
      '(SALLYPORT_ISSUER is https://id.example.com)',
    );
    expect(of({ SALLYPORT_DEMO: 'false' }))
      .to.include('Mail (dev)')
      .and.not.include('Others');
  });
});
