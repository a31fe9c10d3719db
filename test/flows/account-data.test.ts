import { expect } from 'chai';
import { createPerson, type Person } from '../support/people.ts';
import { signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { fullestStoreLane } from '../support/store-lanes.ts';
import { expectPage, type Page, readForm, WebClient } from '../support/web-client.ts';

const operator = { kind: 'operator' } as const;

for (const lane of fullestStoreLane()) {
  describe(`the account console's pages about data, on ${lane.name}`, () => {
    let server: RunningApp;
    const stack = new AsyncDisposableStack();

    before(async () => {
      server = await startApp({
        ...(await lane.env(stack)),
        SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '10000',
        SALLYPORT_REMEMBER_DEVICE_DAYS: '30',
      });
    });
    after(async () => {
      await server?.[Symbol.asyncDispose]();
      await stack.disposeAsync();
    });

    const enter = async (person: Person, path: string, headers?: Record<string, string>) => {
      const web = new WebClient(server.url, headers);
      return { web, page: await signIn(web, await web.open(path), person) };
    };
    const find = async ({ account }: Person) => {
      const found = await server.app.domains.accounts.find(account.id);
      if (!found) throw new Error('the account is gone');
      return found;
    };
    const countOf = async ({ account }: Person, type: string): Promise<number> =>
      (await server.app.domains.audit.list({ subject: account.id, type, limit: 500 })).length;
    /** Posts the same form so many times at once, and says which status how often. */
    const atOnce = async (
      web: WebClient,
      page: Page,
      fields: (index: number) => Record<string, string>,
      ...finder: string[]
    ): Promise<{ statuses: Record<number, number>; locations: string[] }> => {
      const form = readForm(page.text, ...finder);
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          web.fetch(form.action, {
            method: 'POST',
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            body: new URLSearchParams({ ...form.fields, ...fields(index) }).toString(),
          }),
        ),
      );
      const statuses: Record<number, number> = {};
      for (const { status } of answers) statuses[status] = (statuses[status] ?? 0) + 1;
      for (const answer of answers) await answer.arrayBuffer();
      return { statuses, locations: answers.map(({ headers }) => headers.get('location') ?? '') };
    };

    describe('profile', () => {
      it('shows what is stored, saves what is typed, and says so once', async () => {
        const person = await createPerson(server);
        const { web, page } = await enter(person, '/account/profile');
        expectPage(page, 'account-profile');
        const form = readForm(page.text, 'profile.name');
        expect(form.fields['profile.name']).to.equal('Mara Lindgren');
        expect(form.fields['address.locality']).to.equal('Fernhill');
        expect(page.text).to.include('<option selected>Europe/Berlin');
        const typed = {
          'profile.name': '  Mara Quill ',
          'profile.given_name': '',
          'profile.birthdate': '0000-02-29',
          'profile.zoneinfo': 'Asia/Tokyo',
          'address.street_address': 'Gate 2\r\nBack yard',
          phoneNumber: '',
        };
        const done = expectPage(await web.submit(page, typed, 'profile.name'), 'account-profile');
        expect(done.url.search).to.equal('?done=saved');
        expect(done.text).to.include('Your profile is saved.');
        const { profile, address, phoneNumber } = await find(person);
        expect(profile).to.deep.equal({
          name: 'Mara Quill',
          family_name: 'Lindgren',
          birthdate: '0000-02-29',
          zoneinfo: 'Asia/Tokyo',
          locale: 'en-GB',
        });
        expect(address).to.deep.equal({ street_address: 'Gate 2\nBack yard', locality: 'Fernhill', country: 'DE' });
        expect(phoneNumber).to.equal(undefined);
        expect((await web.open('/account/profile?done=%3Cb%3E')).text).to.not.include('toast');
      });

      it('keeps what was typed and says at the field what is wrong', async () => {
        const person = await createPerson(server);
        const { web, page } = await enter(person, '/account/profile');
        const typed = { 'profile.birthdate': '21.11.2000', phoneNumber: '030', 'profile.nickname': '<b>Mo</b>' };
        const wrong = expectPage(await web.submit(page, typed, 'profile.name'), 'account-profile');
        expect(wrong.status).to.equal(422);
        const { fields } = readForm(wrong.text, 'profile.name');
        expect(fields).to.include(typed);
        expect(wrong.text).to.match(/id="profile-birthdate"[^>]*aria-invalid="true"/);
        expect(wrong.text).to.include('Date of birth, Phone number').and.not.include('<b>Mo');
        expect((await find(person)).version).to.equal(person.account.version);
        expect(await web.submit(wrong, { 'profile.birthdate': '2000', phoneNumber: '+4930123' }, 'profile.name'))
          .to.have.property('url')
          .with.property('search', '?done=saved');
      });

      it('explains that somebody else changed it, keeps what was typed, and saves it the next time', async () => {
        const person = await createPerson(server);
        const { web, page } = await enter(person, '/account/profile');
        const { accounts } = server.app.domains;
        const changed = { profile: { ...person.account.profile, name: 'Changed <Elsewhere>' } };
        await accounts.update(person.account.id, person.account.version, changed, operator);
        const refused = expectPage(
          await web.submit(page, { 'profile.name': 'Mine', 'profile.nickname': 'Mo' }, 'profile.name'),
          'account-profile',
        );
        expect(refused.status).to.equal(409);
        expect(refused.text).to.include('was changed meanwhile').and.include('Changed &lt;Elsewhere&gt;');
        expect(readForm(refused.text, 'profile.name').fields['profile.name']).to.equal('Mine');
        expect((await find(person)).profile.name).to.equal('Changed <Elsewhere>');
        await web.submit(refused, {}, 'profile.name');
        expect((await find(person)).profile).to.include({ name: 'Mine', nickname: 'Mo' });
      });

      it('takes one of fifty at once and tells the others; the same form again changes nothing', async () => {
        const person = await createPerson(server);
        const { web, page } = await enter(person, '/account/profile');
        const { statuses } = await atOnce(web, page, (index) => ({ 'profile.name': `Name ${index}` }), 'profile.name');
        expect(statuses).to.deep.equal({ 303: 1, 409: 49 });
        const { version, profile } = await find(person);
        expect(version).to.equal(person.account.version + 1);
        await web.submit(page, { 'profile.name': profile.name ?? '' }, 'profile.name');
        expect((await find(person)).version).to.equal(version);
      });

      it('changes nobody else, whatever fields are added, and wants its form', async () => {
        const [person, other] = [await createPerson(server), await createPerson(server)];
        const { web, page } = await enter(person, '/account/profile');
        const more = { id: other.account.id, account: other.account.id, roles: 'admin', email: other.account.email };
        await web.submit(page, { ...more, 'profile.name': 'Mine' }, 'profile.name');
        expect(await find(other)).to.deep.equal(other.account);
        expect(await find(person)).to.deep.include({ roles: [], email: person.account.email });
        const forged = await web.post('/account/profile', { 'profile.name': 'Forged' });
        expect(forged.status).to.equal(403);
        expect((await find(person)).profile.name).to.equal('Mine');
        const stranger = await new WebClient(server.url).post('/account/profile', { 'profile.name': 'Forged' });
        expect(stranger.status).to.equal(401);
      });
    });

    describe('email address', () => {
      const tokensFor = async (to: string): Promise<{ template: string; token: string }[]> => {
        const rows = (await server.app.database.sql('outbox').where({ recipient: to }).select('id')) as {
          id: string;
        }[];
        const mails = await Promise.all(rows.map(({ id }) => server.app.domains.notifications.find(id)));
        return mails.map((mail) => ({
          template: mail?.template ?? '',
          token: /\?token=([\w-]+)/.exec(mail?.content?.text ?? '')?.[1] ?? '',
        }));
      };

      it('sends a link that alone makes the change', async () => {
        const person = await createPerson(server);
        const { web, page } = await enter(person, '/account/profile/email');
        expectPage(page, 'account-email');
        const next = `new-${person.login}@people.example`;
        const sent = expectPage(await web.submit(page, { email: ` ${next} ` }, 'email'), 'account-email');
        expect(sent.url.search).to.equal('?done=sent');
        expect(sent.text).to.include('until then nothing changes').and.include(person.account.email);
        expect((await find(person)).email).to.equal(person.account.email);
        const [mail] = await tokensFor(next);
        expect(mail?.template).to.equal('change-email');
        const { registration } = server.app.domains;
        expect((await registration.confirmEmailChange(mail?.token ?? '')).outcome).to.equal('changed');
        expect(await find(person)).to.include({ email: next, emailVerified: true });
        expect((await web.open('/account/profile')).text).to.include(next);
      });

      it('says the same for an address that somebody has, and refuses what is none', async () => {
        const [person, other] = [await createPerson(server), await createPerson(server)];
        const { web, page } = await enter(person, '/account/profile/email');
        const taken = await web.submit(page, { email: other.account.email }, 'email');
        expect(taken.url.search).to.equal('?done=sent');
        expect((await tokensFor(other.account.email)).map(({ template }) => template)).to.deep.equal([
          'registration-attempt',
        ]);
        for (const email of ['', 'mara', `${'x'.repeat(300)}@people.example`, person.account.email]) {
          const wrong = expectPage(await web.submit(page, { email }, 'email'), 'account-email');
          expect(wrong.status, email).to.equal(422);
          expect(wrong.text).to.match(/id="email"[^>]*aria-invalid="true"/);
          expect(readForm(wrong.text, 'email').fields.email).to.equal(email);
        }
        expect((await web.post('/account/profile/email', { email: 'a@people.example' })).status).to.equal(403);
      });

      it('mails a few of fifty at once, and none of them changes anything by itself', async () => {
        const person = await createPerson(server);
        const { web, page } = await enter(person, '/account/profile/email');
        const next = `many-${person.login}@people.example`;
        const { statuses } = await atOnce(web, page, () => ({ email: next }), 'email');
        expect(statuses).to.deep.equal({ 303: 50 });
        expect((await tokensFor(next)).filter(({ token }) => token !== '').length).to.be.within(1, 10);
        expect(await find(person)).to.deep.equal(person.account);
      });
    });

    describe('sessions and devices', () => {
      const firefox = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' };
      const edge = {
        'user-agent':
          'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0',
      };
      const idsOf = async ({ account }: Person): Promise<string[]> =>
        (await server.app.domains.sessions.list(account.id)).map(({ id }) => id);
      const linkTo = (page: Page, name: string): string =>
        new RegExp(`href="(/account/sessions/end\\?session=[^"]+)" aria-label="End ${name}"`).exec(page.text)?.[1] ??
        '';

      it('lists each browser, marks this one, and ends another with its access', async () => {
        const person = await createPerson(server);
        const { web, page: first } = await enter(person, '/account/sessions', firefox);
        expectPage(first, 'account-sessions');
        expect(first.text).to.include('This device').and.include('127.0.0.1').and.not.include('End all others');
        const { web: other } = await enter(person, '/account/profile', edge);
        const page = await web.open('/account/sessions');
        expect(page.text).to.include('Firefox on Linux').and.include('Edge on Windows').and.include('2 devices');
        expect(page.text.match(/This device/g)).to.have.length(1);
        expect(page.text.indexOf('Firefox on Linux')).to.be.below(page.text.indexOf('Edge on Windows'));
        const confirm = expectPage(await web.open(linkTo(page, 'Edge on Windows')), 'account-sessions-end');
        expect(confirm.text).to.include('Edge on Windows').and.not.include('Firefox');
        expectPage(await other.open('/account/profile'), 'account-profile');
        const done = expectPage(await web.submit(confirm, {}, 'session'), 'account-sessions');
        expect(done.text).to.include('That device is signed out').and.not.include('Edge on Windows');
        expectPage(await other.open('/account/profile'), 'login');
        expectPage(await web.open('/account/profile'), 'account-profile');
        const again = expectPage(await web.submit(confirm, {}, 'session'), 'account-sessions');
        expect(again.text).to.include('signed out already');
      });

      it('ends all others at once and keeps this one', async () => {
        const person = await createPerson(server);
        const { web } = await enter(person, '/account/sessions');
        const others = await Promise.all([enter(person, '/account/profile'), enter(person, '/account/profile')]);
        const confirm = expectPage(await web.open('/account/sessions/end'), 'account-sessions-end');
        expect(confirm.text).to.include('2 devices are signed out');
        const { statuses, locations } = await atOnce(web, confirm, () => ({}), 'action');
        expect(statuses).to.deep.equal({ 303: 50 });
        expect(locations.filter((location) => location.endsWith('done=others'))).to.have.length(1);
        for (const { web: other } of others) expectPage(await other.open('/account/profile'), 'login');
        expectPage(await web.open('/account/profile'), 'account-profile');
        expect(await idsOf(person)).to.have.length(1);
        expect(await countOf(person, 'session.ended')).to.equal(2);
        const none = expectPage(await web.open('/account/sessions/end'), 'account-sessions');
        expect(none.text).to.include('No other device was signed in.');
      });

      it('ends a session once, of fifty at once, and never one of somebody else', async () => {
        const [person, other] = [await createPerson(server), await createPerson(server)];
        const { web: theirs } = await enter(other, '/account/profile');
        const [foreign = ''] = await idsOf(other);
        const { web } = await enter(person, '/account/profile');
        await enter(person, '/account/profile', edge);
        const page = await web.open(linkTo(await web.open('/account/sessions'), 'Edge on Windows'));
        for (const id of [foreign, 'ses_none', '', "'"]) {
          const shown = await web.open(`/account/sessions/end?session=${encodeURIComponent(id)}`);
          expect(expectPage(shown, 'account-sessions').url.search).to.equal('?done=over');
          expect((await web.submit(page, { session: id }, 'session')).url.search).to.equal('?done=over');
        }
        expectPage(await theirs.open('/account/profile'), 'account-profile');
        expect(await countOf(other, 'session.ended')).to.equal(0);
        const { locations } = await atOnce(web, page, () => ({}), 'session');
        expect(locations.filter((location) => location.endsWith('done=ended'))).to.have.length(1);
        expect(await countOf(person, 'session.ended')).to.equal(1);
        expect((await web.post('/account/sessions/end', {})).status).to.equal(403);
      });

      it('forgets a remembered browser, and only of its own person', async () => {
        const [person, other] = [await createPerson(server), await createPerson(server)];
        const { devices } = server.app.domains;
        const meta = { userAgent: firefox['user-agent'], ip: '203.0.113.9' };
        await devices.remember(person.account.id, 'A'.repeat(22), meta);
        await devices.remember(other.account.id, 'B'.repeat(22), meta);
        const [theirs] = await devices.listRemembered(other.account.id);
        const { web, page } = await enter(person, '/account/sessions');
        expect(page.text).to.include('203.0.113.9');
        const foreign = await web.submit(page, { device: theirs?.id ?? '' }, 'device');
        expect(foreign.url.search).to.equal('?done=unknown');
        expect(await devices.listRemembered(other.account.id)).to.have.length(1);
        const { locations } = await atOnce(web, page, () => ({}), 'device');
        expect(locations.filter((location) => location.endsWith('done=forgotten'))).to.have.length(1);
        expect(await devices.listRemembered(person.account.id)).to.have.length(0);
        expect(await countOf(person, 'device.forgotten')).to.equal(1);
        expect((await web.open('/account/sessions')).text).to.include('None is remembered');
      });
    });

    describe('activity', () => {
      it('tells what was done, page by page, each event once, and nothing of anybody else', async () => {
        const [person, other] = [await createPerson(server), await createPerson(server)];
        const { audit, clients } = server.app.domains;
        const { web } = await enter(person, '/account/activity');
        const own = { kind: 'account', id: person.account.id } as const;
        const admin = { kind: 'account', id: other.account.id } as const;
        const secret = { outcome: 'success', subject: person.account.id, ip: '198.51.100.77' } as const;
        await audit.record({ ...secret, type: 'account.updated', actor: admin });
        await audit.record({ ...secret, type: 'password.rehashed', actor: { kind: 'system' } });
        await audit.record({ type: 'passkey.added', actor: admin, outcome: 'success', subject: other.account.id });
        const evil = await clients.create(
          { name: 'Evil $& <b>', kind: 'spa', metadata: { redirect_uris: ['https://evil.example/cb'] } },
          operator,
        );
        await audit.record({
          ...secret,
          type: 'consent.granted',
          actor: own,
          clientId: evil.client.id,
          ip: '192.0.2.1',
        });
        const first = expectPage(await web.open('/account/activity'), 'account-activity');
        expect(first.text).to.include('Access allowed to Evil $&amp; &lt;b&gt;').and.include('192.0.2.1');
        expect(first.text).to.include('Profile changed').and.include('By an administrator');
        expect(first.text).to.not.include('198.51.100.77').and.not.include('Passkey added').and.not.include('renewed');
        for (let index = 0; index < 95; index += 1) {
          await audit.record({
            type: 'passkey.used',
            actor: own,
            outcome: 'success',
            subject: own.id,
            ip: `10.0.0.${index}`,
          });
        }
        const seen: string[] = [];
        let next: string | undefined = '/account/activity';
        for (let pages = 0; next !== undefined && pages < 10; pages += 1) {
          const page = expectPage(await web.open(next), 'account-activity');
          seen.push(...[...page.text.matchAll(/10\.0\.0\.\d+/g)].map(([ip]) => ip));
          next = /href="(\/account\/activity\?before=[^"]+)"/.exec(page.text)?.[1];
        }
        expect(new Set(seen).size, 'each of them').to.equal(95);
        expect(seen, 'and none twice').to.have.length(95);
        const moments = (await audit.list({ subject: own.id, type: 'passkey.used', limit: 100 })).map(({ ip, at }) => [
          ip,
          at,
        ]);
        const atOf = new Map(moments as [string, number][]);
        const order = seen.map((ip) => atOf.get(ip) ?? 0);
        expect(order, 'newest first').to.deep.equal([...order].sort((one, other) => other - one));
        for (const before of ['', 'x', '9999999999999999-evt_1', "1-evt_' or 1=1", '0-evt_0', '99999999999999-evt_0']) {
          const page = await web.open(`/account/activity?before=${encodeURIComponent(before)}`);
          expect(page.status, before).to.equal(200);
        }
        expect((await web.open('/account/activity?before=0-evt_0')).text).to.include('Nothing is older');
      });
    });

    describe('data', () => {
      it('hands out everything as a file, of this person only, and notes it', async () => {
        const [person, other] = [await createPerson(server), await createPerson(server)];
        const { web, page } = await enter(person, '/account/data');
        expectPage(page, 'account-data');
        const form = expectPage(await web.open('/account/data/export'), 'account-export');
        expect(await countOf(person, 'account.exported'), 'looking exports nothing').to.equal(0);
        const answer = await web.submit(form, { action: 'download', account: other.account.id }, 'action');
        expect(answer.headers.get('content-type')).to.equal('application/json; charset=utf-8');
        expect(answer.headers.get('content-disposition')).to.match(
          /^attachment; filename="account-\d{4}-\d\d-\d\d\.json"$/,
        );
        expect(answer.headers.get('cache-control')).to.equal('no-store');
        const data = JSON.parse(answer.text) as { format: string; account: { id: string } };
        expect(data.format).to.equal('sallyport-account-export');
        expect(data.account.id).to.equal(person.account.id);
        expect(answer.text)
          .to.not.include(other.account.id)
          .and.not.match(/\$argon2|secret/i);
        expect(await countOf(person, 'account.exported')).to.equal(1);
        const { statuses } = await atOnce(web, form, () => ({ action: 'download' }), 'action');
        expect(statuses).to.deep.equal({ 200: 50 });
        expect(await countOf(person, 'account.exported')).to.be.within(2, 51);
        expect((await web.post('/account/data/export', { action: 'download' })).status).to.equal(403);
      });

      it('deletes the account when its address is typed, signs out everywhere, and can be undone by an operator', async () => {
        const person = await createPerson(server);
        const { web: elsewhere } = await enter(person, '/account/profile');
        const { web, page } = await enter(person, '/account/data/delete');
        expectPage(page, 'account-delete');
        expect(page.text).to.include('all 2 devices').and.include('For 30 days');
        for (const email of ['', 'yes', `x${person.account.email}`, person.login]) {
          const wrong = expectPage(await web.submit(page, { email }, 'email'), 'account-delete');
          expect(wrong.status).to.equal(422);
          expect(wrong.text).to.include('Nothing was deleted');
        }
        expect((await web.post('/account/data/delete', { email: person.account.email })).status).to.equal(403);
        expect((await find(person)).status).to.equal('active');
        const { statuses } = await atOnce(web, page, () => ({ email: person.account.email.toUpperCase() }), 'email');
        expect(statuses[303]).to.be.within(1, 50);
        expect((statuses[303] ?? 0) + (statuses[401] ?? 0)).to.equal(50);
        expect((await find(person)).status).to.equal('deleted');
        expect(await countOf(person, 'account.deleted')).to.equal(1);
        const farewell = expectPage(await web.open('/account/deleted'), 'account-deleted');
        expect(farewell.text).to.include('30 days').and.not.include(person.account.email);
        for (const browser of [web, elsewhere]) expectPage(await browser.open('/account/profile'), 'login');
        const { web: back, page: refused } = await enter(person, '/account/profile');
        expectPage(refused, 'login');
        await server.app.domains.accountData.restore(person.account.id, operator);
        expectPage(await web.open('/account/profile'), 'login');
        // Sessions count in whole seconds, and what began in the second of the end is over too.
        const ended = Math.floor(Date.now() / 1000);
        while (Math.floor(Date.now() / 1000) === ended) await new Promise((resolve) => setTimeout(resolve, 20));
        expectPage(await signIn(back, await back.open('/account/profile'), person), 'account-profile');
      });
    });
  });
}
