import { expect } from 'chai';
import { randomSecret } from '../../src/shared/ids.ts';
import { everySqlLane, testDatabase } from '../support/database.ts';

for (const lane of everySqlLane()) {
  describe(`what a failed request leaves behind on ${lane}`, () => {
    it('is undone: its rows, and what stores without transactions have claimed', async () => {
      const database = await testDatabase(lane);
      const id = randomSecret();
      const undone: string[] = [];
      const row = { id, at: new Date(), type: 't', outcome: 'success', actor_kind: 'system' };
      await database.unitOfWork(
        Date.now(),
        async (unit) => {
          unit.onRollback.push(
            async () => {
              throw new Error('the store is away');
            },
            async () => void undone.push('claim'),
          );
          await database.join();
          await database.sql('audit_event').insert(row);
          return 500;
        },
        (status) => status < 500,
      );
      expect(undone).to.deep.equal(['claim']);
      expect(await database.sql('audit_event').where({ id })).to.have.length(0);
    });
  });
}
