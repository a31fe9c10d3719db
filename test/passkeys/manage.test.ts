import { expect } from 'chai';
import { type PasskeyOwner, relyingPartyOf } from '../../src/passkeys/index.ts';
import { sqlLanes } from '../support/database.ts';
import { refusal } from '../support/refusal.ts';
import { createFixture, type Fixture } from './fixture.ts';

for (const lane of sqlLanes()) {
  describe(`keeping passkeys on ${lane}`, () => {
    let fixture: Fixture;
    let owner: PasskeyOwner;

    beforeEach(async () => {
      fixture = await createFixture(lane);
      owner = await fixture.newOwner();
    });

    it('lists the oldest first, renames and removes, and tells the audit log', async () => {
      const { passkeys, register, clock, events } = fixture;
      await register(owner, {}, 'First');
      clock.advance(1);
      await register(owner, {}, 'Second');
      const [first, second] = await passkeys.list(owner.id);
      expect([first?.name, second?.name]).to.deep.equal(['First', 'Second']);
      expect(await passkeys.rename(owner.id, second?.id ?? '', ' Key  ring ')).to.include({ name: 'Key ring' });
      clock.advance(1);
      await passkeys.remove(owner.id, first?.id ?? '', { ip: '192.0.2.7' });
      clock.advance(1);
      await passkeys.remove(owner.id, second?.id ?? '', { actor: { kind: 'operator' } });
      expect(await passkeys.countOf(owner.id)).to.equal(0);
      const removed = (await events(owner)).filter(({ type }) => type === 'passkey.removed');
      expect(removed.map(({ details }) => details)).to.deep.equal([
        { passkey: second?.id, name: 'Key ring', left: 0 },
        { passkey: first?.id, name: 'First', left: 1 },
      ]);
      expect(removed[0]?.actor).to.deep.equal({ kind: 'operator' });
      expect(removed[1]?.ip).to.equal('192.0.2.7');
    });

    it('touches nobody else’s', async () => {
      const { passkeys, register, newOwner } = fixture;
      await register(owner, {}, 'Mine');
      const thief = await newOwner();
      const [mine] = await passkeys.list(owner.id);
      const id = mine?.id ?? '';
      expect((await refusal(passkeys.rename(thief.id, id, 'Stolen'))).code).to.equal('not_found');
      expect((await refusal(passkeys.remove(thief.id, id))).code).to.equal('not_found');
      expect((await refusal(passkeys.rename(owner.id, id, ' '))).code).to.equal('invalid_input');
      expect(await passkeys.removeAll(thief.id)).to.equal(0);
      expect(await passkeys.list(owner.id)).to.deep.equal([mine]);
    });

    it('removes one of fifty times, and all at once', async () => {
      const { passkeys, register, events } = fixture;
      await register(owner, {}, 'One');
      await register(owner, {}, 'Two');
      await register(owner, {}, 'Three');
      const [one] = await passkeys.list(owner.id);
      const results = await Promise.allSettled(
        Array.from({ length: 50 }, () => passkeys.remove(owner.id, one?.id ?? '')),
      );
      expect(results.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
      expect(await passkeys.removeAll(owner.id)).to.equal(2);
      expect((await events(owner)).filter(({ type }) => type === 'passkey.removed')).to.have.length(3);
    });

    it('signals what there is, to the last one and after it', async () => {
      const { passkeys, register } = fixture;
      expect(await passkeys.accountSignals(owner)).to.equal(undefined);
      const kept = await register(owner);
      const gone = await register(owner);
      const passkey = (await passkeys.list(owner.id))[1];
      await passkeys.remove(owner.id, passkey?.id ?? '');
      const signals = await passkeys.accountSignals(owner);
      const left = signals?.accepted.allAcceptedCredentialIds;
      expect(left).to.have.length(1);
      expect([kept.credentialId, gone.credentialId]).to.include(left?.[0]);
      expect(signals?.details).to.include({ rpId: 'id.example.com', name: owner.email, displayName: 'Alex Doe' });
      expect(signals?.details.userId).to.equal(signals?.accepted.userId);
      await passkeys.removeAll(owner.id);
      expect((await passkeys.accountSignals(owner))?.accepted.allAcceptedCredentialIds).to.deep.equal([]);
    });

    it('goes with the account', async () => {
      const { passkeys, register, database } = fixture;
      const authenticator = await register(owner);
      const options = await passkeys.beginAuthentication('b', owner.id);
      await database.sql('account').where({ id: owner.id }).delete();
      expect(await passkeys.countOf(owner.id)).to.equal(0);
      expect(await passkeys.finishAuthentication('b', authenticator.get(options))).to.equal(undefined);
    });
  });
}

describe('the relying party', () => {
  it('has the issuer’s host and exactly the configured origins', () => {
    expect(
      relyingPartyOf('https://id.example.com:8443', 'S', ['https://a.example', 'https://id.example.com:8443']),
    ).to.deep.equal({ id: 'id.example.com', name: 'S', origins: ['https://id.example.com:8443', 'https://a.example'] });
  });

  it('is of no use under a bare address', async () => {
    for (const [issuer, usable] of [
      ['https://id.example.com', true],
      ['http://localhost:3000', true],
      ['http://127.0.0.1:3000', false],
      ['http://[::1]:3000', false],
    ] as const) {
      expect((await createFixture('pglite', issuer)).passkeys.usable, issuer).to.equal(usable);
    }
  });
});
