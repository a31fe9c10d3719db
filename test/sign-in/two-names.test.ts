import { expect } from 'chai';
import { randomText } from '../../src/shared/ids.ts';
import { createSignIn } from '../../src/sign-in/index.ts';
import { sqlLanes } from '../support/database.ts';
import { createFixture, type Fixture, meta, type Person, password, stepOf } from './fixture.ts';

for (const lane of sqlLanes()) {
  describe(`an account with two names on ${lane}`, () => {
    let fixture: Fixture;

    beforeEach(async () => {
      fixture = await createFixture(lane);
    });

    const submit = async (login: string, given = 'wrong') =>
      fixture.signIn.submitPassword(await fixture.flow(), { login, password: given }, meta);
    /** Wrong passwords under the username until the account is paused. */
    const lock = async ({ login }: Person): Promise<void> => {
      for (let turn = 0; turn < 5; turn += 1) {
        fixture.clock.advance(10);
        expect(await submit(login)).to.include({ reason: 'mismatch' });
      }
      expect(await submit(login)).to.include({ reason: 'paused' });
    };
    /** What a stranger hears of a name, try after try, with waits in between; the account's pause ends at the last ones. */
    const waits = [0, 0, 0, 1, 0, 2, 3, 600, 600, 597, 3, 10];
    const heardOf = async (login: string, given = 'wrong', most = waits.length) => {
      const { clock } = fixture;
      const heard = [];
      for (const seconds of waits.slice(0, most)) {
        clock.advance(seconds);
        const result = await submit(login, given);
        if (result.outcome !== 'refused') throw new Error('accepted');
        heard.push([result.reason, (result.retryAt ?? clock.now()) - clock.now(), result.view]);
      }
      return heard;
    };

    it('says of one name, while the other is paused, what it says of a name that nobody has', async () => {
      const { clock, person } = fixture;
      const unknown = await heardOf(`${randomText(12)}@example.com`);
      expect(new Set(unknown.map(([reason]) => reason))).to.have.keys('mismatch', 'paused');
      clock.advance(7200);
      const [alex, kim] = [await person(), await person()];
      await lock(alex);
      expect(await heardOf(alex.account.email)).to.deep.equal(unknown);
      await lock(kim);
      expect(await heardOf(kim.account.email, password, 7), 'with the right one').to.deep.equal(unknown.slice(0, 7));
    });

    it('has nothing looked at then, and the audit log says so', async () => {
      const { audit, parts, flow, person } = fixture;
      const { credentials } = parts;
      const alex = await person();
      await lock(alex);
      const done: string[] = [];
      const watched = createSignIn({
        ...parts,
        credentials: {
          ...credentials,
          async lookUp(id) {
            const onFile = await credentials.lookUp(id);
            return {
              ...onFile,
              verifyPassword: (given) => {
                done.push('verified');
                return onFile.verifyPassword(given);
              },
              refusePassword: (given) => {
                done.push('refused');
                return onFile.refusePassword(given);
              },
            };
          },
        },
      });
      const answer = await watched.submitPassword(await flow(), { login: alex.account.email, password }, meta);
      expect(answer).to.include({ reason: 'mismatch' });
      expect(done, 'the work of a wrong one').to.deep.equal(['refused']);
      const rows = await audit.list({ subject: alex.account.id, type: 'sign_in.failed', limit: 20 });
      const reasons = rows.map(({ details }) => details?.reason);
      expect(reasons.filter((reason) => reason === 'paused')).to.have.length(2);
      const locks = await audit.list({ subject: alex.account.id, type: 'sign_in.locked', limit: 9 });
      expect(locks).to.have.length(1);
    });

    it('is paused after five failures under both, and open under both after that', async () => {
      const { clock, person, history } = fixture;
      const alex = await person();
      for (const login of [alex.login, alex.account.email, alex.login, alex.account.email.toUpperCase(), alex.login]) {
        clock.advance(10);
        expect(await submit(login)).to.include({ reason: 'mismatch' });
      }
      expect((await history(alex)).filter((type) => type === 'sign_in.locked')).to.have.length(1);
      clock.advance(10);
      for (const login of [alex.login, alex.account.email]) {
        expect(await submit(login, password)).to.include({ outcome: 'refused', reason: 'mismatch' });
      }
      clock.advance(1790);
      for (const login of [alex.login, alex.account.email])
        expect(stepOf(await submit(login, password))).to.equal('done');
    });

    it('forgets the failures of the name that was typed after a whole sign-in', async () => {
      const { clock, person } = fixture;
      const alex = await person();
      for (let round = 0; round < 3; round += 1) {
        for (let turn = 0; turn < 4; turn += 1) {
          clock.advance(10);
          expect(await submit(alex.login)).to.include({ reason: 'mismatch' });
        }
        clock.advance(10);
        expect(stepOf(await submit(alex.login, password))).to.equal('done');
      }
    });

    it('is mailed five codes an hour under both, and no name tells how many the other one had', async () => {
      const { parts, person, clock, flow, mails } = await createFixture(lane, {
        email: { step: 'off', signIn: 'code', reachable: true },
      });
      const signIn = createSignIn(parts);
      const ask = async (login: string): Promise<string> =>
        (await signIn.mailSignIn(await flow(), { login, pathOf: (token) => token }, meta)).outcome;
      const askSix = async (login: string): Promise<string[]> => {
        const outcomes = [];
        for (let turn = 0; turn < 6; turn += 1) outcomes.push(await ask(login));
        return outcomes;
      };
      const alex = await person();
      const mailsTo = () => mails.filter(({ to }) => to === alex.account.email).length;
      const unknown = await askSix(`${randomText(12)}@example.com`);
      expect(unknown).to.deep.equal([...Array(5).fill('sent'), 'limited']);
      expect(await askSix(alex.login)).to.deep.equal(unknown);
      expect(mailsTo()).to.equal(5);
      expect(await askSix(alex.account.email)).to.deep.equal(unknown);
      expect(mailsTo(), 'the last five went nowhere').to.equal(5);

      // Nor does the page after it: a code that was never mailed is a wrong one.
      clock.advance(3600);
      for (let turn = 0; turn < 5; turn += 1) await ask(alex.login);
      const answers = [];
      for (const login of [alex.account.email, `${randomText(12)}@example.com`]) {
        const id = await flow();
        await signIn.mailSignIn(id, { login, pathOf: (token) => token }, meta);
        answers.push(await signIn.submitMailedCode(id, '00000000', {}, meta));
      }
      expect(answers[0]).to.include({ reason: 'wrong_code' }).and.deep.equal(answers[1]);
    });
  });
}
