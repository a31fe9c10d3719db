import { expect } from 'chai';
import * as oidc from 'openid-client';
import { createApi, createClient, createPerson, type Person } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { storeLanes } from '../support/store-lanes.ts';
import { WebClient } from '../support/web-client.ts';

const callback = 'https://app.example/callback';

interface Answer {
  readonly status: number;
  readonly body: Record<string, string>;
}

for (const lane of storeLanes()) {
  describe(`codes and refresh tokens on ${lane.name}`, () => {
    let server: RunningApp;
    let person: Person;
    let app: RelyingParty;
    let clientId: string;
    let web: WebClient;
    const stack = new AsyncDisposableStack();
    let ahead = 0;
    const clock = { now: () => Date.now() + ahead };

    before(async () => {
      const env = { SALLYPORT_LIMIT_REFRESH: '100000', SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '10000' };
      server = await startApp({ ...(await lane.env(stack)), ...env }, { clock });
      person = await createPerson(server);
      ({ app, clientId } = await registered());
      web = new WebClient(server.url);
      await signIn(web, await web.open((await app.request()).url), person);
    });
    after(async () => {
      await server?.[Symbol.asyncDispose]();
      await stack.disposeAsync();
    });

    async function registered(
      extra: Partial<Parameters<typeof createClient>[1]> = {},
    ): Promise<{ app: RelyingParty; clientId: string }> {
      const { client } = await createClient(server, {
        kind: 'spa',
        firstParty: true,
        metadata: { redirect_uris: [callback] },
        ...extra,
      });
      return {
        app: await RelyingParty.discover({
          issuer: server.url,
          clientId: client.id,
          auth: oidc.None(),
          redirectUri: callback,
        }),
        clientId: client.id,
      };
    }

    const token = async (fields: Record<string, string>): Promise<Answer> => {
      const response = await fetch(`${server.url}/oauth2/token`, {
        method: 'POST',
        body: new URLSearchParams({ client_id: clientId, ...fields }),
      });
      return { status: response.status, body: (await response.json()) as Record<string, string> };
    };
    const isLive = async (accessToken: string): Promise<boolean> =>
      (await fetch(`${server.url}/oauth2/userinfo`, { headers: { authorization: `Bearer ${accessToken}` } })).status ===
      200;

    async function freshCode(): Promise<Record<string, string>> {
      const attempt = await app.request();
      const back = await web.open(attempt.url);
      return {
        grant_type: 'authorization_code',
        code: back.url.searchParams.get('code') ?? '',
        redirect_uri: callback,
        code_verifier: attempt.checks.pkceCodeVerifier,
      };
    }
    const freshTokens = async (): Promise<Record<string, string>> => (await token(await freshCode())).body;
    const refresh = (value: string | undefined): Promise<Answer> =>
      token({ grant_type: 'refresh_token', refresh_token: value ?? '' });

    it('redeem a code once among fifty at the same moment', async () => {
      const fields = await freshCode();
      const answers = await Promise.all(Array.from({ length: 50 }, () => token(fields)));
      expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
      expect(
        new Set(answers.filter(({ status }) => status !== 200).map(({ status, body }) => `${status} ${body.error}`)),
      ).to.deep.equal(new Set(['400 invalid_grant']));
    });

    it('end everything that came of a code when it is used a second time', async () => {
      const fields = await freshCode();
      const first = await token(fields);
      expect(first.status).to.equal(200);
      expect((await token(fields)).body.error).to.equal('invalid_grant');
      expect(await isLive(first.body.access_token ?? '')).to.equal(false);
      expect((await refresh(first.body.refresh_token)).body.error).to.equal('invalid_grant');
    });

    it('refresh once among fifty at the same moment, and leave exactly one live chain', async () => {
      const { refresh_token: value } = await freshTokens();
      const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(value)));
      const winners = answers.filter(({ status }) => status === 200);
      expect(winners).to.have.length(1);
      expect((await refresh(winners[0]?.body.refresh_token)).status).to.equal(200);
    });

    it('let a client whose answer got lost try again, and end the first answer for it', async () => {
      const { refresh_token: value } = await freshTokens();
      const lost = await refresh(value);
      // Who comes at once cannot have missed the answer yet.
      ahead += 150;
      const retried = await refresh(value);
      expect(lost.status).to.equal(200);
      expect(retried.status).to.equal(200);
      expect((await refresh(retried.body.refresh_token)).status).to.equal(200);
    });

    it('end the family when a refresh token comes back after its successor was used', async () => {
      const { refresh_token: first } = await freshTokens();
      const { body: second } = await refresh(first);
      const { body: third } = await refresh(second.refresh_token);
      expect((await refresh(first)).body.error).to.equal('invalid_grant');
      expect((await refresh(third.refresh_token)).body.error).to.equal('invalid_grant');
      expect(await isLive(third.access_token ?? '')).to.equal(false);
    });

    it('are strict at once for a client that wants it', async () => {
      const strict = await registered({ strictRefresh: true });
      const attempt = await strict.app.request();
      const back = await web.open(attempt.url);
      const tokens = await strict.app.redeem(back.url, attempt);
      const use = (value: string): Promise<Answer> =>
        token({ client_id: strict.clientId, grant_type: 'refresh_token', refresh_token: value });
      const next = await use(tokens.refresh_token ?? '');
      expect(next.status).to.equal(200);
      expect((await use(tokens.refresh_token ?? '')).body.error).to.equal('invalid_grant');
      expect((await use(next.body.refresh_token ?? '')).body.error).to.equal('invalid_grant');
    });

    it('stay with their client, their redirect_uri and their code_verifier', async () => {
      const other = await registered();
      for (const change of [
        { client_id: other.clientId },
        { redirect_uri: 'https://app.example/other' },
        { code_verifier: 'x'.repeat(43) },
        { code_verifier: '' },
      ]) {
        const answer = await token({ ...(await freshCode()), ...change });
        expect(answer.status, JSON.stringify(change)).to.equal(400);
        expect(answer.body.error).to.be.oneOf(['invalid_grant', 'invalid_request']);
      }
      const { refresh_token: value } = await freshTokens();
      expect(
        (await token({ client_id: other.clientId, grant_type: 'refresh_token', refresh_token: value ?? '' })).body
          .error,
      ).to.equal('invalid_grant');
      expect(
        (await token({ grant_type: 'refresh_token', refresh_token: value ?? '', scope: 'openid email' })).body.error,
      ).to.equal('invalid_scope');
    });

    it('let two apps sign in at the same moment in one browser, sixteen times over', async () => {
      const failures: unknown[] = [];
      for (let round = 0; round < 16; round += 1) {
        const browser = new WebClient(server.url);
        await signIn(browser, await browser.open((await app.request()).url), person);
        const pair = await Promise.all([registered(), registered()]);
        const results = await Promise.all(
          pair.map(async (side) => {
            const attempt = await side.app.request();
            const back = await browser.open(attempt.url);
            return side.app.redeem(back.url, attempt).then(
              () => undefined,
              (error: unknown) => error,
            );
          }),
        );
        failures.push(...results.filter((result) => result !== undefined));
      }
      expect(failures).to.deep.equal([]);
    });

    it('let a second tab finish its own sign-in without breaking the first', async () => {
      const browser = new WebClient(server.url);
      const [one, two] = [await app.request(), await app.request()];
      const pageOne = await browser.open(one.url);
      const pageTwo = await browser.open(two.url);
      const backTwo = await signIn(browser, pageTwo, person);
      expect((await app.redeem(backTwo.url, two)).claims()?.sub).to.equal(person.account.id);
      const backOne = await signIn(browser, pageOne, person);
      expect(backOne.url.origin, backOne.text.slice(0, 600)).to.equal('https://app.example');
      expect((await app.redeem(backOne.url, one)).claims()?.sub).to.equal(person.account.id);
    });

    it('accept an assertion once among fifty at the same moment (private_key_jwt)', async () => {
      const { exportJWK, generateKeyPair, SignJWT } = await import('jose');
      const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
      const api = await createApi(server);
      const { client } = await createClient(server, {
        kind: 'machine',
        apis: { [api]: ['notes:read'] },
        metadata: {
          token_endpoint_auth_method: 'private_key_jwt',
          jwks: { keys: [{ ...(await exportJWK(publicKey)), kty: 'EC', kid: 'k1', alg: 'ES256', use: 'sig' }] },
        },
      });
      const assertion = await new SignJWT({ jti: crypto.randomUUID() })
        .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
        .setIssuer(client.id)
        .setSubject(client.id)
        .setAudience(server.url)
        .setIssuedAt()
        .setExpirationTime('60s')
        .sign(privateKey);
      const send = (): Promise<Answer> =>
        token({
          client_id: client.id,
          grant_type: 'client_credentials',
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: assertion,
        });
      const answers = await Promise.all(Array.from({ length: 50 }, send));
      expect(
        answers.filter(({ status }) => status === 200),
        JSON.stringify(answers[0]),
      ).to.have.length(1);
      expect(answers.filter(({ status }) => status >= 500)).to.have.length(0);
    });
  });
}
