import { expect } from 'chai';
import { generate } from 'otplib';
import { createPerson, enrolTotp, type Person } from '../support/people.ts';
import { secondOver } from '../support/second-over.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { fullestStoreLane } from '../support/store-lanes.ts';
import { type Answer, type Ask, browserOf, tokenOf, withToken } from './api-caller.ts';

const nextPassword = 'seven quiet lamps over water';
const statusesOf = (answers: readonly Answer[]): Record<number, number> => {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

for (const lane of fullestStoreLane()) {
  describe(`the account API about the account and its factors, on ${lane.name}`, function () {
    this.timeout(60_000);
    let server: RunningApp;
    const stack = new AsyncDisposableStack();

    before(async () => {
      server = await startApp({
        ...(await lane.env(stack)),
        SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '10000',
        SALLYPORT_LIMIT_TOKEN: '100000',
      });
    });
    after(async () => {
      await server?.[Symbol.asyncDispose]();
      await stack.disposeAsync();
    });

    const byToken = async (person: Person, scope?: string): Promise<Ask> =>
      withToken(server, await tokenOf(server, person, scope === undefined ? {} : { scope }));
    const typesOf = async ({ account }: Person): Promise<string[]> =>
      (await server.app.domains.audit.list({ subject: account.id, limit: 300 })).map(({ type }) => type);
    const countOf = async (person: Person, type: string): Promise<number> =>
      (await typesOf(person)).filter((other) => other === type).length;
    const change = (ask: Ask, current: string, next = nextPassword) =>
      ask('POST', '/me/password', { current_password: current, new_password: next });

    it('changes claims by name, keeps the others, and lets nobody overwrite what they have not seen', async () => {
      const person = await createPerson(server);
      const ask = await byToken(person);
      const before = await ask('GET', '/me');
      const etag = before.headers.get('etag') ?? '';
      const body = { given_name: 'Ada', zoneinfo: null, phone_number: null, address: { locality: 'Harbour' } };
      const after = await ask('PATCH', '/me', body, { 'if-match': etag });
      expect(after.status, JSON.stringify(after.json)).to.equal(200);
      const { zoneinfo: _zone, phone_number: _phone, phone_number_verified: _verified, ...kept } = before.json;
      const expected = { ...kept, given_name: 'Ada', address: { locality: 'Harbour' } };
      expect({ ...after.json, updated_at: 0 }).to.deep.equal({ ...expected, updated_at: 0 });
      expect(after.headers.get('etag')).to.not.equal(etag);
      expect((await ask('GET', '/me')).json).to.deep.equal(after.json);
      expect((await ask('PATCH', '/me', body, { 'if-match': etag })).status, 'stale').to.equal(409);
      expect((await ask('PATCH', '/me', body)).json).to.nested.include({
        'fields.If-Match': 'Send the ETag that GET gave you.',
      });
      expect((await ask('PATCH', '/me', { nickname: 'A' }, { 'if-match': '*' })).json).to.include({ nickname: 'A' });
      const nothing = await ask('PATCH', '/me', {}, { 'if-match': '*' });
      expect([nothing.status, nothing.json.nickname]).to.deep.equal([200, 'A']);
    });

    it('says which values cannot be, and which fields there are not', async () => {
      const person = await createPerson(server);
      const ask = await byToken(person);
      const patch = (body: unknown) => ask('PATCH', '/me', body, { 'if-match': '*' });
      const wrong = await patch({
        birthdate: '2001-02-30',
        zoneinfo: 'Moon/Sea',
        phone_number: '12',
        address: { country: '' },
      });
      expect(wrong.status).to.equal(422);
      expect(Object.keys(wrong.json.fields)).to.have.members([
        'birthdate',
        'zoneinfo',
        'phone_number',
        'address.country',
      ]);
      for (const body of [
        { email: 'x@people.example' },
        { roles: ['admin'] },
        { sub: 'x' },
        { email_verified: true },
        { name: 5 },
      ]) {
        const answer = await patch(body);
        expect(answer.status, JSON.stringify(body)).to.equal(400);
        expect(Object.keys(answer.json.fields)).to.deep.equal(Object.keys(body));
      }
      const account = await server.app.domains.accounts.find(person.account.id);
      expect(account).to.deep.equal(person.account);
    });

    it('lets one of fifty changes of the same version win', async () => {
      const person = await createPerson(server);
      const ask = await byToken(person);
      const etag = (await ask('GET', '/me')).headers.get('etag') ?? '';
      const all = await Promise.all(
        Array.from({ length: 50 }, (_, n) => ask('PATCH', '/me', { nickname: `n${n}` }, { 'if-match': etag })),
      );
      expect(statusesOf(all)).to.deep.equal({ 200: 1, 409: 49 });
    });

    it('opens what a scope names and nothing else', async () => {
      const person = await createPerson(server);
      const reader = await byToken(person, 'account:read');
      const writer = await byToken(person, 'account:read account:write');
      expect((await reader('PATCH', '/me', {}, { 'if-match': '*' })).status).to.equal(403);
      for (const [method, path, body] of [
        ['POST', '/me/password', { current_password: person.password, new_password: nextPassword }],
        ['POST', '/me/2fa/setup'],
        ['GET', '/me/sessions'],
        ['DELETE', '/me/sessions'],
        ['POST', '/me/email', { email: 'x@people.example' }],
        ['GET', '/me/export'],
        ['DELETE', '/me'],
      ] as const) {
        const answer = await writer(method, path, body);
        expect(answer.status, path).to.equal(403);
        expect(answer.headers.get('www-authenticate'), path).to.include('scope="account:security"');
      }
    });

    it('changes the password: the browser that asked stays, every other session and token ends', async () => {
      const person = await createPerson(server);
      const other = await browserOf(server, person);
      const app = await byToken(person);
      const { ask } = await browserOf(server, person);
      expect((await change(ask, person.password)).status).to.equal(204);
      expect((await ask('GET', '/me')).status).to.equal(200);
      expect((await other.ask('GET', '/me')).status).to.equal(401);
      expect((await app('GET', '/me')).status).to.equal(401);
      const { credentials } = server.app.domains;
      expect(await credentials.verifyPassword(person.account.id, nextPassword)).to.equal(true);
      expect(await countOf(person, 'password.changed')).to.equal(2);
      expect((await change(ask, nextPassword, 'eight quiet lamps over water')).status, 'it is fresh').to.equal(204);
    });

    it('ends the token as well with which an app changes the password', async () => {
      const person = await createPerson(server);
      const ask = await byToken(person);
      expect((await change(ask, person.password)).status).to.equal(204);
      expect((await ask('GET', '/me')).status).to.equal(401);
      await secondOver();
      const again = withToken(server, await tokenOf(server, { ...person, password: nextPassword }));
      expect((await again('GET', '/me')).status).to.equal(200);
    });

    it('says what is wrong with a password, and counts wrong ones as a sign-in does', async () => {
      const person = await createPerson(server);
      const { ask } = await browserOf(server, person);
      const short = await change(ask, person.password, 'short');
      expect([short.status, Object.keys(short.json.fields)]).to.deep.equal([422, ['new_password']]);
      const missing = await ask('POST', '/me/password', { new_password: nextPassword });
      expect([missing.status, Object.keys(missing.json.fields)]).to.deep.equal([422, ['current_password']]);
      expect(await countOf(person, 'password.change_failed'), 'an absent one is no guess').to.equal(0);
      const tries: Answer[] = [];
      for (let n = 0; n < 12; n += 1) tries.push(await change(ask, `not my password ${n}`));
      const counts = statusesOf(tries);
      expect(Object.keys(counts)).to.deep.equal(['422', '429']);
      expect(tries.at(-1)?.headers.get('retry-after')).to.match(/^\d+$/);
      expect((await change(ask, person.password)).status, 'the right one is not looked at now').to.equal(429);
      expect(await server.app.domains.credentials.verifyPassword(person.account.id, person.password)).to.equal(true);
    });

    it('changes it once when fifty ask at once', async () => {
      const person = await createPerson(server);
      const { ask } = await browserOf(server, person);
      const all = await Promise.all(
        Array.from({ length: 50 }, (_, n) => change(ask, person.password, `quiet lamps over water ${n}`)),
      );
      const counts = statusesOf(all);
      expect(counts[204], JSON.stringify(counts)).to.equal(1);
      expect(await countOf(person, 'password.changed')).to.equal(2);
      for (const { status } of all) expect([204, 401, 409, 422, 429]).to.include(status);
    });

    it('turns an authenticator app on once of fifty, in the session that set it up, and then asks for it', async () => {
      const person = await createPerson(server);
      const { ask } = await browserOf(server, person);
      const stranger = await browserOf(server, person);
      const app = await byToken(person);
      const setup = (await ask('POST', '/me/2fa/setup')).json;
      expect(setup)
        .to.include({ replaces: false })
        .and.to.have.property('uri')
        .that.matches(/^otpauth:/);
      expect((await ask('POST', '/me/2fa/setup')).json.secret, 'the same until it is confirmed').to.equal(setup.secret);
      const confirm = async (who: Ask, steps = 0) =>
        who('POST', '/me/2fa/confirm', {
          code: await generate({ secret: setup.secret, epoch: Math.floor(Date.now() / 1000) + steps * 30 }),
        });
      expect((await confirm(stranger.ask)).status, 'nothing to confirm there').to.equal(410);
      expect((await ask('POST', '/me/2fa/confirm', { code: '000000' })).status).to.equal(422);
      const all = await Promise.all(Array.from({ length: 50 }, () => confirm(ask)));
      const good = all.filter(({ status }) => status === 200);
      expect(good).to.have.length(1);
      for (const { status } of all) expect([200, 401, 410]).to.include(status);
      expect(good[0]?.json).to.have.property('backup_codes').with.length(10);
      expect((await ask('GET', '/me/backup-codes')).json).to.deep.equal({ left: 10 });
      expect(await countOf(person, 'second_factor.enrolled')).to.equal(1);

      const read = await app('GET', '/me/backup-codes');
      expect(read.status, 'an app reads on').to.equal(200);
      const made = await app('POST', '/me/backup-codes');
      expect([made.status, made.headers.get('www-authenticate')?.includes('acr_values="aal2"')]).to.deep.equal([
        401,
        true,
      ]);
      expect((await stranger.ask('GET', '/me')).status, 'a browser without it is asked for it').to.equal(401);
    });

    it('makes new backup codes for one of fifty, and turns everything off with the second factor only', async () => {
      const person = await createPerson(server);
      const factor = await enrolTotp(server, person.account.id, person.login);
      const { ask } = await browserOf(server, person, factor);
      const all = await Promise.all(Array.from({ length: 50 }, () => ask('POST', '/me/backup-codes')));
      const counts = statusesOf(all);
      expect(counts[200], JSON.stringify(counts)).to.be.at.least(1);
      expect(Object.keys(counts).every((status) => ['200', '409'].includes(status))).to.equal(true);
      expect((await ask('GET', '/me/backup-codes')).json).to.deep.equal({ left: 10 });
      const app = withToken(server, await tokenOf(server, person, { factor, steps: 1 }));
      expect((await ask('POST', '/me/2fa/disable')).status).to.equal(204);
      expect((await ask('GET', '/me/backup-codes')).status, 'this browser is signed out too').to.equal(401);
      await secondOver();
      const again = await browserOf(server, person);
      expect((await again.ask('GET', '/me/backup-codes')).json).to.deep.equal({ left: 0 });
      expect((await again.ask('POST', '/me/2fa/disable')).status, 'it is off').to.equal(409);
      expect((await again.ask('POST', '/me/backup-codes')).status).to.equal(409);
      expect((await app('GET', '/me')).status, 'tokens from before are over').to.equal(401);
    });
  });
}
