import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { asClientId } from '../../src/shared/ids.ts';
import { createSignIn, type NewSignIn, type SignInParts } from '../../src/sign-in/index.ts';
import { everySqlLane } from '../support/database.ts';
import { createFixture, type Fixture, meta, type Person, password, stepOf } from './fixture.ts';

for (const lane of everySqlLane()) {
  describe(`an account that is taken back while somebody comes in, on ${lane}`, () => {
    let fixture: Fixture;
    const start: NewSignIn = { clientId: asClientId('app_test'), requirement: { secondFactor: false } };

    beforeEach(async () => {
      fixture = await createFixture(lane, { email: { step: 'off', signIn: 'code', reachable: true } });
    });

    async function takeBack({ account }: Person): Promise<void> {
      await fixture.parts.revocations.revoke({ kind: 'account', id: account.id, reason: 'a new password' });
      // Whatever is dated from now on is dated after it.
      fixture.clock.advance(2);
    }

    /** A sign-in in which the account is taken back once the password has been looked at. */
    function slowly(person: Person, change: Partial<SignInParts> = {}) {
      const { credentials } = fixture;
      const lookUp: typeof credentials.lookUp = async (id) => {
        const found = await credentials.lookUp(id);
        return {
          ...found,
          async verifyPassword(given) {
            const matches = await found.verifyPassword(given);
            await takeBack(person);
            return matches;
          },
        };
      };
      return createSignIn({ ...fixture.parts, credentials: { ...credentials, lookUp }, ...change });
    }

    const refused = { outcome: 'refused', reason: 'wrong_step' };
    const inputOf = ({ login }: Person) => ({ login, password });

    it('lets nobody in whose password was looked at before that', async () => {
      const alex = await fixture.person();
      const id = await fixture.flow();
      const result = await slowly(alex).submitPassword(id, inputOf(alex), meta);
      expect(result).to.include(refused);
      expect(await fixture.signIn.view(id)).to.have.property('step', 'password');
      expect(stepOf(await fixture.submit(id, alex)), 'and the owner after it').to.equal('done');
    });

    it('lets nobody stand at the second door either', async () => {
      const alex = await fixture.person({ totp: true });
      const id = randomBytes(16).toString('base64url');
      const result = await slowly(alex).submitPassword(id, { ...inputOf(alex), start }, meta);
      expect(result).to.include(refused);
      expect(await fixture.signIn.submitTotp(id, fixture.codeOf(alex), meta)).to.have.property('outcome', 'refused');
    });

    it('keeps no step that goes with the session', async () => {
      const { database, clock, signIn } = fixture;
      const alex = await fixture.person();
      const id = randomBytes(16).toString('base64url');
      const input = { ...inputOf(alex), start, finish: 'with-session' } as const;
      const store = async (result: Awaited<ReturnType<typeof signIn.submitPassword>>) => {
        const step = (result.outcome === 'accepted' && result.finished?.step) || expect.fail('no step');
        return database.unitOfWork(clock.now(), async () => {
          const { done } = await step.store();
          await database.transaction(() => database.sql.raw('select 1'));
          return done;
        });
      };
      expect(await store(await slowly(alex).submitPassword(id, input, meta))).to.equal(false);
      expect(await signIn.view(id), 'nothing is stored').to.equal(undefined);
      expect(await store(await signIn.submitPassword(id, input, meta))).to.equal(true);
    });

    it('takes no passkey that went with it', async () => {
      const { passkeys } = fixture;
      const alex = await fixture.person();
      const key = await fixture.passkeyOf(alex);
      const id = await fixture.flow();
      const signIn = createSignIn({
        ...fixture.parts,
        passkeys: {
          ...passkeys,
          async finishAuthentication(...given) {
            const used = await passkeys.finishAuthentication(...given);
            await passkeys.removeAll(alex.account.id);
            await takeBack(alex);
            return used;
          },
        },
      });
      const response = key.get(await signIn.beginPasskey(id), { verified: true });
      expect(await signIn.submitPasskey(id, { response }, meta)).to.include({ outcome: 'refused', reason: 'mismatch' });
    });

    it('takes no mailed code that was used before that', async () => {
      const { mails, parts } = fixture;
      const alex = await fixture.person();
      const id = await fixture.flow();
      await fixture.signIn.mailSignIn(id, { login: alex.login, pathOf: (token) => `/${token}` }, meta);
      const code = mails.find(({ to }) => to === alex.account.email)?.data.code ?? expect.fail('no code');
      const signIn = createSignIn({
        ...parts,
        codes: {
          ...parts.codes,
          async use(given) {
            const outcome = await parts.codes.use(given);
            await takeBack(alex);
            return outcome;
          },
        },
      });
      expect(await signIn.submitMailedCode(id, code, {}, meta)).to.include(refused);
    });
  });
}
