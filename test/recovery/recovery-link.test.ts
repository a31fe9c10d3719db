import { expect } from 'chai';
import { generate } from 'otplib';
import { proofFor, type RecoveryTask } from '../../src/recovery/index.ts';
import type { AccountId } from '../../src/shared/ids.ts';
import { createWorld, goodPassword, meta, operator, type World } from '../registration/fixture.ts';
import { sqlLanes } from '../support/database.ts';
import { refusal } from '../support/refusal.ts';

const none = { password: true, totp: false, backupCodes: 0, passkeys: 0 };

describe('the proof beside a recovery link', () => {
  const lostFactor: RecoveryTask = { lost: 'second-factor', removes: ['authenticator'] };
  const lostPasskeys: RecoveryTask = { lost: 'second-factor', removes: ['passkeys'] };
  const lostPassword: RecoveryTask = { lost: 'password', removes: [] };
  const table: [string, RecoveryTask, Partial<typeof none>, string | undefined][] = [
    ['a lost authenticator', lostFactor, { totp: true }, 'password'],
    ['lost backup codes alone', lostFactor, { backupCodes: 3 }, 'password'],
    ['a lost authenticator that there never was', lostFactor, {}, undefined],
    ['a lost authenticator, by somebody without a password', lostFactor, { totp: true, password: false }, undefined],
    ['lost passkeys', lostPasskeys, { passkeys: 1 }, 'password'],
    ['lost passkeys that there never were', lostPasskeys, { totp: true }, undefined],
    ['a lost password', lostPassword, { totp: true }, 'code'],
    ['a lost password, with backup codes alone', lostPassword, { backupCodes: 1 }, 'code'],
    ['a lost password of somebody with a passkey', lostPassword, { passkeys: 1 }, undefined],
    ['a lost password of somebody with nothing else', lostPassword, {}, 'nothing'],
  ];
  for (const [what, task, extra, proof] of table) {
    it(`for ${what} is ${proof ?? 'impossible'}`, () => {
      expect(proofFor(task, { ...none, ...extra })).to.equal(proof);
    });
  }
});

for (const lane of sqlLanes()) {
  describe(`a recovery link on ${lane}`, () => {
    let world: World;
    before(async () => {
      world = await createWorld(lane);
    });
    after(() => world[Symbol.asyncDispose]());

    const withTotp = async () => {
      const person = await world.person();
      const { secret } = await world.domains.credentials.totp.begin(person.id, 'x');
      const code = () => generate({ secret, epoch: Math.floor(world.clock.now() / 1000) });
      expect(await world.domains.credentials.totp.confirm(person.id, await code())).to.equal(true);
      const backupCodes = await world.domains.credentials.backupCodes.create(person.id);
      world.clock.advance(30);
      return { ...person, code, backupCodes };
    };
    const tokenOf = (path: string | undefined): string => /token=([\w-]+)/.exec(path ?? '')?.[1] ?? '';
    const factors = (id: AccountId) => world.domains.credentials.factorsOf(id);
    const events = async (id: AccountId, type: string) => world.domains.audit.list({ subject: id, type, limit: 99 });

    it('takes the second factor off with the password, once, and tells of it; nothing goes before', async () => {
      const { id, email, password } = await withTotp();
      const link = await world.recovery().issueLink(id, operator, {}, meta);
      expect(link).to.deep.include({ lost: 'second-factor', removes: ['authenticator'], delivery: 'mail' });
      expect(link).not.to.have.any.keys('path', 'token');
      const { token } = await world.lastMail(email, 'recovery-link');
      expect(await world.recovery().viewLink(token)).to.deep.include({ outcome: 'usable', proof: 'password' });
      expect(await factors(id)).to.deep.include({ totp: true, backupCodes: 10 });
      const [created] = await events(id, 'recovery_link.created');
      expect(created).to.deep.include({ actor: { kind: 'operator' }, outcome: 'success' });
      const done = await world.recovery().useLink(token, { password }, meta);
      expect(done).to.deep.include({ outcome: 'done', accountId: id, removes: ['authenticator'] });
      expect(await factors(id)).to.deep.include({ totp: false, backupCodes: 0, password: true });
      expect(await world.domains.revocations.isRevoked([{ kind: 'account', id }])).to.equal(true);
      const templates = (await world.mails(email)).map(({ template }) => template);
      expect(templates).to.include.members(['account-recovered', 'second-factor-removed']);
      expect(await world.recovery().useLink(token, { password }, meta)).to.deep.equal({ outcome: 'expired' });
    });

    it('is worth nothing alone: five wrong passwords end it, also 50 at once', async () => {
      const { id, password } = await withTotp();
      const { path } = await world.recovery().issueLink(id, operator, { delivery: 'hand' }, meta);
      const token = tokenOf(path);
      const wrong = { password: 'not this one at all' };
      expect(await world.recovery().useLink(token, {}, meta)).to.deep.equal({ outcome: 'wrong', triesLeft: 4 });
      const answers = await Promise.all(Array.from({ length: 50 }, () => world.recovery().useLink(token, wrong, meta)));
      expect(answers.filter(({ outcome }) => outcome === 'wrong').length).to.be.at.most(3);
      expect(answers.filter(({ outcome }) => outcome === 'done')).to.have.length(0);
      expect(await world.recovery().useLink(token, { password }, meta)).to.deep.equal({ outcome: 'expired' });
      expect(await events(id, 'recovery_link.failed')).to.have.length(5);
      expect(await factors(id)).to.deep.include({ totp: true, backupCodes: 10 });
    });

    it('is used by one of 4 at once', async () => {
      const { id, password } = await withTotp();
      const token = tokenOf((await world.recovery().issueLink(id, operator, { delivery: 'hand' }, meta)).path);
      const answers = await Promise.all(
        Array.from({ length: 4 }, () => world.recovery().useLink(token, { password }, meta)),
      );
      expect(answers.map(({ outcome }) => outcome).sort()).to.deep.equal(['done', 'expired', 'expired', 'expired']);
      expect(await events(id, 'recovery_link.used')).to.have.length(1);
    });

    for (const kind of ['totp', 'backup code'] as const) {
      it(`sets a lost password with a ${kind}, which is spent then and not for a wrong try`, async () => {
        const { id, code, backupCodes, password } = await withTotp();
        const options = { lost: 'password', delivery: 'hand' } as const;
        const token = tokenOf((await world.recovery().issueLink(id, operator, options, meta)).path);
        const right = kind === 'totp' ? await code() : (backupCodes[0] ?? '');
        const next = goodPassword();
        const weak = await world.recovery().useLink(token, { code: right, newPassword: 'short' }, meta);
        expect(weak.outcome).to.equal('refused');
        const wrong = await world.recovery().useLink(token, { code: '000000', newPassword: next, password }, meta);
        expect(wrong).to.deep.equal({ outcome: 'wrong', triesLeft: 4 });
        const done = await world.recovery().useLink(token, { code: right, newPassword: next }, meta);
        expect(done).to.deep.include({ outcome: 'done', removes: [] });
        expect(await world.domains.credentials.verifyPassword(id, next)).to.equal(true);
        const left = kind === 'totp' ? 10 : 9;
        expect(await factors(id)).to.deep.include({ totp: true, backupCodes: left });
        if (kind === 'totp') expect(await world.domains.credentials.totp.verify(id, right)).to.equal('used');
      });
    }

    it('is replaced by the next one, expires, and is no other token', async () => {
      const { id, email, password } = await withTotp();
      const options = { delivery: 'hand', lifeSeconds: 60 } as const;
      const first = tokenOf((await world.recovery().issueLink(id, operator, options, meta)).path);
      const second = tokenOf((await world.recovery().issueLink(id, operator, options, meta)).path);
      await world.recovery().requestReset(email, meta);
      const { token: reset } = await world.lastMail(email, 'reset-password');
      for (const wrong of [first, reset, '', 'x'.repeat(43)]) {
        expect(await world.recovery().useLink(wrong, { password }, meta)).to.deep.equal({ outcome: 'expired' });
      }
      expect((await world.recovery().reset(second, goodPassword(), meta)).outcome).to.equal('expired');
      expect((await world.recovery().viewLink(second)).outcome).to.equal('usable');
      world.clock.advance(60);
      expect(await world.recovery().useLink(second, { password }, meta)).to.deep.equal({ outcome: 'expired' });
    });

    it('is over when the account is stopped or has another address', async () => {
      const stopped = await withTotp();
      const moved = await withTotp();
      for (const person of [stopped, moved]) {
        const token = tokenOf((await world.recovery().issueLink(person.id, operator, { delivery: 'hand' })).path);
        if (person === stopped) await world.domains.accounts.disable(person.id, operator);
        else await world.domains.accounts.update(person.id, 1, { email: `x${person.email}` }, operator);
        const { password } = person;
        expect(await world.recovery().useLink(token, { password }, meta)).to.deep.equal({ outcome: 'expired' });
        expect(await factors(person.id)).to.deep.include({ totp: true });
      }
    });

    it('unlocks a locked account by mail, and is not handed over for one', async () => {
      const { id, email, password } = await withTotp();
      await world.domains.accountLife.lock(id, operator);
      expect((await refusal(world.recovery().issueLink(id, operator, { delivery: 'hand' }))).code).to.equal('conflict');
      await world.recovery().issueLink(id, operator);
      const { token } = await world.lastMail(email, 'recovery-link');
      expect((await world.recovery().useLink(token, { password }, meta)).outcome).to.equal('done');
      expect((await world.domains.accounts.find(id))?.status).to.equal('active');
    });

    it('is made by others only, for accounts that it can help, and for a day at most', async () => {
      const { id } = await withTotp();
      const plain = await world.person();
      const gone = await withTotp();
      await world.domains.accountData.delete(gone.id, operator);
      const codeOf = async (...given: Parameters<ReturnType<World['recovery']>['issueLink']>) =>
        (await refusal(world.recovery().issueLink(...given))).code;
      expect(await codeOf(id, { kind: 'account', id })).to.equal('forbidden');
      expect(await codeOf(id, { kind: 'stranger' })).to.equal('forbidden');
      expect(await codeOf(plain.id, operator)).to.equal('conflict');
      expect(await codeOf(gone.id, operator)).to.equal('not_found');
      expect(await codeOf(id, operator, { lifeSeconds: 86_401 })).to.equal('invalid_input');
      expect(await codeOf(id, operator, { lifeSeconds: Number.NaN })).to.equal('invalid_input');
      const admin = { kind: 'account', id: plain.id } as const;
      expect((await world.recovery().issueLink(id, admin)).delivery).to.equal('mail');
    });
  });
}
