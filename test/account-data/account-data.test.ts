import { expect } from 'chai';
import { generate } from 'otplib';
import { asClientId, randomText } from '../../src/shared/ids.ts';
import { createWorld, goodPassword, meta, newAddress, operator, type World } from '../registration/fixture.ts';
import { sqlLanes } from '../support/database.ts';
import { refusal } from '../support/refusal.ts';

const day = 86_400;

for (const lane of sqlLanes()) {
  describe(`account data on ${lane}`, () => {
    let world: World;
    before(async () => {
      world = await createWorld(lane);
    });
    after(() => world[Symbol.asyncDispose]());

    /** Somebody with something in every place, whose words are found nowhere else. */
    const known = async () => {
      const word = `zyx${randomText(12)}`;
      const { accounts, credentials, consents, audit, devices } = world.domains;
      const email = `${word}@people.example`;
      const made = await accounts.create(
        {
          email,
          username: word,
          emailVerified: true,
          profile: { name: `Mara ${word}`, zoneinfo: 'Europe/Berlin' },
          address: { street_address: `Gate ${word}` },
          phoneNumber: '+4930123456',
        },
        operator,
      );
      const { id } = made;
      await credentials.setPassword(id, goodPassword(), { ip: '198.51.100.77', userAgent: `Browser ${word}` });
      const { secret } = await credentials.totp.begin(id, word);
      const code = await generate({ secret, epoch: Math.floor(world.clock.now() / 1000) });
      expect(await credentials.totp.confirm(id, code)).to.equal(true);
      await credentials.backupCodes.create(id);
      await credentials.totp.begin(id, word);
      await consents.grant(id, asClientId('app_1'), { scopes: ['openid'], claims: [], resources: {} });
      await devices.seen(id, word, { ip: '198.51.100.77', userAgent: `Browser ${word}` });
      await world.recovery().requestReset(email, { ip: '198.51.100.77', userAgent: `Browser ${word}` });
      await world.registration().changeEmail(id, `new-${email}`, { ip: '198.51.100.77', userAgent: word });
      await world
        .registration()
        .register({ email, password: goodPassword() }, { ip: '198.51.100.77', userAgent: word });
      await audit.record({
        type: 'client.updated',
        actor: { kind: 'account', id },
        outcome: 'success',
        subject: 'app_1',
        userAgent: `Browser ${word}`,
        details: { note: word },
      });
      await audit.record({
        type: 'sign_in.failed',
        actor: { kind: 'stranger' },
        outcome: 'failure',
        subject: id,
        userAgent: `Browser ${word}`,
        details: { login: word },
      });
      return { id, word, email };
    };

    /** Every table with a row that has this text in any column. */
    const tablesWith = async (text: string): Promise<string[]> => {
      const { rows } = (await world.database.sql.raw(
        `select table_name as name from information_schema.tables
         where table_schema = 'public' and table_type = 'BASE TABLE'`,
      )) as { rows: { name: string }[] };
      const found: string[] = [];
      for (const { name } of rows) {
        const [row] = (
          await world.database.sql.raw(`select 1 from "${name}" as t where t::text ilike ? limit 1`, [`%${text}%`])
        ).rows as unknown[];
        if (row) found.push(name);
      }
      return found.sort();
    };

    describe('are deleted', () => {
      it('softly: nobody comes in, access ends, all links die, the person is told and the names stay', async () => {
        const { id, word, email } = await known();
        const { token } = await world.lastMail(email, 'reset-password');
        const account = await world.domains.accountData.delete(id, { kind: 'account', id }, meta);
        expect(account).to.deep.include({ status: 'deleted', email, deletedAt: world.clock.now() });
        expect(world.domains.accountData.purgesAt(account)).to.equal(world.clock.now() + 30 * day * 1000);
        expect(await world.domains.revocations.isRevoked([{ kind: 'account', id }])).to.equal(true);
        expect((await world.recovery().reset(token, goodPassword(), meta)).outcome).to.equal('expired');
        expect((await world.mails(email)).map(({ template }) => template)).to.include('deletion-scheduled');
        const taken = world.domains.accounts.create({ email: newAddress(), username: word }, operator);
        expect((await refusal(taken)).details.fields).to.have.keys('username');
        const again = await world.domains.accountData.delete(id, operator);
        expect(again.deletedAt).to.equal(account.deletedAt);
        const told = (await world.mails(email)).filter(({ template }) => template === 'deletion-scheduled');
        expect(told).to.have.length(1);
      });

      it('once when 50 ask at once', async () => {
        const { id, email } = await world.person();
        const by = { kind: 'account', id } as const;
        const results = await Promise.allSettled(
          Array.from({ length: 50 }, () => world.domains.accountData.delete(id, by, meta)),
        );
        expect(results.filter(({ status }) => status === 'fulfilled')).to.have.length(50);
        expect(await world.domains.audit.list({ subject: id, type: 'account.deleted', limit: 99 })).to.have.length(1);
        const told = (await world.mails(email)).filter(({ template }) => template === 'deletion-scheduled');
        expect(told).to.have.length(1);
      });

      it('not by the person whom an operator stopped, nor by a stranger', async () => {
        const { id } = await world.person();
        await world.domains.accounts.disable(id, operator);
        const own = await refusal(world.domains.accountData.delete(id, { kind: 'account', id }));
        expect(own.code).to.equal('conflict');
        const stranger = await refusal(world.domains.accountData.delete(id, { kind: 'stranger' }));
        expect(stranger.code).to.equal('forbidden');
        const nobody = await refusal(world.domains.accountData.delete('acc_nobody' as typeof id, operator));
        expect(nobody.code).to.equal('not_found');
      });
    });

    describe('are restored', () => {
      for (const status of ['active', 'unverified', 'suspended', 'locked'] as const) {
        it(`as they were: ${status}`, async () => {
          const { accounts, accountLife, accountData } = world.domains;
          const { id } = await accounts.create(
            { email: newAddress(), status: status === 'unverified' ? 'unverified' : 'active' },
            operator,
          );
          if (status === 'suspended') await accounts.disable(id, operator);
          if (status === 'locked') await accountLife.lock(id, operator);
          await accountData.delete(id, operator);
          expect((await refusal(accounts.enable(id, operator))).code).to.equal('conflict');
          const restored = await accountData.restore(id, operator);
          expect(restored.status).to.equal(status);
          expect(restored).not.to.have.any.keys('deletedAt');
          expect((await accountData.restore(id, operator)).status, 'twice').to.equal(status);
        });
      }

      it('by operators only', async () => {
        const { id } = await world.person();
        await world.domains.accountData.delete(id, operator);
        const own = await refusal(world.domains.accountData.restore(id, { kind: 'account', id }));
        expect(own.code).to.equal('forbidden');
      });
    });

    describe('are purged', () => {
      it('when it is time and not before, with everything personal in every table', async () => {
        const { webhooks } = world.domains;
        const hook = { url: 'http://127.0.0.1:9/', events: ['*'] };
        const hooks = [
          await webhooks.add({ ...hook, personalData: true }, operator),
          await webhooks.add(hook, operator),
        ];
        const { id, word, email } = await known();
        expect(await tablesWith(word)).to.include.members([
          'account',
          'audit_event',
          'one_time_link',
          'outbox',
          'webhook_delivery',
        ]);
        expect(await tablesWith(id)).to.include.members([
          'password',
          'totp',
          'totp_pending',
          'backup_codes',
          'consent',
        ]);
        await world.domains.accountData.delete(id, { kind: 'account', id }, { ip: '198.51.100.77', userAgent: word });
        world.clock.advance(30 * day - 1);
        await world.domains.accountData.purge();
        expect((await world.domains.accounts.find(id))?.status).to.equal('deleted');
        world.clock.advance(1);
        expect(await world.domains.accountData.purge()).to.be.at.least(1);
        expect(await tablesWith(word)).to.deep.equal([]);
        // Neither names anybody any more, and a revocation goes when what it revokes would have expired.
        expect(await tablesWith(id), 'the bare id').to.deep.equal(['audit_event', 'revocation', 'webhook_delivery']);
        for (const { body } of await world.database.sql('webhook_delivery').where('body', 'like', `%${id}%`)) {
          expect(body).not.to.match(/ip"|user_agent|198\.51\.100/);
          expect(JSON.parse(body).data).to.include.keys('id', 'actor', 'subject');
        }
        const rows = await world.domains.audit.list({ subject: id, limit: 99 });
        expect(rows.length).to.be.greaterThan(5);
        for (const row of rows) expect(row, row.type).not.to.have.any.keys('ip', 'userAgent', 'details');
        expect(rows.map(({ type }) => type)).to.include('account.purged');
        const late = await refusal(world.domains.accountData.restore(id, operator));
        expect(late.code).to.equal('not_found');
        const next = await world.domains.accounts.create({ email, username: word }, operator);
        expect(next.id).not.to.equal(id);
        for (const { endpoint } of hooks) await webhooks.remove(endpoint.id, operator);
      });

      it('in batches, by several at once, each account once and no other', async () => {
        const bystander = await world.person();
        const ids = [];
        for (let count = 0; count < 45; count += 1) {
          const { id } = await world.domains.accounts.create({ email: newAddress() }, operator);
          await world.domains.accountData.delete(id, operator);
          ids.push(id);
        }
        world.clock.advance(30 * day);
        const done = await Promise.all([1, 2, 3].map(() => world.domains.accountData.purge()));
        expect(done.reduce((sum, one) => sum + one)).to.be.at.least(45);
        for (const id of ids) {
          const events = await world.domains.audit.list({ subject: id, type: 'account.purged', limit: 9 });
          expect(events).to.have.length(1);
        }
        expect(await world.domains.accounts.find(bystander.id)).not.to.equal(undefined);
      });

      it('not when they are restored at the last moment', async () => {
        const { id } = await world.person();
        await world.domains.accountData.delete(id, operator);
        world.clock.advance(30 * day);
        await world.domains.accountData.restore(id, operator);
        await world.domains.accountData.purge();
        expect((await world.domains.accounts.find(id))?.status).to.equal('active');
      });

      it('with every table that has an account, now and later', async () => {
        const { rows } = (await world.database.sql.raw(
          `select c.table_name as name, exists (
             select from information_schema.table_constraints k
             join information_schema.key_column_usage u using (constraint_name, constraint_schema)
             join information_schema.referential_constraints r using (constraint_name, constraint_schema)
             where k.table_name = c.table_name and k.constraint_type = 'FOREIGN KEY' and r.delete_rule = 'CASCADE'
               and u.column_name = 'account_id') as cascades
           from information_schema.columns c where c.table_schema = 'public' and c.column_name = 'account_id'`,
        )) as { rows: { name: string; cascades: boolean }[] };
        // These go another way: sealed and expiring (artifact), or erased by the purge. Nothing else may be here.
        const others = ['artifact', 'one_time_code', 'one_time_code_quota', 'one_time_link', 'outbox'];
        const left = rows.filter(({ cascades }) => !cascades).map(({ name }) => name);
        expect(others).to.include.members(left);
        expect(rows.length).to.be.greaterThan(9);
      });
    });

    describe('are exported', () => {
      it('as one versioned document without a secret', async () => {
        const { id, email } = await known();
        await world.domains.audit.record({
          type: 'account.updated',
          actor: { kind: 'account', id: 'acc_admin' },
          outcome: 'success',
          subject: id,
          ip: '192.0.2.99',
        });
        const exported = await world.domains.accountData.export(id, undefined, meta);
        expect(exported).to.deep.include({
          format: 'sallyport-account-export',
          version: 1,
          exportedAt: new Date(world.clock.now()).toISOString(),
          activityComplete: true,
        });
        expect(exported).to.have.all.keys(
          'format',
          'version',
          'exportedAt',
          'account',
          'factors',
          'passkeys',
          'apiKeys',
          'consents',
          'sessions',
          'devices',
          'activity',
          'activityComplete',
        );
        expect(exported.account).to.deep.include({ id, status: 'active' });
        expect(exported.account.claims).to.deep.include({ email, phone_number: '+4930123456' });
        const factors = exported.factors as { kind: string; changedAt: string }[];
        expect(factors.map(({ kind }) => kind).sort()).to.deep.equal(['authenticator', 'backupCodes', 'password']);
        expect(exported.consents).to.have.length(1);
        const text = JSON.stringify(exported);
        for (const [table, columns] of [
          ['password', ['hash']],
          ['totp', ['secret']],
          ['totp_pending', ['secret']],
          ['backup_codes', ['salt']],
          ['known_device', ['device_hash']],
          ['one_time_link', ['token_hash']],
        ] as const) {
          const [row] = await world.database.sql(table).where({ account_id: id });
          for (const column of columns) expect(text, `${table}.${column}`).not.to.include(row[column]);
        }
        expect(text).not.to.match(/acc_admin|192\.0\.2\.99|"[a-zA-Z]*At":\d/);
        expect(text).to.include('198.51.100.77');
        const [event] = await world.domains.audit.list({ subject: id, type: 'account.exported', limit: 1 });
        expect(event?.actor).to.deep.equal({ kind: 'account', id });
      });

      it('also while an account waits to be purged, and never for nobody', async () => {
        const { id } = await world.person();
        await world.domains.accountData.delete(id, operator);
        expect((await world.domains.accountData.export(id, operator)).account.status).to.equal('deleted');
        const error = await refusal(world.domains.accountData.export('acc_nobody' as typeof id));
        expect(error.code).to.equal('not_found');
      });
    });
  });
}
