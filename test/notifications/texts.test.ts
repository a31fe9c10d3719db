import { expect } from 'chai';
import { codeText, DeliveryFailure, deliveryPolicy, type SendOutcome } from '../../src/notifications/index.ts';
import { newAccountId } from '../../src/shared/ids.ts';
import type { Database } from '../../src/storage/database.ts';
import { sqlLanes, testDatabase } from '../support/database.ts';
import { createFixture, emptyOutbox, newAddress, newNumber, occasion } from './fixture.ts';

const count = (outcomes: readonly SendOutcome[], outcome: SendOutcome): number =>
  outcomes.filter((one) => one === outcome).length;
const kind = 'sign-in-code';
const text = '27198460 is your code';

for (const lane of sqlLanes()) {
  describe(`text messages on ${lane}`, () => {
    let database: Database;

    before(async () => {
      database = await testDatabase(lane);
    });

    beforeEach(() => emptyOutbox(database));
    after(() => emptyOutbox(database));

    it('go to the gateway once, and what was in them is forgotten', async () => {
      const { notifications, gateway, transport, rows } = createFixture(database);
      const to = newNumber();
      expect(await notifications.sendText({ phoneNumber: to, kind, text })).to.equal('pending');
      const [row] = await rows(to);
      expect(row?.data).to.be.a('string').and.not.include('27198460');
      expect(await notifications.deliver()).to.equal(1);
      expect(await notifications.deliver()).to.equal(0);
      expect(gateway.sent).to.deep.equal([{ id: row?.id, to, kind, text }]);
      expect(transport.sent).to.deep.equal([]);
      expect((await rows(to))[0]).to.deep.include({ status: 'sent', data: null });
    });

    it('exist if and only if the action was committed', async () => {
      const { notifications, gateway } = createFixture(database);
      const undone = database.transaction(async () => {
        await notifications.sendText({ phoneNumber: newNumber(), kind, text });
        throw new Error('the action failed');
      });
      await undone.catch(() => undefined);
      expect(await notifications.deliver()).to.equal(0);
      expect(gateway.sent).to.deep.equal([]);
    });

    it('wait for nothing that mails wait for', async () => {
      const { notifications, gateway, transport, clock } = createFixture(database);
      transport.on = () => {
        throw new DeliveryFailure('away', 'connect ECONNREFUSED');
      };
      for (let index = 0; index < 6; index += 1) {
        await notifications.send({ to: newAddress(), template: 'password-changed', data: occasion });
        await notifications.sendText({ phoneNumber: newNumber(), kind, text });
      }
      expect(await notifications.deliver()).to.equal(6);
      expect(gateway.sent).to.have.length(6);
      gateway.on = () => {
        throw new DeliveryFailure('away', 'The SMS gateway answered 503.');
      };
      transport.on = () => undefined;
      await notifications.sendText({ phoneNumber: newNumber(), kind, text });
      clock.advance(deliveryPolicy.firstWait);
      expect(await notifications.deliver()).to.equal(6);
      expect(transport.sent).to.have.length(6);
    });

    it('are tried again, and given up when they are of no use any more', async () => {
      const { notifications, gateway, clock, rows } = createFixture(database);
      const [late, lucky] = [newNumber(), newNumber()];
      gateway.on = () => {
        throw new DeliveryFailure('later', 'The SMS gateway answered 500.');
      };
      await notifications.sendText({ phoneNumber: late, kind, text });
      await notifications.sendText({ phoneNumber: lucky, kind, text });
      await notifications.deliver();
      gateway.on = ({ to }) => {
        if (to === late) throw new DeliveryFailure('later', `The SMS gateway knows no ${to}.`);
      };
      clock.advance(deliveryPolicy.firstWait);
      expect(await notifications.deliver()).to.equal(1);
      expect((await rows(lucky))[0]).to.deep.include({ status: 'sent', attempts: 2 });
      expect((await rows(late))[0]?.error).to.equal('The SMS gateway knows no (recipient).');
      clock.advance(600);
      await notifications.deliver();
      expect((await rows(late))[0]).to.deep.include({ status: 'dead', error: 'It was not sent in time.' });
    });

    it('stop at the cap of a phone, also when 50 come at once', async () => {
      const { notifications, suppressed } = createFixture(database);
      const phoneNumber = newNumber();
      const forms = [phoneNumber, `${phoneNumber.slice(0, 3)} (${phoneNumber.slice(3, 6)}) ${phoneNumber.slice(6)}`];
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          notifications.sendText({ phoneNumber: forms[index % forms.length] ?? '', kind, text }),
        ),
      );
      expect([count(outcomes, 'pending'), count(outcomes, 'capped')]).to.deep.equal([5, 45]);
      expect(suppressed).to.deep.equal([{ channel: 'text', template: kind, account: undefined }]);
      expect(await notifications.sendText({ phoneNumber: newNumber(), kind, text })).to.equal('pending');
    });

    it('stop at the cap of an account, whatever phones it names', async () => {
      const { notifications } = createFixture(database);
      const account = newAccountId();
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, () =>
          notifications.sendText({ phoneNumber: newNumber(), kind: 'verify-phone', text, account }),
        ),
      );
      expect([count(outcomes, 'pending'), count(outcomes, 'capped')]).to.deep.equal([3, 47]);
    });

    it('go to plain numbers only, and have words', async () => {
      const { notifications, gateway, rows } = createFixture(database);
      const bad = [
        '',
        '112',
        '+1',
        '+0123456789',
        '4915112345678',
        '+49151123456789012',
        '+49151x345678',
        'tel:+4915112345678',
        '+4915112345678,+491',
        '+１２３４５６７８',
      ];
      for (const phoneNumber of bad) {
        expect(await notifications.sendText({ phoneNumber, kind, text }), phoneNumber).to.equal('refused');
      }
      expect(await notifications.deliver()).to.equal(0);
      expect(gateway.sent).to.deep.equal([]);
      expect(await rows('')).to.have.length(bad.length);
      for (const words of ['', 'x'.repeat(501)]) {
        const failed = await notifications
          .sendText({ phoneNumber: newNumber(), kind, text: words })
          .catch((error: unknown) => error);
        expect(failed).to.be.instanceOf(RangeError);
      }
    });

    it('are refused without a gateway, except where the viewer shows them', async () => {
      const without = createFixture(database, { gateway: false });
      expect(without.notifications.canText).to.equal(false);
      expect(await without.notifications.sendText({ phoneNumber: newNumber(), kind, text })).to.equal('refused');
      const viewed = createFixture(database, { gateway: false, policy: { viewer: true } });
      expect(viewed.notifications.canText).to.equal(true);
      const to = newNumber();
      const hostile = `${text} <script>hacked()</script>\n\n@id.example #27198460`;
      expect(await viewed.notifications.sendText({ phoneNumber: to, kind, text: hostile })).to.equal('pending');
      const [row] = await viewed.rows(to);
      const view = await viewed.notifications.find(row?.id ?? '');
      expect(view).to.deep.include({ to, status: 'pending', from: 'the SMS gateway' });
      expect(view?.content?.text).to.equal(hostile);
      expect(view?.content?.html).to.include('27198460').and.not.include('<script');
    });

    it('are forgotten with their account', async () => {
      const { notifications, rows } = createFixture(database);
      const [account, to] = [newAccountId(), newNumber()];
      await notifications.sendText({ phoneNumber: to, kind, text, account });
      await notifications.forget(account);
      expect(await rows(to)).to.deep.equal([]);
    });
  });
}

describe('the words of a code', () => {
  it('say what it is for and how long, and tie it to our host', () => {
    const words = codeText({
      code: '02719846',
      siteName: 'Fernhill',
      hostname: 'id.fernhill.example',
      lifeSeconds: 600,
    });
    expect(words).to.equal(
      '02719846 is your code for Fernhill. It works once, for 10 minutes. Tell it to nobody.\n\n@id.fernhill.example #02719846',
    );
    const short = codeText({
      code: '02719846',
      siteName: 'Fernhill',
      hostname: 'id.fernhill.example',
      lifeSeconds: 90,
    });
    expect(short).to.include('for a minute.');
  });
});
