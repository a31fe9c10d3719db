import { expect } from 'chai';
import { type LogoutDelivery, sidOf } from '../../src/back-channel/index.ts';
import type { AccountId, ClientId } from '../../src/shared/ids.ts';
import { sqlLanes } from '../support/database.ts';
import { createFixture, type Fixture } from './fixture.ts';

const operator = { kind: 'operator' } as const;
const address = 'https://notes.example/logout';

for (const lane of sqlLanes()) {
  describe(`apps that are told of a logout, on ${lane}`, () => {
    let parts: Fixture;
    let account: AccountId;
    let app: ClientId;

    beforeEach(async () => {
      parts = await createFixture(lane);
      account = await parts.account();
      app = await parts.app(address);
    });
    // What is left would be due for the next one.
    afterEach(() => parts.database.sql('logout_delivery').delete());

    const log = () => parts.backChannel.list({ accountId: account });
    const statuses = async () => (await log()).map(({ status }) => status);

    it('hear of every way that a session can end, once, with the sid that they know', async () => {
      const { sessions, clock } = parts;
      const ways: Record<string, (id: string, uid: string) => Promise<unknown>> = {
        ended: (id) => sessions.end(id, operator),
        'signed-out': (_id, uid) => sessions.signOut(uid, operator),
        'ended-others': () => sessions.endOthers(account, undefined, operator),
        'ended-all': () => sessions.endAll(account, operator),
        'password-changed': () => sessions.endRevoked(account, operator, 'password-changed'),
        limit: async () => {
          for (let turn = 0; turn < 2; turn += 1) {
            clock.advance(1);
            await parts.signIn(account, []);
          }
        },
        idle: async () => {
          clock.advance(3601);
          await sessions.purge();
        },
        expired: async () => {
          clock.advance(86_401);
          await sessions.purge();
        },
      };
      const silent = await parts.app();
      for (const [reason, end] of Object.entries(ways)) {
        clock.advance(1);
        const { id, uid } = await parts.signIn(account, [app, silent]);
        await end(id, uid);
        await end(id, uid);
        const [delivery] = await log();
        expect(delivery, reason).to.include({ sessionId: id, clientId: app, accountId: account, status: 'pending' });
        expect(delivery?.reason).to.equal(reason);
        expect(await parts.backChannel.deliver(), reason).to.equal(1);
        const expected = {
          url: address,
          jti: delivery?.id,
          aud: app,
          sub: account,
          sid: sidOf(uid, app),
          alg: 'ES256',
        };
        expect(parts.sent.splice(0), reason).to.deep.equal([expected]);
        await sessions.endAll(account, operator);
        await parts.backChannel.deliver();
        parts.sent.splice(0);
      }
      expect(new Set(await statuses())).to.deep.equal(new Set(['delivered']));
    });

    it('are not told of an end that was undone', async () => {
      const { id } = await parts.signIn(account, [app]);
      await parts.database
        .transaction(async () => {
          await parts.sessions.endRevoked(account, operator, 'account-disabled');
          throw new Error('undo');
        })
        .catch(() => undefined);
      expect(await log()).to.deep.equal([]);
      expect(await parts.sessions.end(id, operator)).to.equal(true);
      expect(await log()).to.have.length(1);
    });

    it('know a session by an id that no other app can link to it, and one by API by its own', async () => {
      const other = await parts.app('https://other.example/logout');
      const { uid } = await parts.signIn(account, [app, other]);
      await parts.sessions.endAll(account, operator);
      const sids = (await log()).map(({ sid }) => sid).sort();
      expect(sids).to.deep.equal([sidOf(uid, app), sidOf(uid, other)].sort());
      expect(new Set(sids).size).to.equal(2);
      parts.clock.advance(1);
      const grants = [{ clientId: app, grantId: 'g' }];
      const opened = await parts.sessions.open({ accountId: account, kind: 'api', amr: ['pwd'], grants });
      await parts.sessions.endAll(account, operator);
      expect((await log())[0]).to.include({ sid: 'id' in opened ? opened.id : '', clientId: app });
    });

    it('are asked again with growing pauses and the same jti, then given up', async () => {
      await parts.signIn(account, [app]);
      await parts.sessions.endAll(account, operator);
      parts.answerWith(async () => ({ status: 503 }));
      const waits: number[] = [];
      for (let due = await parts.backChannel.deliver(); due === 1; due = await parts.backChannel.deliver()) {
        const [delivery] = await log();
        expect(delivery).to.include({ answer: 503, attempts: waits.length + 1 });
        if (delivery?.nextAt === undefined) break;
        const wait = (delivery.nextAt - parts.clock.now()) / 1000;
        waits.push(wait);
        parts.clock.advance(wait - 0.001);
        expect(await parts.backChannel.deliver(), 'too early').to.equal(0);
        parts.clock.advance(0.001);
      }
      expect(waits).to.deep.equal([5, 15, 60, 300, 900, 1800, 3600]);
      expect(await statuses()).to.deep.equal(['failed']);
      expect(parts.sent).to.have.length(8);
      expect(new Set(parts.sent.map(({ jti }) => jti)).size).to.equal(1);
    });

    it('end it with 2xx, refuse it with 4xx, and get another try for everything else', async () => {
      const answers = {
        200: 'delivered',
        204: 'delivered',
        302: 'pending',
        400: 'failed',
        404: 'failed',
        408: 'pending',
        429: 'pending',
        500: 'pending',
        503: 'pending',
      } as const;
      for (const [status, outcome] of Object.entries(answers)) {
        await parts.signIn(account, [app]);
        await parts.sessions.endAll(account, operator);
        parts.answerWith(async () => ({ status: Number(status) }));
        await parts.backChannel.deliver();
        expect((await log())[0], status).to.include({ status: outcome, answer: Number(status) });
        parts.clock.advance(1);
      }
      parts.answerWith(async () => ({ error: 'refused', final: true }));
      await parts.signIn(account, [app]);
      await parts.sessions.endAll(account, operator);
      await parts.backChannel.deliver();
      expect((await parts.backChannel.list({ accountId: account, status: 'failed' }))[0]).to.include({
        error: 'refused',
      });
    });

    it('are each told by one node, of 20 sessions and four nodes at once', async () => {
      const people = await Promise.all(Array.from({ length: 20 }, () => parts.account()));
      for (const person of people) await parts.signIn(person, [app]);
      for (const person of people) await parts.sessions.endAll(person, operator);
      const tries = await Promise.all(Array.from({ length: 4 }, () => parts.node().deliver()));
      expect(tries.reduce((sum, count) => sum + count, 0)).to.equal(20);
      expect(parts.sent.map(({ sub }) => sub).sort()).to.deep.equal([...people].sort());
    });

    it('are left alone while somebody has them, and told again when that one does not come back', async () => {
      await parts.signIn(account, [app]);
      await parts.sessions.endAll(account, operator);
      const now = parts.clock.now();
      const [held] = await parts.deliveries.claim({ claim: 'dead', limit: 9, busy: [], now, leaseUntil: now + 30_000 });
      parts.clock.advance(29.999);
      expect(await parts.backChannel.deliver()).to.equal(0);
      parts.clock.advance(0.001);
      expect(await parts.backChannel.deliver()).to.equal(1);
      expect(parts.sent.map(({ jti }) => jti)).to.deep.equal([held?.id]);
      // What the one that was slow has to say of it comes too late.
      await parts.deliveries.settle({ id: held?.id ?? '', claim: 'dead' }, { status: 'failed', at: now });
      expect(await statuses()).to.deep.equal(['delivered']);
    });

    it('do not wait for one that does not answer', async () => {
      const slow = await parts.app('https://slow.example/logout');
      const gate = Promise.withResolvers<void>();
      parts.answerWith(async (url) => {
        if (url.includes('slow')) await gate.promise;
        return { status: 200 };
      });
      for (let turn = 0; turn < 12; turn += 1) {
        const { id } = await parts.signIn(await parts.account(), [slow]);
        await parts.sessions.end(id, operator);
      }
      await parts.signIn(account, [app]);
      await parts.sessions.endAll(account, operator);
      const all = parts.backChannel.deliver();
      while ((await statuses())[0] !== 'delivered') await new Promise(setImmediate);
      expect(parts.sent.filter(({ aud }) => aud === slow).length).to.be.below(8);
      gate.resolve();
      expect(await all).to.equal(13);
    });

    it('are not told that their time was over by a person who has signed in again in the same browser', async () => {
      const { uid } = await parts.signIn(account, [app]);
      parts.clock.advance(3601);
      await parts.signIn(account, [app], uid);
      expect((await log()).map(({ reason }) => reason)).to.deep.equal(['expired']);
      await parts.backChannel.deliver();
      expect(parts.sent).to.deep.equal([]);
      expect(await statuses()).to.deep.equal(['superseded']);

      // Somebody else in that browser is another matter, and so is an end that was meant.
      parts.clock.advance(3601);
      await parts.signIn(await parts.account(), [app], uid);
      await parts.backChannel.deliver();
      expect(parts.sent.map(({ sub }) => sub)).to.deep.equal([account]);
    });

    it('that are gone, disabled or moved are told where they are now or not at all', async () => {
      const [gone, moved] = [await parts.app(address), await parts.app(address)];
      await parts.signIn(account, [app, gone, moved]);
      await parts.sessions.endAll(account, operator);
      await parts.clients.update(app, 1, { disabled: true }, operator);
      await parts.clients.remove(gone, operator);
      const metadata = { backchannel_logout_uri: 'https://new.example/logout' };
      await parts.clients.update(moved, 1, { metadata }, operator);
      await parts.backChannel.deliver();
      expect(parts.sent.map(({ url }) => url)).to.deep.equal(['https://new.example/logout']);
      expect((await statuses()).sort()).to.deep.equal(['delivered', 'failed', 'failed']);
    });

    it('are listed by page and by app, counted, and forgotten after 30 days', async () => {
      const other = await parts.app('https://other.example/logout');
      for (let turn = 0; turn < 3; turn += 1) {
        await parts.signIn(account, [app, other]);
        await parts.sessions.endAll(account, operator);
        parts.clock.advance(1);
      }
      const all = await log();
      const pages = [];
      for (let after: LogoutDelivery | undefined; ; ) {
        const page = await parts.backChannel.list({ accountId: account, limit: 4, after });
        pages.push(...page);
        if (page.length < 4) break;
        after = page.at(-1);
      }
      expect(pages).to.deep.equal(all).and.to.have.length(6);
      expect(await parts.backChannel.list({ clientId: other })).to.have.length(3);
      expect(await parts.backChannel.find(all[0]?.id ?? '')).to.deep.equal(all[0]);
      // One that was purged meanwhile still says where its page ended.
      await parts.database.sql('logout_delivery').where({ id: all[1]?.id }).delete();
      expect(await parts.backChannel.list({ accountId: account, after: all[1] })).to.deep.equal(all.slice(2));
      expect(await parts.backChannel.find(all[1]?.id ?? '')).to.equal(undefined);
      expect(await parts.backChannel.count()).to.deep.equal({ pending: 5 });
      await parts.backChannel.deliver();
      parts.clock.advance(30 * 86_400);
      expect(await parts.backChannel.purge()).to.equal(0);
      parts.clock.advance(1);
      expect(await parts.backChannel.purge()).to.equal(5);
      expect(await log()).to.deep.equal([]);
    });
  });
}
