import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { createSqlAuditStore } from '../../src/audit/audit-store-sql.ts';
import { createAuditLog } from '../../src/audit/index.ts';
import {
  accessId,
  createRevocations,
  everythingId,
  type RevocationKind,
  type Revocations,
} from '../../src/revocation/index.ts';
import { createSqlRevocationStore } from '../../src/revocation/revocation-store-sql.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { sha256 } from '../../src/shared/crypto.ts';
import { randomText } from '../../src/shared/ids.ts';
import { encodeList } from '../../src/status-list/encode-list.ts';
import {
  createStatusLists,
  listSize,
  type StatusAncestor,
  type StatusLists,
  type StatusSubject,
} from '../../src/status-list/index.ts';
import { createScatter } from '../../src/status-list/scatter.ts';
import type { StatusListStore } from '../../src/status-list/status-list-store.ts';
import { createSqlStatusListStore } from '../../src/status-list/status-list-store-sql.ts';
import type { Database } from '../../src/storage/database.ts';
import { sqlLanes, testDatabase } from '../support/database.ts';
import { countInvalid, type ListPayload, statusOf } from './decoder.ts';

const address = 'https://id.example.com/oauth2/status-lists';

describe('the encoding of status lists', () => {
  it('is read by another decoder, and by the vectors of the draft in the same way', () => {
    expect(encodeList([3, 9], 16)).to.equal('eNrjYAIAABQACw');
    const vector = { bits: 1, lst: 'eNrbuRgAAhcBXQ' };
    const set = Array.from({ length: 16 }, (_, idx) => idx).filter((idx) => statusOf(vector, idx) === 1);
    expect(set).to.deep.equal([0, 3, 4, 5, 7, 8, 9, 13, 15]);
    expect(encodeList(set, 16)).to.equal(vector.lst);
    const wide = { bits: 1, lst: encodeList([0, 7, 8, 70_001, listSize - 1]) };
    for (const idx of [0, 7, 8, 70_001, listSize - 1]) expect(statusOf(wide, idx), String(idx)).to.equal(1);
    for (const idx of [1, 6, 9, 70_000, 70_002, listSize - 2]) expect(statusOf(wide, idx), String(idx)).to.equal(0);
    expect(countInvalid(wide)).to.equal(5);
  });

  it('refuses places that are none', () => {
    for (const idx of [-1, 16, Number.NaN]) expect(() => encodeList([idx], 16)).to.throw(RangeError);
  });

  it('scatters: every place once, neighbours apart, another order for another seed', () => {
    const scatter = createScatter('one', 18);
    const seen = new Set<number>();
    let close = 0;
    for (let position = 0; position < listSize; position += 1) {
      const idx = scatter(position);
      seen.add(idx);
      if (position > 0 && Math.abs(idx - scatter(position - 1)) < listSize / 100) close += 1;
    }
    expect(seen.size).to.equal(listSize);
    expect(Math.max(...[...seen].slice(0, 1000))).to.be.lessThan(listSize);
    // Two of a hundred lie within one percent on either side by chance.
    expect(close / listSize).to.be.lessThan(0.04);
    expect([1, 2, 3].map(createScatter('two', 18))).to.not.deep.equal([1, 2, 3].map(scatter));
  });
});

for (const lane of sqlLanes()) {
  describe(`status lists on ${lane}`, () => {
    let database: Database;
    let store: StatusListStore;
    let clock: FixedClock;
    let revocations: Revocations;
    let lists: StatusLists;
    const client = `app_${randomText(12)}`;
    const signer = {
      version: () => 'v1',
      sign: async (_alg: string, typ: string, claims: object) =>
        [{ typ }, claims, 'x'].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.'),
    };
    const node = (over: Partial<{ store: StatusListStore }> = {}): StatusLists =>
      createStatusLists({ store, signer, clock, issuer: 'https://id.example.com', ttlSeconds: 60, address, ...over });

    before(async () => {
      database = await testDatabase(lane);
      store = createSqlStatusListStore(database);
      await database.sql('client').insert({
        ...{ id: client, name: 'Notes', kind: 'web', metadata: '{}' },
        ...{ created_at: new Date(), updated_at: new Date() },
      });
    });
    beforeEach(() => {
      // Ahead of what other tests of this run leave behind.
      clock = new FixedClock(Date.now() + 3_600_000);
      const audit = createAuditLog(createSqlAuditStore(database), clock);
      revocations = createRevocations({ store: createSqlRevocationStore(database), clock, audit });
      lists = node();
    });
    after(async () => {
      await database.sql('client').where({ id: client }).delete();
    });

    const now = (): number => Math.floor(clock.now() / 1000);
    const subject = (extra: Partial<StatusSubject> = {}): StatusSubject => ({
      ...{
        jti: randomText(21),
        clientId: client,
        api: `https://${randomText(8)}.example`,
        iat: now(),
        exp: now() + 600,
      },
      ...extra,
    });
    const read = async (from: StatusLists, uri: string): Promise<ListPayload> => {
      const list = await from.find(uri.slice(address.length + 1));
      if (!list) throw new Error(`no list ${uri}`);
      return decodeJwt(list.token) as unknown as ListPayload;
    };
    const status = async ({ idx, uri }: { idx: number; uri: string }, from = lists): Promise<number> =>
      statusOf((await read(from, uri)).status_list, idx);
    const revoke = (kind: RevocationKind, id: string, before?: number): Promise<void> =>
      revocations.revoke({ kind, id, before, expiresAt: clock.now() + 600_000, reason: 'test' });

    it('set the bits of exactly the tokens that a revocation concerns, whatever its kind', async () => {
      const person = {
        ...{ grantId: randomText(20), accountId: `acc_${randomText(10)}`, sessionUid: randomText(20) },
      };
      const full = (): StatusSubject =>
        subject({ ...person, accessId: accessId(person.accountId, client), grantId: randomText(20) });
      const kinds: Partial<Record<RevocationKind, (of: StatusSubject) => string>> = {
        token: ({ jti }) => jti,
        grant: ({ grantId = '' }) => grantId,
        session: ({ sessionUid = '' }) => sessionUid,
        access: ({ accessId: id = '' }) => id,
        account: ({ accountId = '' }) => accountId,
        api: ({ api }) => api,
      };
      for (const [kind, idOf] of Object.entries(kinds)) {
        const concerned = full();
        const of = { ...concerned, jti: randomText(21) };
        const twin = kind === 'token' ? subject() : of;
        const [first, second, other] = [
          await lists.enter(concerned),
          await lists.enter(twin),
          await lists.enter(subject()),
        ];
        expect(await status(first), kind).to.equal(0);
        clock.advance(2);
        await revoke(kind as RevocationKind, idOf(concerned));
        clock.advance(2);
        expect(await status(first), kind).to.equal(1);
        expect(await status(second), kind).to.equal(kind === 'token' ? 0 : 1);
        expect(await status(other), kind).to.equal(0);
        // What comes after is not concerned, but by a token or a grant that is over.
        const later = await lists.enter({ ...concerned, jti: randomText(21), iat: now() });
        clock.advance(31);
        expect(await status(later), kind).to.equal(kind === 'grant' ? 1 : 0);
      }
    });

    it('set the bits of a client that was revoked, disabled or removed, and of everything before a moment', async () => {
      const own = `app_${randomText(12)}`;
      const times = { created_at: new Date(), updated_at: new Date() };
      await database.sql('client').insert({ id: own, name: 'Own', kind: 'web', metadata: '{}', ...times });
      const place = await lists.enter(subject({ clientId: own }));
      const neighbour = await lists.enter(subject());
      expect(await status(place)).to.equal(0);
      const change = (columns: object): Promise<number> =>
        database
          .sql('client')
          .where({ id: own })
          .update({ ...columns, version: database.sql.raw('version + 1') });
      await change({ disabled: true });
      clock.advance(2);
      expect(await status(place)).to.equal(1);
      await change({ disabled: false });
      clock.advance(2);
      expect(await status(place)).to.equal(0);
      await revoke('client', own);
      clock.advance(2);
      expect(await status(place)).to.equal(1);
      const after = await lists.enter(subject({ clientId: own }));
      clock.advance(31);
      expect(await status(after)).to.equal(0);
      await database.sql('client').where({ id: own }).delete();
      clock.advance(2);
      expect(await status(after)).to.equal(1);

      expect(await status(neighbour)).to.equal(0);
      const last = await lists.enter(subject({ iat: now() }));
      await revoke('everything', everythingId, clock.now() - 5_000);
      clock.advance(2);
      expect(await status(neighbour)).to.equal(1);
      expect(await status(last)).to.equal(0);
      await database.sql('revocation').where({ kind: 'everything' }).delete();
    });

    it('set the bits of what was made from something that is over, and know clients that stand in no table', async () => {
      const builtIn = `app_${randomText(12)}`;
      const found = node({ store: createSqlStatusListStore(database, [builtIn]) });
      const [jti, secret, api] = [randomText(21), randomText(21), `https://${randomText(8)}.example`];
      const ancestors = (kind: StatusAncestor['kind'], id: string, isHash = false) => ({
        ancestors: [{ kind: 'client', id: client } as const, { kind, id, isHash }],
      });
      const good = await found.enter(subject({ clientId: builtIn, ...ancestors('client', builtIn) }));
      const over = [
        await found.enter(subject(ancestors('client', 'nobody'))),
        await found.enter(subject(ancestors('key', 'none'))),
      ];
      const later = [
        await found.enter(subject(ancestors('token', jti))),
        await found.enter(subject(ancestors('token', sha256(secret), true))),
        await found.enter(subject(ancestors('api', api))),
      ];
      expect(await status(good, found)).to.equal(0);
      for (const place of over) expect(await status(place, found)).to.equal(1);
      for (const place of later) expect(await status(place, found)).to.equal(0);
      clock.advance(2);
      for (const id of [jti, secret]) await revoke('token', id);
      await revoke('api', api);
      clock.advance(2);
      const after = await found.enter(subject(ancestors('api', api)));
      clock.advance(31);
      for (const place of later) expect(await status(place, found)).to.equal(1);
      for (const place of [good, after]) expect(await status(place, found)).to.equal(0);
    });

    it('give 50 tokens at once, on two nodes, places of their own, and neighbours in time no neighbours in the list', async () => {
      const other = node();
      const places = await Promise.all(
        Array.from({ length: 50 }, (_, index) => (index % 2 ? lists : other).enter(subject())),
      );
      expect(new Set(places.map(({ idx, uri }) => `${uri} ${idx}`)).size).to.equal(50);
      const steps = places.slice(2).map(({ idx }, index) => Math.abs(idx - (places[index]?.idx ?? 0)));
      expect(steps.filter((step) => step <= 2)).to.have.length.lessThan(3);
    });

    it('find another place when one is taken, as when two nodes were given one block', async () => {
      const block = await (async () => {
        for (;;) {
          const found = await store.claimBlock(256, clock.now());
          if (found) return found;
          await store.createList({ id: randomText(16), seed: 's', createdAt: clock.now() });
        }
      })();
      const same = { ...store, claimBlock: async () => block };
      const [one, two] = [node({ store: same }), node({ store: same })];
      const a = [await one.enter(subject()), await one.enter(subject())];
      const b = [await two.enter(subject()), await two.enter(subject())];
      expect(new Set([...a, ...b].map(({ idx }) => idx)).size).to.equal(4);
    });

    it('keep a place that was given within a transaction only with the transaction', async () => {
      const given: { idx: number; uri: string }[] = [];
      const kept = subject();
      await database
        .transaction(async () => {
          given.push(await lists.enter(subject()));
          throw new Error('rolled back');
        })
        .catch(() => undefined);
      const again = await lists.enter(kept);
      expect(again.uri).to.be.a('string');
      const rows = await database
        .sql('status_entry')
        .where({ idx: given[0]?.idx, list_id: given[0]?.uri.split('/').pop() });
      expect(rows).to.have.length(0);
    });

    it('are made once for many who ask, anew when something changed, at most once a second', async () => {
      const seen = { marks: 0, pictures: 0 };
      const counted: StatusListStore = {
        ...store,
        mark: (before) => {
          seen.marks += 1;
          return store.mark(before);
        },
        picture: (at) => {
          seen.pictures += 1;
          return store.picture(at);
        },
      };
      const server = node({ store: counted });
      const own = subject();
      const place = await server.enter(own);
      const id = place.uri.slice(address.length + 1);
      const all = await Promise.all(Array.from({ length: 50 }, () => server.find(id)));
      expect(new Set(all.map((list) => list?.token)).size).to.equal(1);
      expect(seen).to.deep.equal({ marks: 1, pictures: 1 });
      await revoke('token', own.jti);
      expect(await status(place, server), 'within the same second').to.equal(0);
      expect(seen.marks).to.equal(1);
      clock.advance(1);
      expect(await status(place, server)).to.equal(1);
      expect(seen).to.deep.equal({ marks: 2, pictures: 2 });
      const { iat, exp, ttl } = await read(server, place.uri);
      expect({ ttl, life: exp - iat }).to.deep.equal({ ttl: 60, life: 600 });
      clock.advance(60);
      expect((await read(server, place.uri)).iat, 'signed again after its life').to.equal(iat + 60);
    });

    it('go when all in them has expired, but the newest stays', async () => {
      await lists.enter(subject({ exp: now() + 60 }));
      const old = (await lists.list()).length;
      expect(old).to.be.greaterThan(0);
      clock.advance(3 * 3600);
      await store.createList({ id: randomText(16), seed: 's', createdAt: clock.now() });
      const fresh = await node().enter(subject());
      expect(await lists.purge()).to.be.greaterThan(1);
      expect(await node().list()).to.deep.equal([fresh.uri]);
      const left = await database.sql('status_block').select('list_id');
      expect(new Set(left.map(({ list_id }) => `${address}/${list_id}`))).to.deep.equal(new Set([fresh.uri]));
      expect(await lists.find('../../etc')).to.equal(undefined);
    });
  });
}
