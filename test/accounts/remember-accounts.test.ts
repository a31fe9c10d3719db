import { expect } from 'chai';
import { createSqlAccountLifeStore } from '../../src/accounts/account-life-store-sql.ts';
import { createSqlAccountStore } from '../../src/accounts/account-store-sql.ts';
import { createAccountLife, createAccounts, rememberAccounts } from '../../src/accounts/index.ts';
import { createSqlAuditStore } from '../../src/audit/audit-store-sql.ts';
import { createAuditLog } from '../../src/audit/index.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { randomText } from '../../src/shared/ids.ts';
import { unitOfWork } from '../../src/storage/unit-of-work.ts';
import { everySqlLane, testDatabase } from '../support/database.ts';

const operator = { kind: 'operator' } as const;

/** Accounts in memory over one that is stored as a test says. */
function ofOne(clock: FixedClock) {
  const stored = { status: 'active' };
  const below = { find: async () => ({ ...stored }), disable: async () => undefined };
  return { stored, id: 'acc_1' as never, accounts: rememberAccounts(below as never, clock, 60_000) };
}

describe('accounts in memory', () => {
  it('show a change made here at once and one made elsewhere when the time is over', async () => {
    const database = await testDatabase();
    const clock = new FixedClock();
    const needs = {
      store: createSqlAccountStore(database),
      clock,
      audit: createAuditLog(createSqlAuditStore(database), clock),
    };
    const [here, elsewhere] = [rememberAccounts(createAccounts(needs), clock, 1000), createAccounts(needs)];
    const { id } = await elsewhere.create({ email: `${randomText(12)}@people.example` }, operator);
    expect((await here.find(id))?.status).to.equal('active');
    await elsewhere.disable(id, operator);
    expect((await here.find(id))?.status).to.equal('active');
    clock.advance(1);
    expect((await here.find(id))?.status).to.equal('suspended');
    await here.enable(id, operator);
    expect((await here.find(id))?.status).to.equal('active');
    await here.disable(id, operator);
    expect((await here.find(id))?.status).to.equal('suspended');
  });

  it('does not keep what a look-up saw while the account changed', async () => {
    const clock = new FixedClock();
    let answer: (status: string) => void = () => undefined;
    const slow = {
      find: () =>
        new Promise((resolve) => {
          answer = (status) => resolve({ status });
        }),
      disable: async () => undefined,
    };
    const accounts = rememberAccounts(slow as never, clock, 60_000);
    const early = accounts.find('acc_1' as never);
    await accounts.disable('acc_1' as never, operator);
    answer('active');
    await early;
    const late = accounts.find('acc_1' as never);
    answer('suspended');
    expect((await late)?.status).to.equal('suspended');
  });

  for (const kept of [true, false]) {
    it(`do not keep what was read before a change was ${kept ? 'committed' : 'undone'}`, async () => {
      const database = await testDatabase();
      const clock = new FixedClock();
      const { accounts, id, stored } = ofOne(clock);
      await database.unitOfWork(
        clock.now(),
        async () => {
          await accounts.disable(id, operator);
          // Somebody else reads before the commit; or the request itself reads what is not kept in the end.
          if (!kept) stored.status = 'suspended';
          await accounts.find(id);
        },
        () => kept,
      );
      stored.status = kept ? 'suspended' : 'active';
      expect((await accounts.find(id))?.status).to.equal(stored.status);
    });
  }

  it('are read anew while a change is under way, whose end may be seen before it is heard of', async () => {
    const clock = new FixedClock();
    const database = await testDatabase();
    const { accounts, id, stored } = ofOne(clock);
    await database.unitOfWork(clock.now(), async () => {
      await accounts.disable(id, operator);
      expect((await accounts.find(id))?.status).to.equal('active');
      stored.status = 'suspended';
      expect((await accounts.find(id))?.status).to.equal('suspended');
    });
  });

  for (const lane of everySqlLane()) {
    it(`show what the other part of the domain changed in a transaction of its caller, on ${lane}`, async () => {
      const database = await testDatabase(lane);
      const clock = new FixedClock();
      const audit = createAuditLog(createSqlAuditStore(database), clock);
      const accounts = rememberAccounts(
        createAccounts({ store: createSqlAccountStore(database), clock, audit }),
        clock,
        60_000,
      );
      const life = createAccountLife({
        store: createSqlAccountLifeStore(database),
        clock,
        audit,
        endAccess: async () => undefined,
        changing: accounts.changing,
      });
      const { id } = await accounts.create({ email: `${randomText(12)}@people.example` }, operator);
      let stranger: Promise<unknown> = Promise.resolve();
      await database.transaction(async () => {
        await life.delete(id, operator);
        // As everybody else sees it until the commit; the embedded database lets them wait for it.
        stranger = unitOfWork.exit(() => accounts.find(id));
        if (lane === 'postgres') await stranger;
      });
      await stranger;
      expect((await accounts.find(id))?.status).to.equal('deleted');
    });
  }
});
