import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { asClientId } from '../../src/shared/ids.ts';
import type { NewSignIn } from '../../src/sign-in/index.ts';
import { sqlLanes } from '../support/database.ts';
import { refusalCode } from '../support/refusal.ts';
import { createFixture, type Fixture, meta, type Person, password } from './fixture.ts';

const newId = (): string => randomBytes(16).toString('base64url');

for (const lane of sqlLanes()) {
  describe(`the first step of a sign-in on ${lane}`, () => {
    let fixture: Fixture;
    let start: NewSignIn;
    before(async () => {
      fixture = await createFixture(lane, { lockoutTries: 100, lockoutSeconds: 0 });
      start = {
        clientId: asClientId('app_test'),
        requirement: { secondFactor: false },
        startedAt: fixture.clock.now(),
      };
    });
    const submit = (id: string, { login }: Person, given = password, finish = true) =>
      fixture.signIn.submitPassword(id, { login, password: given, start, finish }, meta);

    it('needs nothing stored for the page before it', async () => {
      const id = newId();
      expect(await fixture.signIn.look(id, start)).to.include({ step: 'password' });
      expect(await fixture.signIn.view(id)).to.equal(undefined);
      const alex = await fixture.person();
      expect(await submit(id, alex, 'wrong')).to.include({ outcome: 'refused', reason: 'mismatch' });
      expect((await fixture.signIn.look(id, start)).step).to.equal('password');
      expect(await fixture.history(alex)).to.deep.equal(['sign_in.failed']);
    });

    it('ends the sign-in when nothing is left to prove, once for fifty at the same time', async () => {
      const alex = await fixture.person();
      const id = newId();
      const results = await Promise.all(Array.from({ length: 50 }, () => submit(id, alex)));
      const accepted = results.filter((result) => result.outcome === 'accepted');
      expect(accepted).to.have.length(1);
      expect(accepted[0]).to.have.nested.property('finished.accountId', alex.account.id);
      expect(await fixture.history(alex), 'told with the session').to.deep.equal([]);
      expect(await submit(id, alex)).to.include({ outcome: 'refused', reason: 'expired' });
      expect(await refusalCode(fixture.signIn.look(id, start))).to.equal('expired');
      expect(await refusalCode(fixture.signIn.finish(id))).to.equal('expired');
      const { failures } = (await fixture.database.sql('sign_in_throttle').where({ key: alex.account.id }).first()) as {
        failures: number;
      };
      expect(failures).to.equal(0);
    });

    it('leads on to the second door and stores the way there', async () => {
      const alex = await fixture.person({ totp: true });
      const id = newId();
      const result = await submit(id, alex);
      expect(result).to.have.nested.property('view.step', 'second-factor');
      expect(result).to.not.have.property('finished');
      expect((await fixture.signIn.look(id, start)).step).to.equal('second-factor');
      expect(await fixture.history(alex)).to.deep.equal([]);
      expect(await fixture.signIn.submitTotp(id, fixture.codeOf(alex), meta)).to.include({ outcome: 'accepted' });
    });

    it('is not taken after the time of the whole sign-in', async () => {
      const alex = await fixture.person();
      const old = { ...start, startedAt: fixture.clock.now() - 3_600_000 };
      const input = { login: alex.login, password, start: old, finish: true };
      expect(await fixture.signIn.submitPassword(newId(), input, meta)).to.include({ reason: 'expired' });
      expect(await refusalCode(fixture.signIn.look(newId(), old))).to.equal('expired');
    });

    it('keeps what the browser proved before from the first look on', async () => {
      const alex = await fixture.person();
      const at = Math.floor(fixture.clock.now() / 1000);
      const session = { accountId: alex.account.id, methods: [{ method: 'pwd' as const, at }] };
      const id = newId();
      expect((await fixture.signIn.look(id, { ...start, session })).step).to.equal('done');
      expect((await fixture.signIn.finish(id)).accountId).to.equal(alex.account.id);
    });
  });
}
