import { expect } from 'chai';
import {
  type Cap,
  DeliveryFailure,
  deliveryPolicy,
  type OutboxStore,
  type SendOutcome,
} from '../../src/notifications/index.ts';
import type { OutboxMail } from '../../src/notifications/outbox-store.ts';
import { createSqlOutboxStore } from '../../src/notifications/outbox-store-sql.ts';
import { newAccountId } from '../../src/shared/ids.ts';
import type { Database } from '../../src/storage/database.ts';
import { sqlLanes, testDatabase } from '../support/database.ts';
import { createFixture, emptyOutbox, newAddress, occasion } from './fixture.ts';

const count = (outcomes: readonly SendOutcome[], outcome: SendOutcome): number =>
  outcomes.filter((one) => one === outcome).length;
const claim = (store: OutboxStore, name: string, now: number, lease: number): Promise<OutboxMail[]> =>
  store.claim({ claim: name, channel: 'mail', limit: 10, now, leaseUntil: now + lease });
const wide: Cap = { max: 1000, windowSeconds: 60 };

for (const lane of sqlLanes()) {
  describe(`the outbox on ${lane}`, () => {
    let database: Database;

    before(async () => {
      database = await testDatabase(lane);
    });

    beforeEach(() => emptyOutbox(database));
    after(() => emptyOutbox(database));

    const changed = (to: string) => ({ to, template: 'password-changed', data: occasion }) as const;

    it('has a mail if and only if the action was committed', async () => {
      const { notifications, transport, rows } = createFixture(database);
      const [kept, undone] = [newAddress(), newAddress()];
      await database.transaction(() => notifications.send(changed(kept)));
      const failed = database.transaction(async () => {
        expect(await notifications.send(changed(undone))).to.equal('pending');
        throw new Error('the action failed');
      });
      await failed.catch(() => undefined);
      expect(await rows(undone)).to.deep.equal([]);
      expect(await notifications.deliver()).to.equal(1);
      expect(transport.sent.map(({ to }) => to)).to.deep.equal([kept]);
    });

    it('sends each mail once, with an id of its own, and forgets what was in it', async () => {
      const { notifications, transport, rows } = createFixture(database);
      const to = newAddress();
      const path = '/account/reset?token=k7qf2mxd';
      await notifications.send({ to, template: 'reset-password', data: { ...occasion, path, expiresAt: occasion.at } });
      const [before] = await rows(to);
      expect(before?.data).to.be.a('string').and.not.include('k7qf2mxd');
      expect(await notifications.deliver()).to.equal(1);
      expect(await notifications.deliver()).to.equal(0);
      const [mail] = transport.sent;
      expect(mail?.messageId).to.equal(`${before?.id}@fernhill.example`);
      expect(mail?.text).to.include(`https://id.fernhill.example${path}`);
      expect((await rows(to))[0]).to.deep.include({ status: 'sent', data: null, attempts: 1 });
    });

    it('keeps what was sent readable in development only', async () => {
      const { notifications, rows } = createFixture(database, { policy: { viewer: true } });
      const to = newAddress();
      await notifications.send(changed(to));
      await notifications.deliver();
      const [row] = await rows(to);
      const view = await notifications.find(row?.id ?? '');
      expect(view).to.deep.include({ to, status: 'sent', from: 'Sallyport <no-reply@fernhill.example>' });
      expect(view?.content?.subject).to.equal('Your password was changed');
      expect((await notifications.list(10)).map(({ id }) => id)).to.deep.equal([row?.id]);
    });

    it('makes one mail of one event', async () => {
      const { notifications, rows } = createFixture(database);
      const to = newAddress();
      const send = (): Promise<SendOutcome> => notifications.send({ ...changed(to), dedupeKey: `once ${to}` });
      const outcomes = await Promise.all(Array.from({ length: 20 }, send));
      expect([count(outcomes, 'pending'), count(outcomes, 'duplicate')]).to.deep.equal([1, 19]);
      expect(await rows(to)).to.have.length(1);
    });

    it('stops at the cap of a mailbox and template, also when 50 come at once', async () => {
      const { notifications, transport, rows } = createFixture(database);
      const to = newAddress();
      const outcomes = await Promise.all(Array.from({ length: 50 }, () => notifications.send(changed(to))));
      expect([count(outcomes, 'pending'), count(outcomes, 'capped')]).to.deep.equal([5, 45]);
      const recorded = await rows(to);
      expect(recorded).to.have.length(50);
      expect(recorded.filter(({ status, data }) => status === 'capped' && data === null)).to.have.length(45);
      expect(await notifications.send({ to, template: 'email-changed', data: occasion })).to.equal('pending');
      expect(await notifications.send(changed(newAddress()))).to.equal('pending');
      expect(await notifications.deliver()).to.equal(7);
      expect(transport.sent).to.have.length(7);
    });

    it('records and never sends what no mail server may see', async () => {
      const { notifications, transport, rows } = createFixture(database);
      const addresses = [
        '',
        'nobody',
        '@people.example',
        'a@',
        'a b@people.example',
        'a@people.example\r\nBcc: all@people.example',
        'a\r\nRCPT TO:<b@x.example>@people.example',
        'a@people.example,b@people.example',
        'Mara <a@people.example>',
        '<a@people.example>',
        '"a b"@people.example',
        'a@b@people.example',
        'a@people.example>\r\nDATA',
        'a\u2028@people.example',
        'a\u0000@people.example',
        `${'a'.repeat(250)}@people.example`,
      ];
      for (const to of addresses) expect(await notifications.send(changed(to)), to).to.equal('refused');
      expect(await notifications.deliver()).to.equal(0);
      expect(transport.sent).to.deep.equal([]);
      expect(await rows('')).to.have.length(addresses.length);
    });

    it('mails to the domain that was checked, whatever it is written in', async () => {
      const { notifications, transport } = createFixture(database);
      await notifications.send(changed('mara@ｂücher.example'));
      await notifications.deliver();
      expect(transport.sent.map(({ to }) => to)).to.deep.equal(['mara@xn--bcher-kva.example']);
    });

    it('tries again with growing waits, and gives up in the end', async () => {
      const delivery = { ...deliveryPolicy, tries: 4, firstWait: 10, longestWait: 30 };
      const { notifications, clock, transport, rows } = createFixture(database, { policy: { delivery } });
      const to = newAddress();
      let tries = 0;
      transport.on = () => {
        tries += 1;
        throw new DeliveryFailure('later', `451 <${to}> try again`);
      };
      await notifications.send(changed(to));
      const waits: number[] = [];
      for (let turn = 0; turn < 3; turn += 1) {
        await notifications.deliver();
        const [row] = await rows(to);
        const wait = (Number(row?.next_at) - clock.now()) / 1000;
        waits.push(wait);
        clock.advance(wait - 1);
        expect(await notifications.deliver(), 'a second too early').to.equal(0);
        expect(tries).to.equal(turn + 1);
        clock.advance(1);
      }
      expect(waits).to.deep.equal([10, 20, 30]);
      await notifications.deliver();
      expect((await rows(to))[0]).to.deep.include({
        status: 'dead',
        attempts: 4,
        error: '451 <(recipient)> try again',
      });
      clock.advance(1_000);
      await notifications.deliver();
      expect(tries).to.equal(4);
    });

    it('gives up at once what is refused for good, and goes on with the others', async () => {
      const { notifications, transport, rows } = createFixture(database);
      const [bad, good] = [newAddress(), newAddress()];
      transport.on = ({ to }) => {
        if (to === bad) throw new DeliveryFailure('refused', '550 5.1.1 No such person');
      };
      await notifications.send(changed(bad));
      await notifications.send(changed(good));
      expect(await notifications.deliver()).to.equal(1);
      expect((await rows(bad))[0]).to.deep.include({ status: 'dead', attempts: 1 });
      expect((await rows(good))[0]?.status).to.equal('sent');
    });

    it('asks a server that is away for a few mails only', async () => {
      const { notifications, transport, clock } = createFixture(database, {
        policy: { caps: new Proxy({} as never, { get: () => wide }) },
      });
      let tries = 0;
      transport.on = () => {
        tries += 1;
        throw new DeliveryFailure('away', 'connect ECONNREFUSED');
      };
      for (let index = 0; index < 12; index += 1) await notifications.send(changed(newAddress()));
      expect(await notifications.deliver()).to.equal(0);
      expect(tries).to.equal(deliveryPolicy.parallel);
      transport.on = () => undefined;
      expect(await notifications.deliver(), 'those that were not tried').to.equal(8);
      clock.advance(deliveryPolicy.firstWait);
      expect(await notifications.deliver(), 'those that were').to.equal(4);
    });

    it('sends each of 40 mails once while 50 deliverers work at the same time', async () => {
      const { notifications, transport } = createFixture(database);
      const people = Array.from({ length: 40 }, newAddress);
      for (const to of people) await notifications.send(changed(to));
      const sent = await Promise.all(Array.from({ length: 50 }, () => notifications.deliver()));
      expect(sent.reduce((sum, one) => sum + one, 0)).to.equal(40);
      expect(transport.sent.map(({ to }) => to).sort()).to.deep.equal(people.sort());
    });

    it('leaves a mail to its deliverer for the lease, then to another one, under the same id', async () => {
      const { notifications, clock, transport } = createFixture(database);
      const store = createSqlOutboxStore(database);
      const to = newAddress();
      await notifications.send(changed(to));
      const [lost] = await claim(store, 'crashed', clock.now(), 130_000);
      clock.advance(129);
      expect(await notifications.deliver()).to.equal(0);
      clock.advance(1);
      expect(await notifications.deliver()).to.equal(1);
      expect(transport.sent[0]?.messageId).to.equal(`${lost?.id}@fernhill.example`);
    });

    it('lets a deliverer that comes back late take nothing from the next one', async () => {
      const { notifications, clock, rows } = createFixture(database);
      const store = createSqlOutboxStore(database);
      const to = newAddress();
      await notifications.send(changed(to));
      const [slow] = await claim(store, 'slow', clock.now(), 1_000);
      clock.advance(1);
      const [fast] = await claim(store, 'fast', clock.now(), 60_000);
      expect(fast?.id).to.equal(slow?.id);
      await store.settle(slow!, { status: 'pending', nextAt: clock.now(), error: 'too late' });
      await store.settle(slow!, { status: 'dead', at: clock.now(), error: 'too late' });
      expect(await claim(store, 'third', clock.now(), 60_000)).to.deep.equal([]);
      await store.settle(slow!, { status: 'sent', at: clock.now(), keepData: false });
      await store.settle(fast!, { status: 'pending', nextAt: clock.now(), error: 'but it was sent' });
      expect((await rows(to))[0]?.status).to.equal('sent');
    });

    it('does not send what has become useless', async () => {
      const { notifications, clock, transport, rows } = createFixture(database);
      const to = newAddress();
      const expiresAt = clock.now() + 3_600_000;
      await notifications.send({ to, template: 'verify-email', data: { path: '/v?t=1', expiresAt }, expiresAt });
      clock.advance(3_600);
      expect(await notifications.deliver()).to.equal(0);
      expect(transport.sent).to.deep.equal([]);
      expect((await rows(to))[0]?.status).to.equal('dead');
    });

    it('tries again, and loses nothing, when a mail cannot be made', async () => {
      const { notifications, transport, rows, clock } = createFixture(database);
      const to = newAddress();
      await notifications.send(changed(to));
      await database.sql('outbox').where({ recipient: to }).update({ template: 'of-the-next-release' });
      expect(await notifications.deliver()).to.equal(0);
      expect((await rows(to))[0]).to.deep.include({ status: 'pending', attempts: 1 });
      await database.sql('outbox').where({ recipient: to }).update({ template: 'password-changed' });
      clock.advance(deliveryPolicy.firstWait);
      expect(await notifications.deliver()).to.equal(1);
      expect(transport.sent).to.have.length(1);
    });

    it('gives up what is late, deletes what is over, and leaves the rest', async () => {
      const { notifications, clock, rows } = createFixture(database);
      const [old, late, fresh] = [newAddress(), newAddress(), newAddress()];
      await notifications.send(changed(old));
      await notifications.deliver();
      clock.advance(7 * 86_400 + 1);
      await notifications.send({ ...changed(late), expiresAt: clock.now() });
      await notifications.send(changed(fresh));
      expect(await notifications.purge()).to.equal(2);
      expect(await rows(old)).to.deep.equal([]);
      expect((await rows(late))[0]?.status).to.equal('dead');
      expect((await rows(fresh))[0]?.status).to.equal('pending');
    });

    it('leaves nothing of an account that is to be forgotten', async () => {
      const { notifications, rows } = createFixture(database);
      const [account, to] = [newAccountId(), newAddress()];
      await notifications.send({ ...changed(to), account });
      await notifications.deliver();
      await notifications.send({ ...changed(to), account });
      await notifications.forget(account);
      expect(await rows(to)).to.deep.equal([]);
    });
  });
}
