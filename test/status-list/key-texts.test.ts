import { expect } from 'chai';
import { sha256 } from '../../src/shared/crypto.ts';
import { randomText } from '../../src/shared/ids.ts';
import { entryOf } from '../../src/status-list/status-entry.ts';
import { createSqlStatusListStore } from '../../src/status-list/status-list-store-sql.ts';
import { sqlLanes, testDatabase } from '../support/database.ts';

for (const lane of sqlLanes()) {
  describe(`what the texts of an API key bought, in status lists on ${lane}`, () => {
    it('is over with the text, and not when only its key was rotated', async () => {
      const database = await testDatabase(lane);
      const store = createSqlStatusListStore(database);
      const now = Date.now();
      const [client, listId] = [`app_${randomText(12)}`, randomText(16)];
      const times = { created_at: new Date(now), updated_at: new Date(now) };
      await database.sql('client').insert({ id: client, name: 'Notes', kind: 'web', metadata: '{}', ...times });
      await store.createList({ id: listId, seed: 'seed', createdAt: now });
      const [id, hash, previous] = [randomText(16), sha256(randomText(52)), sha256(randomText(52))];
      await database.sql('api_key').insert({
        ...{ id, client_id: client, name: 'Script', audience: 'https://x/', scopes: '["read"]' },
        ...{ hash, previous_hash: previous, previous_until: new Date(now + 60_000) },
        ...{ created_at: new Date(now), issued_at: new Date(now) },
      });
      const markOf = (of: string): string => `${id}.${of.slice(0, 22)}`;
      // The first is from before texts were noted, the last of a text that nobody has.
      const names = [id, markOf(hash), markOf(previous), markOf(sha256('another'))];
      for (const [idx, name] of names.entries()) {
        const iat = Math.floor(now / 1000);
        const about = { jti: randomText(21), clientId: client, api: 'https://x/', iat, exp: iat + 600 };
        const ancestors = [{ kind: 'key', id: name } as const];
        expect(await store.add(entryOf({ ...about, ancestors }, { listId, idx }))).to.equal(true);
      }
      const found = async (at: number): Promise<number[]> => {
        const { invalid } = await store.picture(at);
        const own = new Set(invalid.filter((place) => place.listId === listId).map(({ idx }) => idx));
        return names.map((_, idx) => (own.has(idx) ? 1 : 0));
      };
      expect(await found(now)).to.deep.equal([0, 0, 0, 1]);
      expect(await found(now + 60_001)).to.deep.equal([0, 0, 1, 1]);
      const before = await store.mark(undefined);
      const next = { hash: sha256(randomText(52)), previous_hash: hash, issued_at: new Date(now + 86_400_000) };
      await database.sql('api_key').where({ id }).update(next);
      expect((await store.mark(before.mark)).changed, 'a rotation is seen').to.equal(true);
      expect(await found(now + 60_001)).to.deep.equal([0, 1, 1, 1]);
      for (const [table, about] of [
        ['status_entry', { list_id: listId }],
        ['status_list', { id: listId }],
        ['client', { id: client }],
      ] as const)
        await database.sql(table).where(about).delete();
    });
  });
}
