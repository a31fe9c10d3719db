import { expect } from 'chai';
import { pendingMigrations } from '../../src/storage/migrate.ts';
import { everySqlLane, testDatabase } from '../support/database.ts';

for (const lane of everySqlLane()) {
  describe(`migrations on ${lane}`, () => {
    it('leave nothing pending', async () => {
      expect(await pendingMigrations(await testDatabase(lane))).to.equal(0);
    });

    it('roll a unit of work back when its result says so, and keep it otherwise', async () => {
      const database = await testDatabase(lane);
      const id = `evt_${crypto.randomUUID()}`;
      const write = async (): Promise<number> => {
        await database.join();
        await database
          .sql('audit_event')
          .insert({ id, at: new Date(), type: 't', outcome: 'success', actor_kind: 'system' });
        return 500;
      };
      await database.unitOfWork(Date.now(), write, (status) => status < 500);
      expect(await database.sql('audit_event').where({ id })).to.have.length(0);
      await database.unitOfWork(Date.now(), write, () => true);
      expect(await database.sql('audit_event').where({ id })).to.have.length(1);
    });
  });
}
