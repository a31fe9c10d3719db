import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { createSqlApiStore } from '../../src/apis/api-store-sql.ts';
import { type Apis, createApis, type NewApi } from '../../src/apis/index.ts';
import { createSqlAuditStore } from '../../src/audit/audit-store-sql.ts';
import { type Actor, createAuditLog } from '../../src/audit/index.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import type { Database } from '../../src/storage/database.ts';
import { sqlLanes, testDatabase } from '../support/database.ts';
import { refusal } from '../support/refusal.ts';

const operator: Actor = { kind: 'operator' };
const unique = (): string => `https://${randomBytes(6).toString('hex')}.example`;

for (const lane of sqlLanes()) {
  describe(`apis on ${lane}`, () => {
    let database: Database;
    let clock: FixedClock;
    let apis: Apis;
    let elsewhere: Apis;
    let audit: ReturnType<typeof createAuditLog>;

    before(async () => {
      database = await testDatabase(lane);
    });

    beforeEach(() => {
      clock = new FixedClock();
      audit = createAuditLog(createSqlAuditStore(database), clock);
      const needs = { store: createSqlApiStore(database), clock, audit };
      apis = createApis(needs);
      elsewhere = createApis(needs);
    });

    const make = (extra: Partial<NewApi> = {}) =>
      apis.create({ identifier: unique(), name: 'Notes', ...extra }, operator);

    it('come back as they were made', async () => {
      const made = await make({
        scopes: [{ name: 'notes:read', description: 'Read your notes' }],
        tokenFormat: 'opaque',
        accessTokenSeconds: 120,
        signingAlg: 'EdDSA',
        requireSecondFactor: true,
      });
      expect(await apis.find(made.identifier)).to.deep.equal(made);
      expect(await apis.list()).to.deep.include(made);
      const plain = await make();
      expect(plain).to.include({ tokenFormat: 'jwt', signingAlg: 'ES256', requireSecondFactor: false });
      expect(plain).to.not.have.any.keys('accessTokenSeconds');
    });

    it('are found by their exact identifier only', async () => {
      const { identifier } = await make();
      for (const near of [
        `${identifier}/`,
        identifier.toUpperCase(),
        identifier.replace('https', 'http'),
        '',
        '__proto__',
      ]) {
        expect(await apis.find(near), near).to.equal(undefined);
      }
    });

    for (const identifier of [
      'https://api.example/v1',
      'https://api.example:8443',
      'http://localhost:4000',
      'http://127.0.0.1:4000/x',
      'urn:sallyport:demo:notes',
    ]) {
      it(`may be called ${identifier}`, async () => {
        await database.sql('api').where({ identifier }).delete();
        expect((await make({ identifier })).identifier).to.equal(identifier);
        await apis.remove(identifier, operator);
      });
    }

    const bad = [
      '',
      'api',
      '/api',
      '//api.example',
      'http://api.example',
      'ftp://api.example',
      'javascript:alert(1)',
      'data:text/plain,x',
      'https://api.example/#f',
      'https://api.example#',
      'https://user@api.example',
      'https://API.example',
      'https://api.example:443',
      'https://api.example/../x',
      'https://api.example/?x=1',
      'https://*.example',
      'https://api.example/a b',
      'https://\u00e4.example',
      'urn:',
      'urn:x',
      'urn:sallyport:',
      'urn:sallyport:a#b',
      `https://api.example/${'a'.repeat(512)}`,
    ];
    for (const identifier of bad) {
      it(`may not be called ${JSON.stringify(identifier.slice(0, 60))}`, async () => {
        const error = await refusal(make({ identifier }));
        expect(error.code).to.equal('invalid_input');
        expect(error.details.fields).to.have.keys('identifier');
      });
    }

    const description = 'Do it';
    const unacceptable: [string, Record<string, unknown>][] = [
      ['a scope of OpenID Connect', { scopes: [{ name: 'openid', description }] }],
      ['offline_access as a scope', { scopes: [{ name: 'offline_access', description }] }],
      ['a scope with a space', { scopes: [{ name: 'a b', description }] }],
      ['a scope with capitals', { scopes: [{ name: 'Read', description }] }],
      ['a scope without description', { scopes: [{ name: 'read', description: '' }] }],
      [
        'a scope twice',
        {
          scopes: [
            { name: 'read', description },
            { name: 'read', description },
          ],
        },
      ],
      ['a symmetric algorithm', { signingAlg: 'HS256' }],
      ['tokens for a week', { accessTokenSeconds: 604_800 }],
      ['tokens for no time', { accessTokenSeconds: 0 }],
      ['a field that does not exist', { version: 7 }],
      ['no name', { name: '' }],
    ];
    for (const [what, input] of unacceptable) {
      it(`refuse ${what}`, async () => {
        expect((await refusal(make(input as Partial<NewApi>))).code).to.equal('invalid_input');
      });
    }

    it('are registered once, by one of 20 at once', async () => {
      const identifier = unique();
      const results = await Promise.allSettled(Array.from({ length: 20 }, () => make({ identifier })));
      expect(results.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
      expect((await refusal(make({ identifier }))).details.fields).to.have.keys('identifier');
      expect(await audit.list({ subject: identifier, limit: 5 })).to.have.length(1);
    });

    it('change field by field, count versions and tell of it', async () => {
      const made = await make({ accessTokenSeconds: 120 });
      clock.advance(10);
      const changed = await apis.update(made.identifier, 1, { name: 'New', accessTokenSeconds: null }, operator);
      expect(changed).to.not.have.any.keys('accessTokenSeconds');
      expect(changed).to.include({ name: 'New', version: 2, updatedAt: clock.now(), createdAt: made.createdAt });
      expect(await apis.find(made.identifier)).to.deep.equal(changed);
      expect((await refusal(apis.update(made.identifier, 1, { name: 'x' }, operator))).code).to.equal('conflict');
      expect((await refusal(apis.update(unique(), 1, { name: 'x' }, operator))).code).to.equal('not_found');
      const wrong = apis.update(made.identifier, 2, { identifier: unique() } as object, operator);
      expect((await refusal(wrong)).code).to.equal('invalid_input');
      const [row] = await audit.list({ subject: made.identifier, type: 'api.updated', limit: 5 });
      expect(row?.details).to.deep.equal({ fields: ['accessTokenSeconds', 'name'] });
    });

    it('are seen by another node within five seconds, and here at once', async () => {
      await elsewhere.find('x');
      const { identifier } = await make();
      expect(await apis.find(identifier)).to.not.equal(undefined);
      expect(await elsewhere.find(identifier)).to.equal(undefined);
      clock.advance(5);
      expect(await elsewhere.find(identifier)).to.not.equal(undefined);
      await apis.remove(identifier, operator);
      expect(await apis.find(identifier)).to.equal(undefined);
      expect((await refusal(apis.remove(identifier, operator))).code).to.equal('not_found');
    });

    it('are looked up without the database', async () => {
      const { identifier } = await make();
      await apis.find(identifier);
      let queries = 0;
      const counting = (): void => {
        queries += 1;
      };
      database.sql.on('query', counting);
      for (let index = 0; index < 100; index += 1) await apis.find(identifier);
      database.sql.removeListener('query', counting);
      expect(queries).to.equal(0);
    });
  });
}
