import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { createSqlAccountStore } from '../../src/accounts/account-store-sql.ts';
import { type Account, type Accounts, createAccounts, type NewAccount } from '../../src/accounts/index.ts';
import { createSqlAuditStore } from '../../src/audit/audit-store-sql.ts';
import { type Actor, createAuditLog } from '../../src/audit/index.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import type { AppError } from '../../src/shared/errors.ts';
import { asAccountId } from '../../src/shared/ids.ts';
import type { Database } from '../../src/storage/database.ts';
import { sqlLanes, testDatabase } from '../support/database.ts';
import { refusal } from '../support/refusal.ts';

const operator: Actor = { kind: 'operator' };
const unique = (): string => randomBytes(6).toString('hex');

for (const lane of sqlLanes()) {
  describe(`accounts on ${lane}`, () => {
    let database: Database;
    let clock: FixedClock;
    let accounts: Accounts;
    let audit: ReturnType<typeof createAuditLog>;

    before(async () => {
      database = await testDatabase(lane);
    });

    beforeEach(() => {
      clock = new FixedClock();
      audit = createAuditLog(createSqlAuditStore(database), clock);
      accounts = createAccounts({ store: createSqlAccountStore(database), clock, audit });
    });

    const make = (extra: Partial<NewAccount> = {}): Promise<Account> =>
      accounts.create({ email: `${unique()}@example.com`, ...extra }, operator);

    it('come back as they were made', async () => {
      const name = unique();
      const made = await make({
        username: `User.${name}`,
        email: `  Zo\u00eb.${name}@Example.com `,
        emailVerified: true,
        roles: ['support', 'admin', 'admin'],
        profile: { name: 'Zo\u00eb', birthdate: '0000-02-29', zoneinfo: 'Europe/Berlin', locale: 'de_DE' },
        address: { street_address: 'Line 1\nLine 2', country: 'DE' },
        phoneNumber: '+4930123456',
        phoneNumberVerified: true,
      });
      expect(await accounts.find(made.id)).to.deep.equal(made);
      expect(made).to.deep.include({
        username: `User.${name}`,
        email: `Zo\u00eb.${name}@Example.com`,
        status: 'active',
        roles: ['admin', 'support'],
        createdAt: clock.now(),
        version: 1,
      });
      expect(made.id).to.match(/^acc_[0-9a-z]{24}$/);
    });

    it('are found by their email and username in any case and form, and by nothing else', async () => {
      const name = unique();
      const made = await make({ username: `bo.${name}`, email: `zo\u00eb.${name}@example.com` });
      for (const login of [
        `BO.${name}`,
        ` bo.${name} `,
        `ZOE\u0308.${name}@EXAMPLE.COM`,
        `zo\u00eb.${name}@example.com`,
      ]) {
        expect((await accounts.findByLogin(login))?.id, login).to.equal(made.id);
      }
      for (const login of ['', `bo.${name}%`, made.id, `bo_${name}`, `zo\u00eb.${name}`, 'x'.repeat(100_000), '\0']) {
        expect(await accounts.findByLogin(login), login.slice(0, 50)).to.equal(undefined);
      }
    });

    it('are unique by email: of 50 at once in different forms, one is made', async () => {
      const name = unique();
      const forms = [
        `zo\u00eb.${name}@example.com`,
        `zoe\u0308.${name}@example.com`,
        `ZO\u00cb.${name}@EXAMPLE.COM`,
        `\uff5ao\u00eb.${name}@Example.com`,
        `ZOE\u0308.${name}@example.COM`,
      ];
      const tries = Array.from({ length: 50 }, (_, index) => make({ email: forms[index % forms.length]! }));
      const results = await Promise.allSettled(tries);
      const lost = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as AppError] : []));
      expect(lost).to.have.length(49);
      for (const error of lost) {
        expect(error.code).to.equal('conflict');
        expect(error.details.fields).to.have.keys('email');
      }
      const won = results.find((result) => result.status === 'fulfilled');
      expect(won?.status === 'fulfilled' && (await audit.list({ subject: won.value.id, limit: 10 }))).to.have.length(1);
    });

    it('are unique by username, and say so', async () => {
      const name = unique();
      await make({ username: `kim-${name}` });
      const error = await refusal(make({ username: `KIM-${name}` }));
      expect(error.code).to.equal('conflict');
      expect(error.details.fields).to.have.keys('username');
    });

    it('leave an outer transaction usable when a name is taken', async () => {
      const taken = await make();
      const made = await database.transaction(async () => {
        await refusal(make({ email: taken.email }));
        return make();
      });
      expect(await accounts.find(made.id)).to.deep.equal(made);
    });

    const unacceptable: [string, Record<string, unknown>, string][] = [
      ['an email that is none', { email: 'nobody' }, 'email'],
      ['two emails', { email: ['a@example.com', 'b@example.com'] }, 'email'],
      ['a username that looks like an email', { username: 'a@example.com' }, 'username'],
      ['a short username', { username: 'ab' }, 'username'],
      ['a username with letters outside ASCII', { username: 'zo\u00eb' }, 'username'],
      ['a dot at the end', { username: 'abc.' }, 'username'],
      ['a field that does not exist', { isAdmin: true }, 'isAdmin'],
      ['an id', { id: 'app_1234' }, 'id'],
      ['a status that a person cannot start with', { status: 'deleted' }, 'status'],
      ['a role with spaces', { roles: ['super admin'] }, 'roles.0'],
      ['an unknown claim', { profile: { sub: 'x' } }, 'profile.sub'],
      ['a script as website', { profile: { website: 'javascript:alert(1)' } }, 'profile.website'],
      ['a website with a password', { profile: { website: 'https://a:b@example.com' } }, 'profile.website'],
      ['a day that does not exist', { profile: { birthdate: '2025-02-29' } }, 'profile.birthdate'],
      ['a time zone that does not exist', { profile: { zoneinfo: 'Mars/Olympus' } }, 'profile.zoneinfo'],
      ['a locale that is none', { profile: { locale: 'not a locale' } }, 'profile.locale'],
      ['a name with control characters', { profile: { name: 'a\u0007b' } }, 'profile.name'],
      ['a name that turns text around', { profile: { name: 'a\u202eb' } }, 'profile.name'],
      ['an endless name', { profile: { name: 'a'.repeat(201) } }, 'profile.name'],
      ['a phone number without country', { phoneNumber: '030123456' }, 'phoneNumber'],
    ];
    for (const [what, input, field] of unacceptable) {
      it(`refuse ${what}`, async () => {
        const before = await database.sql('account').count();
        const error = await refusal(make(input as Partial<NewAccount>));
        expect(error.code).to.equal('invalid_input');
        expect(error.details.fields).to.have.any.keys(field);
        expect(await database.sql('account').count()).to.deep.equal(before);
      });
    }

    it('change field by field, count versions and tell of it', async () => {
      const made = await make({ username: `u-${unique()}`, phoneNumber: '+4930123456', address: { country: 'DE' } });
      clock.advance(60);
      const changed = await accounts.update(
        made.id,
        1,
        { username: null, phoneNumber: null, profile: { nickname: 'Lex' }, roles: ['admin'] },
        operator,
      );
      expect(changed).to.deep.equal(await accounts.find(made.id));
      expect(changed).to.not.have.any.keys('username', 'phoneNumber');
      expect(changed).to.deep.include({
        address: { country: 'DE' },
        profile: { nickname: 'Lex' },
        roles: ['admin'],
        version: 2,
        updatedAt: made.updatedAt + 60_000,
        createdAt: made.createdAt,
      });
      const rows = await audit.list({ subject: made.id, type: 'account.updated', limit: 10 });
      expect(rows[0]?.details?.fields).to.deep.equal(['phoneNumber', 'profile', 'roles', 'username']);
    });

    it('do not stay verified when the address or number is another', async () => {
      const made = await make({ emailVerified: true, phoneNumber: '+4930123456', phoneNumberVerified: true });
      const moved = await accounts.update(
        made.id,
        1,
        { email: `${unique()}@example.com`, phoneNumber: '+4930654321' },
        operator,
      );
      expect(moved).to.include({ emailVerified: false, phoneNumberVerified: false });
      const named = await make({ emailVerified: true });
      expect(await accounts.update(named.id, 1, { profile: {} }, operator)).to.include({ emailVerified: true });
    });

    it('let one of 20 editors of the same version win', async () => {
      const made = await make();
      const edits = Array.from({ length: 20 }, (_, index) =>
        accounts.update(made.id, 1, { profile: { nickname: `n${index}` } }, operator),
      );
      const results = await Promise.allSettled(edits);
      expect(results.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
      for (const result of results) {
        if (result.status === 'rejected') expect((result.reason as AppError).code).to.equal('conflict');
      }
      expect((await accounts.find(made.id))?.version).to.equal(2);
    });

    it('cannot take the name of another account when they change', async () => {
      const taken = await make({ username: `u-${unique()}` });
      const made = await make();
      const byEmail = await refusal(accounts.update(made.id, 1, { email: taken.email.toUpperCase() }, operator));
      expect(byEmail.code).to.equal('conflict');
      expect(byEmail.details.fields).to.have.keys('email');
      const byName = await refusal(accounts.update(made.id, 1, { username: taken.username! }, operator));
      expect(byName.details.fields).to.have.keys('username');
      expect(await accounts.find(made.id)).to.deep.equal(made);
    });

    it('are not changed when the audit row cannot be written', async () => {
      const failing = createAccounts({
        store: createSqlAccountStore(database),
        clock,
        audit: { record: () => Promise.reject(new Error('full')), list: async () => [] },
      });
      const email = `${unique()}@example.com`;
      await failing.create({ email }, operator).then(
        () => expect.fail('It was created.'),
        () => undefined,
      );
      expect(await accounts.findByLogin(email)).to.equal(undefined);
    });

    it('can be stopped and started, once each in the log', async () => {
      const made = await make();
      expect(await accounts.disable(made.id, operator)).to.include({ status: 'suspended', version: 2 });
      expect(await accounts.disable(made.id, operator)).to.include({ status: 'suspended', version: 2 });
      expect(await accounts.enable(made.id, operator)).to.include({ status: 'active', version: 3 });
      expect(await accounts.enable(made.id, operator)).to.include({ status: 'active', version: 3 });
      const types = (await audit.list({ subject: made.id, limit: 10 })).map(({ type }) => type).sort();
      expect(types).to.deep.equal(['account.created', 'account.disabled', 'account.enabled']);
      const missing = asAccountId('acc_missing');
      expect((await refusal(accounts.disable(missing, operator))).code).to.equal('not_found');
      expect((await refusal(accounts.enable(missing, operator))).code).to.equal('not_found');
      expect((await refusal(accounts.update(missing, 1, {}, operator))).code).to.equal('not_found');
    });

    it('are listed newest first, page by page, each once', async () => {
      const mark = unique();
      const made: string[] = [];
      for (let index = 0; index < 5; index += 1) {
        // Two of them in the same millisecond.
        if (index !== 3) clock.advance(1);
        made.push((await make({ username: `list-${mark}-${index}` })).id);
      }
      const seen: Account[] = [];
      let after: Account['id'] | undefined;
      for (;;) {
        const page = await accounts.list({ limit: 2, after, search: `list-${mark}` });
        if (page.length === 0) break;
        seen.push(...page);
        after = page.at(-1)?.id;
      }
      expect(seen.map(({ id }) => id)).to.have.members(made);
      expect(seen).to.have.length(5);
      const times = seen.map(({ createdAt }) => createdAt);
      expect(times).to.deep.equal([...times].sort((left, right) => right - left));
    });

    it('are searched by the start of a name, where % and _ mean themselves', async () => {
      const mark = unique();
      const made = await make({ email: `Search.${mark}@example.com`, profile: { name: `Quinn ${mark}` } });
      const find = async (search: string) => (await accounts.list({ limit: 10, search })).map(({ id }) => id);
      expect(await find(`search.${mark.toUpperCase()}`)).to.deep.equal([made.id]);
      expect(await find(`QUINN ${mark}`)).to.deep.equal([made.id]);
      expect(await find(made.id)).to.deep.equal([made.id]);
      expect(await find(`%${mark}`)).to.deep.equal([]);
      expect(await find(`search_${mark}`)).to.deep.equal([]);
      expect(await find(`' or 1=1 --`)).to.deep.equal([]);
    });
  });
}
