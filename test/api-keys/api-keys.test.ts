import { expect } from 'chai';
import { type KeyOwner, keyClientId } from '../../src/api-keys/index.ts';
import { newKeyId, newKeyText } from '../../src/api-keys/key-text.ts';
import { everythingId } from '../../src/revocation/index.ts';
import { sqlLanes } from '../support/database.ts';
import { refusalCode } from '../support/refusal.ts';
import { createWorld, operator, type World } from './fixture.ts';

const day = 86_400;

for (const lane of sqlLanes()) {
  describe(`API keys on ${lane}`, () => {
    let world: World;
    const issue = async (owner?: KeyOwner, more: { expiresInDays?: number | null; scopes?: string[] } = {}) =>
      world.apiKeys.create(
        { owner: owner ?? (await world.person()), name: 'Script', audience: world.api, scopes: ['read'], ...more },
        operator,
      );
    const isGood = async (text: string): Promise<boolean> => (await world.apiKeys.verify(text)) !== undefined;
    const events = async (owner: KeyOwner) =>
      (await world.audit.list({ subject: owner.id, limit: 50 }))
        .map(({ type }) => type)
        .filter((t) => t.startsWith('api_key'));

    before(async () => {
      world = await createWorld(lane);
    });

    it('are shown once, stored as a hash, and open exactly what they were made for', async () => {
      const owner = await world.person();
      const { key, text } = await issue(owner, { scopes: ['read', 'read', 'write'] });
      const [row] = await world.database.sql('api_key').where({ id: key.id });
      expect(JSON.stringify(row)).not.to.include(text.slice(21, 60));
      expect(key.expiresAt).to.equal(world.clock.now() + 90 * day * 1000);
      const live = await world.apiKeys.verify(text);
      expect(live).to.deep.include({ scopes: ['read', 'write'], clientId: keyClientId });
      expect(live?.account?.id).to.equal(owner.id);
      expect(live?.key.audience).to.equal(world.api);
      expect(JSON.stringify(await world.apiKeys.list({ owner }))).not.to.include(text.slice(21, 60));
    });

    it('open nothing with another secret, for an id that nobody has, or past their time', async () => {
      const { key, text } = await issue(undefined, { expiresInDays: 1 });
      for (const other of [newKeyText(key.id), newKeyText(newKeyId()), `${text}x`, 'spk_', '']) {
        expect(await isGood(other), other).to.equal(false);
      }
      world.clock.advance(day - 1);
      expect(await isGood(text)).to.equal(true);
      world.clock.advance(1);
      expect(await isGood(text)).to.equal(false);
    });

    it('keep the old text after a rotation until its moment, and live as long as before', async () => {
      const owner = await world.person();
      const first = await issue(owner, { expiresInDays: 10 });
      world.clock.advance(5 * day);
      const second = await world.apiKeys.rotate(first.key.id, operator, { overlapSeconds: 60 });
      expect(second.key.expiresAt).to.equal(world.clock.now() + 10 * day * 1000);
      expect([await isGood(first.text), await isGood(second.text)]).to.deep.equal([true, true]);
      world.clock.advance(60);
      expect([await isGood(first.text), await isGood(second.text)]).to.deep.equal([false, true]);
      const third = await world.apiKeys.rotate(first.key.id, operator, { overlapSeconds: 0 });
      expect([await isGood(second.text), await isGood(third.text)]).to.deep.equal([false, true]);
      // Of two rotations only the last text before is left, whatever was promised to the first.
      world.clock.advance(10);
      const fourth = await world.apiKeys.rotate(first.key.id, operator, { overlapSeconds: 600 });
      world.clock.advance(10);
      const fifth = await world.apiKeys.rotate(first.key.id, operator, { overlapSeconds: 600 });
      expect(await Promise.all([third, fourth, fifth].map(({ text }) => isGood(text)))).to.deep.equal([
        false,
        true,
        true,
      ]);
      expect(await refusalCode(world.apiKeys.rotate(first.key.id, operator, { overlapSeconds: -1 }))).to.equal(
        'invalid_input',
      );
      expect((await events(owner)).filter((type) => type === 'api_key.rotated')).to.have.length(4);
    });

    it('tell what was made from a text by it, for as long as that text is good', async () => {
      const first = await issue();
      const { mark = '', endsAt } = (await world.apiKeys.verify(first.text)) ?? {};
      expect(endsAt).to.equal(first.key.expiresAt);
      const { id } = first.key;
      const isLive = async (of: string): Promise<boolean> => (await world.apiKeys.findLive(id, of)) !== undefined;
      const second = await world.apiKeys.rotate(id, operator, { overlapSeconds: 60 });
      const marks = [mark, (await world.apiKeys.verify(second.text))?.mark ?? ''];
      const older = await world.apiKeys.verify(first.text);
      expect([older?.mark, older?.endsAt]).to.deep.equal([mark, world.clock.now() + 60_000]);
      expect(await Promise.all(marks.map(isLive))).to.deep.equal([true, true]);
      world.clock.advance(60);
      expect(await Promise.all(marks.map(isLive))).to.deep.equal([false, true]);
      await world.apiKeys.rotate(id, operator, { overlapSeconds: 60 });
      expect(await Promise.all([...marks, 'nothing', ''].map(isLive))).to.deep.equal([false, true, false, false]);
      expect(await world.apiKeys.findLive(id), 'without one').to.not.equal(undefined);
      await world.apiKeys.revoke(id, operator);
      expect(await isLive(marks[1] ?? '')).to.equal(false);
      expect(await world.apiKeys.findLive(id)).to.equal(undefined);
    });

    it('do not outlive their end by an overlap', async () => {
      const { key, text } = await issue(undefined, { expiresInDays: 1 });
      world.clock.advance(day - 10);
      const next = await world.apiKeys.rotate(key.id, operator, { overlapSeconds: day });
      world.clock.advance(10);
      expect([await isGood(text), await isGood(next.text)]).to.deep.equal([false, true]);
    });

    it('are rotated by one of fifty at the same moment, and no caller holds a dead text', async () => {
      const { key, text } = await issue();
      const tries = await Promise.allSettled(
        Array.from({ length: 50 }, () => world.apiKeys.rotate(key.id, operator, { overlapSeconds: 3600 })),
      );
      const made = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value.text] : []));
      expect(made).to.have.length(1);
      expect(await Promise.all([text, ...made].map(isGood))).to.deep.equal([true, true]);
      expect(await refusalCode(world.apiKeys.rotate(key.id, operator, { overlapSeconds: 3600 }))).to.equal('conflict');
      world.clock.advance(10);
      const next = await world.apiKeys.rotate(key.id, operator, { overlapSeconds: 3600 });
      expect(await Promise.all([text, ...made, next.text].map(isGood))).to.deep.equal([false, true, true]);
    });

    it('end at once for every text of theirs, once', async () => {
      const owner = await world.person();
      const first = await issue(owner);
      const second = await world.apiKeys.rotate(first.key.id, operator, { overlapSeconds: 3600 });
      await world.apiKeys.revoke(first.key.id, operator);
      await world.apiKeys.revoke(first.key.id, operator);
      expect([await isGood(first.text), await isGood(second.text)]).to.deep.equal([false, false]);
      expect(await world.apiKeys.findLive(first.key.id)).to.equal(undefined);
      expect(await refusalCode(world.apiKeys.rotate(first.key.id, operator, { overlapSeconds: 0 }))).to.equal(
        'conflict',
      );
      expect((await events(owner)).filter((type) => type === 'api_key.revoked')).to.have.length(1);
    });

    it('stay ended when a revocation and rotations meet', async () => {
      const { key, text } = await issue();
      const work = Array.from({ length: 20 }, (_, at) =>
        at === 10
          ? world.apiKeys.revoke(key.id, operator)
          : world.apiKeys.rotate(key.id, operator, { overlapSeconds: 3600 }),
      );
      const done = await Promise.allSettled(work);
      const texts = done.flatMap((one) => (one.status === 'fulfilled' && one.value ? [one.value.text] : []));
      expect((await Promise.all([text, ...texts].map(isGood))).some(Boolean)).to.equal(false);
    });

    it('end with all that was issued before a moment, also when the revocation itself has expired', async () => {
      const [owner, audience] = [await world.person(), world.api];
      const [first, second, third] = [await issue(owner), await issue(owner), await issue(owner)];
      world.clock.advance(10);
      const before = world.clock.now();
      world.clock.advance(10);
      const rotated = await world.apiKeys.rotate(second.key.id, operator, { overlapSeconds: 3600 });
      const later = await issue(owner);
      const texts = [first, second, third, rotated, later].map(({ text }) => text);
      const good = (): Promise<boolean[]> => Promise.all(texts.map(isGood));
      const wanted = [false, false, false, true, true];

      // The list alone stops them on every node, as long as it remembers.
      await world.revocations.revoke({
        kind: 'api',
        id: audience,
        reason: 'leaked',
        before,
        expiresAt: before + 60_000,
      });
      expect(await good()).to.deep.equal(wanted);
      expect(await world.apiKeys.findLive(first.key.id)).to.equal(undefined);
      const end = (which: object = {}) =>
        world.apiKeys.revokeIssuedBefore({ before, reason: 'leaked', ...which }, operator);
      expect(await end({ audience: 'https://another.example/' })).to.equal(0);
      expect(await end({ audience })).to.be.at.least(2);
      expect(await end({ audience })).to.equal(0);
      world.clock.advance(61);
      expect(await good()).to.deep.equal(wanted);
      expect(await world.apiKeys.findLive(first.key.id)).to.equal(undefined);
      expect((await events(owner)).filter((type) => type === 'api_key.revoked')).to.have.length(2);
    });

    it('end with everything', async () => {
      const { text } = await issue();
      const before = world.clock.now();
      const expiresAt = before + 1000;
      try {
        await world.revocations.revoke({ kind: 'everything', id: everythingId, reason: 'leaked', before, expiresAt });
        expect(await isGood(text)).to.equal(false);
        world.clock.advance(1);
        expect(await isGood(text), 'by the list alone').to.equal(true);
        expect(await world.apiKeys.revokeIssuedBefore({ before, reason: 'leaked' }, operator)).to.be.at.least(1);
        expect(await isGood(text)).to.equal(false);
      } finally {
        // Everybody on this database is concerned.
        await world.database.sql('revocation').where({ kind: 'everything' }).delete();
      }
    });

    it('are nobody else’s to see, rotate or end', async () => {
      const [owner, stranger] = [await world.person(), await world.person()];
      const { key, text } = await issue(owner);
      const by = { kind: 'account', id: stranger.id } as const;
      expect(await refusalCode(world.apiKeys.revoke(key.id, by, { owner: stranger }))).to.equal('not_found');
      expect(await refusalCode(world.apiKeys.rotate(key.id, by, { owner: stranger, overlapSeconds: 0 }))).to.equal(
        'not_found',
      );
      expect(await refusalCode(world.apiKeys.revoke('nothing', by, { owner: stranger }))).to.equal('not_found');
      expect(await world.apiKeys.list({ owner: stranger })).to.deep.equal([]);
      expect(await isGood(text)).to.equal(true);
    });

    it('stop with their owner, and go with it', async () => {
      const [owner, robot] = [await world.person(), await world.machine()];
      const [personal, service] = [await issue(owner), await issue(robot)];
      await world.accounts.disable(owner.id, operator);
      const client = await world.clients.find(robot.id);
      await world.clients.update(robot.id, client?.version ?? 0, { disabled: true }, operator);
      expect([await isGood(personal.text), await isGood(service.text)]).to.deep.equal([false, false]);
      await world.accounts.enable(owner.id, operator);
      expect(await isGood(personal.text)).to.equal(true);
      await world.clients.remove(robot.id, operator);
      expect(await world.apiKeys.list({ owner: robot })).to.deep.equal([]);
    });

    it('have no more than their API and their service have by now', async () => {
      const robot = await world.machine(['read', 'write']);
      expect(await refusalCode(issue(await world.machine(['read']), { scopes: ['write'] }))).to.equal('invalid_input');
      expect(await refusalCode(issue(robot, { scopes: ['nothing'] }))).to.equal('invalid_input');
      const { text } = await issue(robot, { scopes: ['read', 'write'] });
      const client = await world.clients.find(robot.id);
      await world.clients.update(robot.id, client?.version ?? 0, { apis: { [world.api]: ['write'] } }, operator);
      expect((await world.apiKeys.verify(text))?.scopes).to.deep.equal(['write']);
      const emptied = await world.clients.find(robot.id);
      await world.clients.update(robot.id, emptied?.version ?? 0, { apis: {} }, operator);
      expect(await isGood(text)).to.equal(false);
    });

    it('are made by whom the operator lets', async () => {
      const owner = await world.person();
      const by = { kind: 'account', id: owner.id } as const;
      const input = { owner, name: 'Script', audience: world.api, scopes: ['read'] };
      expect(await refusalCode(world.make('operators').create(input, by))).to.equal('forbidden');
      expect(await refusalCode(world.make('off').create(input, operator))).to.equal('forbidden');
      expect(await refusalCode(world.apiKeys.create({ ...input, expiresInDays: null }, by))).to.equal('invalid_input');
      expect(await refusalCode(world.apiKeys.create({ ...input, rateLimit: 5 }, by))).to.equal('invalid_input');
      const { key, text } = await world.apiKeys.create({ ...input, expiresInDays: null, rateLimit: 5 }, operator);
      expect(key).to.deep.include({ rateLimit: 5 }).and.not.have.property('expiresAt');
      expect(await world.make('off').verify(text), 'while keys are off').to.equal(undefined);
      const strict = await world.apis.find(world.api);
      await world.apis.update(world.api, strict?.version ?? 0, { requireSecondFactor: true }, operator);
      expect(await refusalCode(world.apiKeys.create(input, by))).to.equal('forbidden');
      expect((await world.apiKeys.create(input, by, { strong: true })).key.id).to.be.a('string');
      const eased = await world.apis.find(world.api);
      await world.apis.update(world.api, eased?.version ?? 0, { requireSecondFactor: false }, operator);
    });

    it('are fifty for one owner, also when sixty are made at the same moment', async () => {
      const owner = await world.person();
      const made = await Promise.allSettled(Array.from({ length: 60 }, () => issue(owner)));
      expect(made.filter(({ status }) => status === 'fulfilled')).to.have.length(50);
      const [first] = await world.apiKeys.list({ owner });
      await world.apiKeys.revoke(first?.id ?? '', operator);
      await issue(owner);
      expect(await refusalCode(issue(owner))).to.equal('conflict');
      expect(await world.apiKeys.revokeAllOf(owner.id, operator)).to.equal(50);
    });

    it('tell of their first use once and of the last one later, in no request’s way', async () => {
      const owner = await world.person();
      const { key, text } = await issue(owner);
      await Promise.all(Array.from({ length: 20 }, () => isGood(text)));
      expect((await world.apiKeys.list({ owner }))[0]).to.not.have.property('lastUsedAt');
      expect(await world.apiKeys.noteUses()).to.be.at.least(1);
      const firstUse = world.clock.now();
      world.clock.advance(61);
      await isGood(text);
      await isGood(newKeyText(key.id));
      await world.apiKeys.noteUses();
      await world.apiKeys.noteUses();
      expect((await world.apiKeys.list({ owner }))[0]?.lastUsedAt).to.equal(firstUse + 61_000);
      expect((await events(owner)).filter((type) => type === 'api_key.used_first')).to.have.length(1);
    });

    it('are deleted 90 days after their end, and not those that go on', async () => {
      const owner = await world.person();
      const [short, forever] = [await issue(owner, { expiresInDays: 1 }), await issue(owner, { expiresInDays: null })];
      const revoked = await issue(owner, { expiresInDays: null });
      await world.apiKeys.revoke(revoked.key.id, operator);
      world.clock.advance(92 * day);
      await world.apiKeys.purge();
      const left = (await world.apiKeys.list({ owner })).map(({ id }) => id);
      expect(left).to.deep.equal([forever.key.id]);
      // One that is gone still says where its page ended, by its moment.
      const page = async (at: number) => (await world.apiKeys.list({ owner, after: { at, id: 'gone' } })).length;
      expect([await page(forever.key.createdAt + 1), await page(forever.key.createdAt - 1)]).to.deep.equal([1, 0]);
      expect(await world.apiKeys.find(short.key.id)).to.equal(undefined);
      expect(left).not.to.include(short.key.id);
    });
  });
}
