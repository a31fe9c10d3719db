import { expect } from 'chai';
import * as oidc from 'openid-client';
import { createClient, createPerson } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { emptiestAndFullest } from '../support/store-lanes.ts';
import { WebClient } from '../support/web-client.ts';

const redirectUri = 'https://app.example/callback';

for (const lane of emptiestAndFullest()) {
  describe(`a sign-in that ends an older session on ${lane.name}`, function () {
    this.timeout(60_000);
    let server: RunningApp;
    const stack = new AsyncDisposableStack();

    before(async () => {
      server = await startApp({ ...(await lane.env(stack)), SALLYPORT_SESSION_LIMIT: '1' });
    });
    after(async () => {
      await server?.[Symbol.asyncDispose]();
      await stack.disposeAsync();
    });

    it('succeeds while the browser of that session is busy signing in to apps', async () => {
      const apps = await Promise.all(
        Array.from({ length: 12 }, async () => {
          const metadata = { redirect_uris: [redirectUri] };
          const { client } = await createClient(server, { kind: 'spa', firstParty: true, metadata });
          return RelyingParty.discover({ issuer: server.url, clientId: client.id, auth: oidc.None(), redirectUri });
        }),
      );
      const [app] = apps;
      const person = await createPerson(server);
      for (let round = 0; round < 5; round += 1) {
        const [old, fresh] = [new WebClient(server.url), new WebClient(server.url)];
        const first = await signIn(old, await old.open((await app?.request())?.url ?? ''), person);
        expect(first.url.searchParams.get('code')).to.be.a('string');
        const page = await fresh.open((await app?.request())?.url ?? '');
        const [end, ...silent] = await Promise.all([
          signIn(fresh, page, person),
          ...apps.map(async (other) => old.open((await other.request({ prompt: 'none' })).url)),
        ]);
        expect(end?.url.searchParams.get('code'), `round ${round}: ${end?.status}`).to.be.a('string');
        for (const { status, url } of silent) {
          expect(status, url.href).to.equal(303);
          expect(url.searchParams.get('error') ?? 'login_required').to.equal('login_required');
        }
        expect(
          (await old.open((await app?.request({ prompt: 'none' }))?.url ?? '')).url.searchParams.get('error'),
        ).to.equal('login_required');
      }
    });
  });
}
