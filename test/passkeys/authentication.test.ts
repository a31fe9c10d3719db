import { expect } from 'chai';
import { amrOfPasskey, type PasskeyOwner } from '../../src/passkeys/index.ts';
import { sqlLanes } from '../support/database.ts';
import { type Algorithm, type Authenticator, type Changes, createAuthenticator } from './authenticator.ts';
import { createFixture, type Fixture, related } from './fixture.ts';

for (const lane of sqlLanes()) {
  describe(`using passkeys on ${lane}`, () => {
    let fixture: Fixture;
    let owner: PasskeyOwner;

    beforeEach(async () => {
      fixture = await createFixture(lane);
      owner = await fixture.newOwner();
    });

    const answer = async (authenticator: Authenticator, changes?: Changes, bound?: PasskeyOwner) => {
      const options = await fixture.passkeys.beginAuthentication('b', bound?.id);
      fixture.clock.advance(1);
      return fixture.passkeys.finishAuthentication('b', authenticator.get(options, changes));
    };
    const lastEvent = async () => (await fixture.events(owner))[0];

    for (const algorithm of ['EdDSA', 'ES256', 'RS256'] satisfies Algorithm[]) {
      it(`says whose passkey of ${algorithm} it is, and that they were verified`, async () => {
        const { passkeys, register, clock } = fixture;
        const authenticator = await register(owner, { algorithm });
        clock.advance(60);
        const [passkey] = await passkeys.list(owner.id);
        expect(passkey).to.not.have.property('lastUsedAt');
        expect(await answer(authenticator)).to.deep.equal({
          accountId: owner.id,
          passkeyId: passkey?.id,
          userVerified: true,
          synced: false,
        });
        expect((await passkeys.list(owner.id))[0]?.lastUsedAt).to.equal(clock.now());
        const event = await lastEvent();
        expect(event).to.deep.include({
          type: 'passkey.used',
          outcome: 'success',
          actor: { kind: 'account', id: owner.id },
        });
        expect(event?.details).to.deep.equal({ passkey: passkey?.id, name: 'Passkey', userVerified: true });
      });
    }

    it('asks everybody the same without an account, and for the account’s own keys with one', async () => {
      const { passkeys, register } = fixture;
      const authenticator = await register(owner);
      const open = await passkeys.beginAuthentication('b');
      expect(open).to.deep.include({
        rpId: 'id.example.com',
        timeout: 300_000,
        allowCredentials: [],
        userVerification: 'required',
      });
      const bound = await passkeys.beginAuthentication('b', owner.id);
      expect(bound.userVerification).to.equal('preferred');
      expect(bound.allowCredentials?.map(({ id }) => id)).to.deep.equal([authenticator.credentialId]);
    });

    it('says when the person was there but not verified', async () => {
      const authenticator = await fixture.register(owner);
      expect(await answer(authenticator, { verified: false })).to.include({ userVerified: false });
      expect(await answer(authenticator, { verified: false }, owner)).to.include({ userVerified: false });
    });

    it('takes a related origin, and no handle when the account is known', async () => {
      const authenticator = await fixture.register(owner);
      expect(await answer(authenticator, { origin: related })).to.include({ accountId: owner.id });
      expect(await answer(authenticator, { userHandle: null }, owner)).to.include({ accountId: owner.id });
    });

    const refusals: Record<string, [Changes, string]> = {
      'of another ceremony': [{ type: 'webauthn.create' }, 'type'],
      'of another origin': [{ origin: 'https://id.example.com.evil.example' }, 'origin'],
      'of the same host on http': [{ origin: 'http://id.example.com' }, 'origin'],
      'from a frame of another site': [{ crossOrigin: true }, 'framed'],
      'with a top origin': [{ topOrigin: 'https://evil.example' }, 'framed'],
      'for another domain': [{ rpId: 'evil.example' }, 'verification'],
      'without a person there': [{ present: false }, 'verification'],
      'with the signature of another key': [{ signWith: createAuthenticator().privateKey }, 'verification'],
      'of a key that says it can be copied now': [{ backupEligible: true }, 'backup_eligibility'],
      'that is backed up and cannot be': [{ backedUp: true }, 'verification'],
      'without a handle': [{ userHandle: null }, 'user_handle'],
      'with another handle': [{ userHandle: 'A'.repeat(43) }, 'user_handle'],
    };
    for (const [name, [changes, reason]] of Object.entries(refusals)) {
      it(`refuses a response ${name}, and the challenge is used up`, async () => {
        const { passkeys, register } = fixture;
        const authenticator = await register(owner);
        const options = await passkeys.beginAuthentication('b');
        expect(await passkeys.finishAuthentication('b', authenticator.get(options, changes))).to.equal(undefined);
        const event = await lastEvent();
        expect(event).to.deep.include({ type: 'passkey.used', outcome: 'failure', actor: { kind: 'stranger' } });
        expect(event?.details).to.include({ reason });
        expect(await passkeys.finishAuthentication('b', authenticator.get(options))).to.equal(undefined);
        expect((await passkeys.list(owner.id))[0]).to.not.have.property('lastUsedAt');
      });
    }

    it('refuses an unknown credential plainly, and only of it says that nobody has it', async () => {
      const { passkeys, register, events } = fixture;
      const authenticator = await register(owner);
      const before = (await events(owner)).length;
      const stranger = createAuthenticator();
      const response = stranger.get(await passkeys.beginAuthentication('b'), { userHandle: 'A'.repeat(43) });
      expect(await passkeys.finishAuthentication('b', response)).to.equal(undefined);
      expect(await events(owner)).to.have.length(before);
      expect(await passkeys.unknownSignal(response)).to.deep.equal({
        unknown: { rpId: 'id.example.com', credentialId: stranger.credentialId },
      });
      const known = authenticator.get(await passkeys.beginAuthentication('b'), { userHandle: null });
      expect(await passkeys.finishAuthentication('b', known)).to.equal(undefined);
      expect(await passkeys.unknownSignal(known)).to.equal(undefined);
      expect(await passkeys.unknownSignal('nonsense')).to.equal(undefined);
      const half = createAuthenticator().create(await passkeys.beginRegistration(owner, 'b'));
      expect(await passkeys.unknownSignal(half)).to.have.nested.property('unknown.credentialId', half.id);
    });

    it('refuses somebody else’s passkey where an account is known', async () => {
      const { newOwner, register } = fixture;
      await register(owner);
      const thief = await newOwner();
      const stolen = await register(thief);
      expect(await answer(stolen, {}, owner)).to.equal(undefined);
      expect(await answer(stolen)).to.include({ accountId: thief.id });
    });

    it('refuses a challenge that is too old, of another browser, or of a registration', async () => {
      const { passkeys, register, clock } = fixture;
      const authenticator = await register(owner);
      const options = await passkeys.beginAuthentication('b');
      const response = authenticator.get(options);
      expect(await passkeys.finishAuthentication('other', response)).to.equal(undefined);
      expect(await passkeys.finishAuthentication('b', response), 'it was not used up there').to.include({
        accountId: owner.id,
      });
      const creation = await passkeys.beginRegistration(owner, 'b');
      const wrong = authenticator.get({ ...options, challenge: creation.challenge });
      expect(await passkeys.finishAuthentication('b', wrong)).to.equal(undefined);
      const made = authenticator.get({ ...options, challenge: 'A'.repeat(43) });
      expect(await passkeys.finishAuthentication('b', made)).to.equal(undefined);
      const late = await passkeys.beginAuthentication('b');
      clock.advance(300);
      expect(await passkeys.finishAuthentication('b', authenticator.get(late))).to.equal(undefined);
    });

    it('takes one of fifty answers to one challenge', async () => {
      const { passkeys, register, events } = fixture;
      const authenticator = await register(owner, { synced: true });
      const response = authenticator.get(await passkeys.beginAuthentication('b'));
      const results = await Promise.all(Array.from({ length: 50 }, () => passkeys.finishAuthentication('b', response)));
      expect(results.filter((result) => result !== undefined)).to.have.length(1);
      expect((await events(owner)).filter(({ type }) => type === 'passkey.used')).to.have.length(1);
    });

    it('refuses a device-bound key whose counter did not grow, and tells why', async () => {
      const authenticator = await fixture.register(owner);
      expect(await answer(authenticator, { signCount: 9 })).to.include({ accountId: owner.id });
      for (const signCount of [9, 8, 0]) {
        expect(await answer(authenticator, { signCount }), `${signCount}`).to.equal(undefined);
        expect((await lastEvent())?.details).to.include({ reason: 'counter' });
      }
      expect(await answer(authenticator, { signCount: 10 })).to.include({ accountId: owner.id });
      expect(await answer(authenticator, { signCount: 2 ** 32 - 1 })).to.include({ accountId: owner.id });
    });

    it('lets one of fifty copies through that show the same count at the same time', async () => {
      const { passkeys, register } = fixture;
      const authenticator = await register(owner);
      const responses = await Promise.all(
        Array.from({ length: 50 }, async (_, index) =>
          authenticator.get(await passkeys.beginAuthentication(`b${index}`), { signCount: 77 }),
        ),
      );
      const results = await Promise.all(
        responses.map((response, index) => passkeys.finishAuthentication(`b${index}`, response)),
      );
      expect(results.filter((result) => result !== undefined)).to.have.length(1);
    });

    it('accepts keys that do not count, and notes a synced one that counts backwards', async () => {
      const zero = await fixture.register(owner, { synced: true });
      expect(await answer(zero)).to.include({ synced: true });
      expect(await answer(zero)).to.include({ synced: true });
      expect((await lastEvent())?.details).to.not.have.property('counterWentBack');
      expect(await answer(zero, { signCount: 5 })).to.include({ synced: true });
      expect(await answer(zero, { signCount: 4 })).to.include({ synced: true });
      expect((await lastEvent())?.details).to.include({ counterWentBack: true });
    });

    it('follows whether a copy exists', async () => {
      const { passkeys, register } = fixture;
      const authenticator = await register(owner, { synced: true });
      await answer(authenticator, { backedUp: false });
      expect((await passkeys.list(owner.id))[0]).to.include({ synced: true, backedUp: false });
      await answer(authenticator);
      expect((await passkeys.list(owner.id))[0]).to.include({ backedUp: true });
    });

    it('answers nonsense with the one refusal', async () => {
      const { passkeys, register } = fixture;
      const authenticator = await register(owner);
      const good = authenticator.get(await passkeys.beginAuthentication('b'));
      const { response } = good;
      const nonsense: unknown[] = [
        undefined,
        '{}',
        'null',
        [good],
        { ...good, rawId: 'other' },
        { ...good, response: { ...response, signature: '' } },
        { ...good, response: { ...response, signature: '%%' } },
        { ...good, response: { ...response, authenticatorData: 5 } },
        { ...good, response: { ...response, userHandle: { a: 1 } } },
        { ...good, response: { ...response, userHandle: 'x'.repeat(100) } },
      ];
      for (const bad of nonsense) expect(await passkeys.finishAuthentication('b', bad)).to.equal(undefined);
      const short = { ...good, response: { ...response, authenticatorData: 'AAAA' } };
      expect(await passkeys.finishAuthentication('b', short)).to.equal(undefined);
      expect((await lastEvent())?.details).to.include({ reason: 'verification' });
    });

    it('forgets a passkey that was removed between the halves', async () => {
      const { passkeys, register } = fixture;
      const authenticator = await register(owner);
      const options = await passkeys.beginAuthentication('b', owner.id);
      const [passkey] = await passkeys.list(owner.id);
      await passkeys.remove(owner.id, passkey?.id ?? '');
      expect(await passkeys.finishAuthentication('b', authenticator.get(options))).to.equal(undefined);
    });
  });
}

describe('amr of a passkey', () => {
  it('is two factors only with verification, and says whether the key can be copied', () => {
    expect(amrOfPasskey({ userVerified: true, synced: false })).to.deep.equal(['hwk', 'user', 'mfa']);
    expect(amrOfPasskey({ userVerified: true, synced: true })).to.deep.equal(['swk', 'user', 'mfa']);
    expect(amrOfPasskey({ userVerified: false, synced: true })).to.deep.equal(['swk', 'user']);
  });
});
