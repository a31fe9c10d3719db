import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import * as oidc from 'openid-client';
import { createClient, createPerson } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { spawnServer } from '../support/spawn-server.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';
import { storeLanes } from '../support/store-lanes.ts';
import { WebClient } from '../support/web-client.ts';
import { browserOf } from '../web/api-caller.ts';

const redirectUri = 'https://app.example/callback';

/** One node of two is ahead by 1.9 seconds, which `sallyport doctor` finds ok: it warns from two seconds on. */
for (const lane of storeLanes().slice(1, 2)) {
  describe(`tokens of a node with a fast clock, on ${lane.name}`, function () {
    this.timeout(60_000);
    const stack = new AsyncDisposableStack();
    let one: RunningApp;
    let fast: { readonly url: string };

    before(async () => {
      const env = await lane.env(stack);
      // The issuer is the fast node, so that its requests need no other Host.
      const port = await freePort();
      const issuer = `http://localhost:${port}`;
      one = stack.use(await startApp({ ...env, SALLYPORT_ISSUER: issuer }));
      const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-test-'));
      stack.defer(() => rmSync(dataDir, { recursive: true, force: true }));
      const spawned = await spawnServer({
        dataDir,
        port,
        env: {
          ...env,
          NODE_ENV: 'test',
          HOST: '127.0.0.1',
          SALLYPORT_ISSUER: issuer,
          SALLYPORT_SECRETS: 'test-secret-test-secret-test-secret-test',
          SALLYPORT_DEMO: 'false',
          NODE_OPTIONS: `--import ${join(import.meta.dirname, 'fast-clock.mjs')}`,
          CLOCK_AHEAD: '1900',
        },
      });
      stack.defer(async () => void (await spawned.stop('SIGTERM')));
      fast = spawned;
    });
    after(() => stack.disposeAsync());

    it('end with a password that is changed right after them at the other node', async () => {
      const person = await createPerson(one);
      const metadata = { redirect_uris: [redirectUri] };
      const { client } = await createClient(one, { kind: 'spa', firstParty: true, metadata });
      const party = await RelyingParty.discover({
        issuer: fast.url,
        clientId: client.id,
        auth: oidc.None(),
        redirectUri,
      });
      const web = new WebClient(fast.url);
      const attempt = await party.request({ scope: 'openid' });
      const back = await signIn(web, await web.open(attempt.url), person);
      const tokens = await party.redeem(back.url, attempt);
      const context = { actor: { kind: 'account', id: person.account.id } } as const;
      await one.app.domains.credentials.setPassword(person.account.id, 'nine lanterns under the old bridge', context);
      await new Promise((resolve) => setTimeout(resolve, 4_000));
      const info = await fetch(`${fast.url}/oauth2/userinfo`, {
        headers: { authorization: `Bearer ${tokens.access_token}` },
      });
      const next = await oidc.refreshTokenGrant(party.config, String(tokens.refresh_token)).catch(() => undefined);
      const { ask } = await browserOf(
        { ...one, url: fast.url },
        { ...person, password: 'nine lanterns under the old bridge' },
      );
      expect((await ask('GET', '/me')).status).to.equal(200);
      const stays = (await web.open('/account')).name;
      expect({ userinfo: info.status, refreshed: next !== undefined, stays }).to.deep.equal({
        userinfo: 401,
        refreshed: false,
        stays: 'login',
      });
    });
  });
}
