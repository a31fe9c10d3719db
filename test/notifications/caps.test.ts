import { expect } from 'chai';
import type { MailData, MailTemplate, SendOutcome } from '../../src/notifications/index.ts';
import { caps, strangerCap } from '../../src/notifications/index.ts';
import { newAccountId } from '../../src/shared/ids.ts';
import type { Database } from '../../src/storage/database.ts';
import { sqlLanes, testDatabase } from '../support/database.ts';
import { createFixture, emptyOutbox, type Fixture, newAddress, occasion } from './fixture.ts';

const count = (outcomes: readonly SendOutcome[], outcome: SendOutcome): number =>
  outcomes.filter((one) => one === outcome).length;
const expiresAt = occasion.at + 3_600_000;
const strangers: { readonly [Template in MailTemplate]?: MailData[Template] } = {
  'verify-email': { path: '/v', expiresAt },
  'reset-password': { ...occasion, path: '/r', expiresAt },
  'registration-attempt': occasion,
  'sign-in-code': { ...occasion, code: '02719846', expiresAt },
  'sign-in-link': { ...occasion, path: '/s', expiresAt },
  'change-email': { ...occasion, path: '/c', expiresAt },
};
const kinds = Object.keys(strangers) as MailTemplate[];

for (const lane of sqlLanes()) {
  describe(`caps against floods on ${lane}`, () => {
    let database: Database;

    before(async () => {
      database = await testDatabase(lane);
    });

    beforeEach(() => emptyOutbox(database));
    after(() => emptyOutbox(database));

    const changed = (to: string) => ({ to, template: 'password-changed', data: occasion }) as const;
    const trouble = ({ notifications }: Fixture, to: string, index: number): Promise<SendOutcome> => {
      const template = kinds[index % kinds.length]!;
      return notifications.send({ to, template, data: strangers[template] as never });
    };

    it('count in any window, not from the hour to the hour', async () => {
      const { notifications, clock } = createFixture(database);
      const to = newAddress();
      for (let sent = 0; sent < 5; sent += 1) {
        expect(await notifications.send(changed(to)), `mail ${sent}`).to.equal('pending');
        clock.advance(700);
      }
      expect(await notifications.send(changed(to)), 'at 3500 s').to.equal('capped');
      clock.advance(101);
      expect(await notifications.send(changed(to)), 'the first is over an hour old').to.equal('pending');
      expect(await notifications.send(changed(to)), 'the second is not').to.equal('capped');
    });

    it('see one mailbox behind case and tags', async () => {
      const { notifications } = createFixture(database);
      const to = newAddress();
      const forms = [to, to.toUpperCase(), to.replace('@', '+news@'), to.replace('@', '+a+b@'), to];
      for (const form of forms) expect(await notifications.send(changed(form)), form).to.equal('pending');
      expect(await notifications.send(changed(to.replace('@', '+once.more@')))).to.equal('capped');
    });

    it('let strangers send an address ten mails an hour together, also when 50 come at once', async () => {
      const fixture = createFixture(database);
      expect([...kinds].sort()).to.deep.equal([...strangerCap.templates].sort());
      const to = newAddress();
      const outcomes = await Promise.all(Array.from({ length: 50 }, (_, index) => trouble(fixture, to, index)));
      expect([count(outcomes, 'pending'), count(outcomes, 'capped')]).to.deep.equal([10, 40]);
      expect(await trouble(fixture, newAddress(), 1), 'somebody else').to.equal('pending');
    });

    it('keep warnings out of what strangers can use up', async () => {
      const fixture = createFixture(database);
      const { notifications, clock } = fixture;
      const to = newAddress();
      for (let index = 0; index < 40; index += 1) await trouble(fixture, to, index);
      for (const template of ['password-changed', 'new-sign-in', 'second-factor-removed', 'email-changed'] as const) {
        expect(await notifications.send({ to, template, data: occasion }), template).to.equal('pending');
      }
      clock.advance(3_600);
      expect(await trouble(fixture, to, 0), 'an hour later').to.equal('pending');
    });

    it('leave the cap of each kind as it is', async () => {
      const { notifications } = createFixture(database);
      const to = newAddress();
      const outcomes: SendOutcome[] = [];
      for (let index = 0; index < 8; index += 1) {
        outcomes.push(await notifications.send({ to, template: 'verify-email', data: { path: '/v', expiresAt } }));
      }
      expect(count(outcomes, 'pending')).to.equal(caps['verify-email'].max);
    });

    it('stop an account that mails to ever new addresses, also when 50 come at once', async () => {
      const { notifications, suppressed } = createFixture(database);
      const account = newAccountId();
      const data = { ...occasion, path: '/c', expiresAt };
      const send = (to: string, of = account): Promise<SendOutcome> =>
        notifications.send({ to, template: 'change-email', data, account: of });
      const outcomes = await Promise.all(Array.from({ length: 50 }, () => send(newAddress())));
      expect([count(outcomes, 'pending'), count(outcomes, 'capped')]).to.deep.equal([5, 45]);
      expect(await send(newAddress(), newAccountId())).to.equal('pending');
      expect(suppressed, 'told once').to.deep.equal([{ channel: 'mail', template: 'change-email', account }]);
    });

    it('tell of what they stopped once in a window, in the transaction of the sender', async () => {
      const { notifications, suppressed, clock } = createFixture(database);
      const [to, account] = [newAddress(), newAccountId()];
      const send = (): Promise<SendOutcome> =>
        notifications.send({ to, template: 'new-sign-in', data: occasion, account });
      await Promise.all(Array.from({ length: 50 }, send));
      expect(suppressed).to.deep.equal([{ channel: 'mail', template: 'new-sign-in', account }]);
      const [row] = await database.sql('outbox').where({ recipient: to, status: 'capped' }).count({ lost: '*' });
      expect(Number(row?.lost), 'and count the rest').to.equal(45);
      clock.advance(3_600);
      await Promise.all(Array.from({ length: 7 }, send));
      expect(suppressed).to.have.length(2);
    });

    it('wait for each other in no circle, whatever mailboxes and accounts they share', async () => {
      const { notifications } = createFixture(database);
      const [boxes, accounts] = [
        [newAddress(), newAddress()],
        [newAccountId(), newAccountId()],
      ];
      const send = (index: number): Promise<SendOutcome> =>
        notifications.send({
          to: boxes[index % 2] ?? '',
          template: 'password-changed',
          data: occasion,
          account: accounts[(index >> 1) % 2],
        });
      const outcomes = await Promise.all(Array.from({ length: 50 }, (_, index) => send(index)));
      expect(count(outcomes, 'pending')).to.be.within(5, 10);
      expect(count(outcomes, 'pending') + count(outcomes, 'capped')).to.equal(50);
    });
  });
}
