import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { asClientId } from '../../src/shared/ids.ts';
import { sqlLanes } from '../support/database.ts';
import { refusalCode } from '../support/refusal.ts';
import { createFixture, type Fixture, meta, type Person, password, stepOf } from './fixture.ts';

const fifty = <T>(work: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: 50 }, (_, index) => work(index)));
const newId = (): string => randomBytes(16).toString('base64url');
const start = { clientId: asClientId('app_test'), requirement: { secondFactor: false } };

for (const lane of sqlLanes()) {
  describe(`factors of a sign-in on ${lane}`, () => {
    let fixture: Fixture;

    beforeEach(async () => {
      fixture = await createFixture(lane, {
        email: { step: 'no-other-factor', signIn: 'code' },
        passkeyOfferDays: 30,
        passwordsExpire: true,
      });
    });

    const codeOf = (): string => fixture.mails.at(-1)?.data.code ?? '';
    const accepted = (results: readonly { outcome: string }[]): number =>
      results.filter(({ outcome }) => outcome === 'accepted').length;

    it('take one answer to one challenge, fifty times at once', async () => {
      const { signIn, person, passkeyOf } = fixture;
      const alex = await person();
      const key = await passkeyOf(alex);
      const id = newId();
      const response = key.get(await signIn.beginPasskey(id, start));
      const results = await fifty(() => signIn.submitPasskey(id, { response, start }, meta));
      expect(accepted(results)).to.equal(1);
      expect((await signIn.view(id))?.step).to.equal('done');
      expect(await refusalCode(signIn.beginPasskey(id))).to.equal('conflict');
    });

    it('take a mailed code once, at both doors, and count its tries', async () => {
      const { signIn, person, flow, submit } = fixture;
      const alex = await person();
      const id = await flow();
      await submit(id, alex);
      await fifty(() => signIn.mailSecondStep(id, false, meta));
      expect(fixture.mails).to.have.length(1);
      const results = await fifty(() => signIn.submitEmailCode(id, codeOf(), meta));
      expect(accepted(results)).to.equal(1);
      expect(await signIn.finish(id)).to.deep.include({ acr: 'aal1', amr: ['pwd', 'email'] });

      const first = newId();
      const wish = { login: alex.login, start, pathOf: () => '/' };
      expect(await signIn.mailSignIn(first, wish, meta)).to.include({ outcome: 'sent' });
      const doors = await fifty(() => signIn.submitMailedCode(first, codeOf(), {}, meta));
      expect(accepted(doors)).to.equal(1);
    });

    it('mail nothing to somebody who may not sign in, and say the same', async () => {
      const { signIn, accounts, person } = fixture;
      const alex = await person();
      await accounts.disable(alex.account.id, { kind: 'operator' });
      for (const login of [alex.login, 'nobody-at-all', '']) {
        const id = newId();
        expect(await signIn.mailSignIn(id, { login, start, pathOf: () => '/' }, meta)).to.include({ outcome: 'sent' });
        expect(fixture.mails.at(-1)?.to).to.not.include('@');
        const result = await signIn.submitMailedCode(id, codeOf(), {}, meta);
        expect(result).to.include({ outcome: 'refused', reason: 'used_code' });
      }
    });

    it('count tries of a browser that the account knows apart from those of strangers', async () => {
      const { signIn, devices, clock, person } = fixture;
      const alex = await person();
      const known = { id: 'a'.repeat(22) };
      // What others in this database were paused for is over by then, and none of it ends while this one looks.
      clock.advance(86_400);
      const others = await signIn.countPaused(1000);
      await devices.seen(alex.account.id, known.id, meta);
      const attempt = (given: string, device?: { id: string }, login = alex.login) =>
        signIn.submitPassword(newId(), { login, password: given, start, ...(device && { device }) }, meta);
      for (let turn = 0; turn < 5; turn += 1) {
        await attempt('guess', { id: `${turn}`.repeat(22) });
        clock.advance(10);
      }
      expect(await attempt(password)).to.include({ reason: 'paused' });
      expect(await attempt(password, { id: 'b'.repeat(22) })).to.include({ reason: 'paused' });
      expect((await attempt(password, known)).outcome).to.equal('accepted');
      expect(await attempt(password), 'nobody is forgiven by it').to.include({ reason: 'paused' });
      expect(await signIn.countPaused(1000)).to.equal(others + 1);
      for (let turn = 0; turn < 5; turn += 1) {
        await attempt('guess', known);
        clock.advance(10);
      }
      expect(await attempt(password, known)).to.include({ reason: 'paused' });
      expect(await signIn.countPaused(1000), 'one account, however many browsers').to.equal(others + 1);
    });

    it('offer a passkey in a browser that the account knows, once in thirty days, and add it', async () => {
      fixture = await createFixture(lane, { passkeyOfferDays: 30 });
      const alex = await fixture.person();
      const device = { id: 'c'.repeat(22) };
      const enter = async (who: Person, known = device) => {
        const id = newId();
        const input = { login: who.login, password, start, device: known, offersPasskey: true };
        return { id, step: stepOf(await fixture.signIn.submitPassword(id, input, meta)) };
      };
      expect((await enter(alex)).step, 'a strange browser').to.equal('done');
      await fixture.devices.seen(alex.account.id, device.id, meta);
      const { id, step } = await enter(alex);
      expect(step).to.equal('offer-passkey');
      expect(await refusalCode(fixture.signIn.finish(id))).to.equal('conflict');
      expect((await fixture.signIn.answerOffer(id, undefined, meta)).step).to.equal('done');
      expect((await fixture.signIn.answerOffer(id, undefined, meta)).step).to.equal('done');
      fixture.clock.advance(29 * 86_400);
      expect((await enter(alex)).step).to.equal('done');
      fixture.clock.advance(86_400);
      const again = await enter(alex);
      expect(again.step).to.equal('offer-passkey');
      const { createAuthenticator } = await import('../passkeys/authenticator.ts');
      const key = createAuthenticator({ origin: 'https://id.example.com' });
      const response = key.create(await fixture.signIn.beginOfferedPasskey(again.id));
      expect((await fixture.signIn.answerOffer(again.id, response, meta)).step).to.equal('done');
      expect(await fixture.signIn.finish(again.id)).to.deep.include({ acr: 'aal1', amr: ['pwd', 'user'] });
      expect((await enter(alex)).step, 'from now on').to.equal('second-factor');
      expect(await fixture.passkeys.countOf(alex.account.id)).to.equal(1);
    });

    it('change a password once, fifty times at once, and let an old session change none', async () => {
      const { signIn, clock, person, passwordPolicy, audit } = await createFixture(lane);
      const alex = await person();
      await passwordPolicy.requireChange(alex.account.id);
      const id = newId();
      const entered = await signIn.submitPassword(id, { login: alex.login, password, start }, meta);
      expect(stepOf(entered)).to.equal('change-password');
      expect((await signIn.changePassword(id, 'short', meta)).outcome).to.equal('weak');
      const results = await fifty((index) => signIn.changePassword(id, `seven quiet lanterns ${index}`, meta));
      expect(accepted(results)).to.equal(1);
      const rows = await audit.list({ subject: alex.account.id, type: 'password.changed', limit: 60 });
      expect(rows.filter(({ details }) => details?.first !== true)).to.have.length(1);
      clock.advance(1);
      expect((await signIn.finish(id)).authTime, 'after the end of what there was').to.equal(clock.now() / 1000);

      await passwordPolicy.requireChange(alex.account.id);
      const session = {
        accountId: alex.account.id,
        methods: [{ method: 'pwd' as const, at: clock.now() / 1000 - 601 }],
      };
      expect((await signIn.look(newId(), { ...start, session })).step).to.equal('password');
    });
  });
}
