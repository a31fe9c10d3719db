import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { mostPasskeys, type PasskeyOwner } from '../../src/passkeys/index.ts';
import { sqlLanes } from '../support/database.ts';
import { refusal } from '../support/refusal.ts';
import { type Algorithm, type Changes, createAuthenticator } from './authenticator.ts';
import type { Cbor } from './cbor.ts';
import { createFixture, type Fixture, related } from './fixture.ts';

const google = 'ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4';

for (const lane of sqlLanes()) {
  describe(`adding passkeys on ${lane}`, () => {
    let fixture: Fixture;
    let owner: PasskeyOwner;

    beforeEach(async () => {
      fixture = await createFixture(lane);
      owner = await fixture.newOwner();
    });

    const begin = () => fixture.passkeys.beginRegistration(owner, 'b');

    it('asks for a discoverable, verified key without attestation, under a random handle', async () => {
      const { passkeys } = fixture;
      const options = await begin();
      expect(options).to.deep.include({
        rp: { id: 'id.example.com', name: 'Sallyport' },
        timeout: 300_000,
        attestation: 'none',
        excludeCredentials: [],
        authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
      });
      expect(options.pubKeyCredParams.map(({ alg }) => alg)).to.deep.equal([-8, -7, -257]);
      expect(options.user).to.include({ name: owner.email, displayName: 'Alex Doe' });
      expect(Buffer.from(options.user.id, 'base64url').length).to.be.within(32, 64);
      expect(JSON.stringify(options)).to.not.contain(owner.id);
      expect((await begin()).user.id, 'the handle stays').to.equal(options.user.id);
      expect((await begin()).challenge).to.not.equal(options.challenge);
      expect(await passkeys.countOf(owner.id)).to.equal(0);
      const named = { ...owner, username: 'alex', profile: {} };
      expect((await passkeys.beginRegistration(named, 'b')).user).to.include({ name: 'alex', displayName: 'alex' });
    });

    it('keeps challenges hashed, and no more than ten of one binding', async () => {
      const { database } = fixture;
      const binding = owner.id;
      const { challenge } = await fixture.passkeys.beginRegistration(owner, binding);
      const bindingHash = createHash('sha256').update(binding).digest('base64url');
      const rows = () => database.sql('passkey_challenge').where({ binding: bindingHash });
      expect(await rows()).to.have.length(1);
      expect(JSON.stringify(await rows())).to.not.contain(challenge);
      for (let index = 0; index < 15; index += 1) {
        fixture.clock.advance(1);
        await fixture.passkeys.beginRegistration(owner, binding);
      }
      expect(await rows()).to.have.length(10);
      fixture.clock.advance(300);
      expect(await fixture.passkeys.purge()).to.be.at.least(10);
      expect(await rows()).to.have.length(0);
    });

    for (const algorithm of ['EdDSA', 'ES256', 'RS256'] satisfies Algorithm[]) {
      it(`adds a key of ${algorithm} and tells the audit log`, async () => {
        const { passkeys, events, clock } = fixture;
        const authenticator = createAuthenticator({ algorithm, aaguid: google, synced: true });
        const response = authenticator.create(await begin());
        const passkey = await passkeys.finishRegistration(owner, 'b', JSON.stringify(response), undefined, {
          ip: '192.0.2.1',
        });
        expect(passkey).to.deep.include({
          name: 'Google Password Manager',
          provider: 'Google Password Manager',
          synced: true,
          backedUp: true,
          transports: ['internal', 'hybrid'],
          createdAt: clock.now(),
        });
        expect(await passkeys.list(owner.id)).to.deep.equal([passkey]);
        const { excludeCredentials } = await begin();
        expect(excludeCredentials).to.deep.equal([
          { id: authenticator.credentialId, type: 'public-key', transports: ['internal', 'hybrid'] },
        ]);
        const [event] = await events(owner);
        expect(event).to.deep.include({ type: 'passkey.added', outcome: 'success', ip: '192.0.2.1' });
        expect(event?.details).to.deep.equal({ passkey: passkey.id, name: passkey.name, synced: true });
      });
    }

    it('names them after the person’s wish, the provider, or the browser, each name once', async () => {
      const { passkeys } = fixture;
      const userAgent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36';
      const add = async (aaguid: string | undefined, name?: string, agent?: string) => {
        const authenticator = createAuthenticator(aaguid === undefined ? {} : { aaguid });
        const context = agent === undefined ? {} : { userAgent: agent };
        const response = authenticator.create(await begin());
        return (await passkeys.finishRegistration(owner, 'b', response, name, context)).name;
      };
      expect(await add(google)).to.equal('Google Password Manager');
      expect(await add(google)).to.equal('Google Password Manager 2');
      expect(await add(undefined, undefined, userAgent)).to.equal('Chrome on Linux');
      expect(await add(undefined)).to.equal('Passkey');
      expect(await add(google, '  My   key ')).to.equal('My key');
      expect(await add(google, ' ')).to.equal('Google Password Manager 3');
      const refused = await refusal(add(google, 'x'.repeat(61)));
      expect(refused.code).to.equal('invalid_input');
      expect(refused.details.fields).to.have.property('name');
      expect((await refusal(add(google, 'a\u202eb'))).code).to.equal('invalid_input');
    });

    const plain = new Map<Cbor, Cbor>();
    const refusals: Record<string, [Changes, string]> = {
      'of another ceremony': [{ type: 'webauthn.get' }, 'type'],
      'of another origin': [{ origin: 'https://id.example.com.evil.example' }, 'origin'],
      'of a subdomain': [{ origin: 'https://a.id.example.com' }, 'origin'],
      'from a frame of another site': [{ crossOrigin: true }, 'framed'],
      'with a top origin': [{ topOrigin: 'https://evil.example' }, 'framed'],
      'for another domain': [{ rpId: 'evil.example' }, 'verification'],
      'without a person there': [{ present: false }, 'verification'],
      'without verification of the person': [{ verified: false }, 'verification'],
      'that is backed up and cannot be': [{ backedUp: true }, 'verification'],
      'with an algorithm that was not asked for': [{ coseAlgorithm: -35 }, 'verification'],
      'with another id than it signed for': [{ credentialId: 'A'.repeat(43) }, 'verification'],
      'with a statement where none belongs': [{ statement: new Map<Cbor, Cbor>([['x', 1]]) }, 'verification'],
      'with a broken signature of its own': [
        {
          format: 'packed',
          statement: new Map<Cbor, Cbor>([
            ['alg', -7],
            ['sig', Buffer.alloc(70, 1)],
          ]),
        },
        'verification',
      ],
      'with certificates': [
        { format: 'packed', statement: new Map<Cbor, Cbor>([['x5c', [Buffer.from('x')]]]) },
        'attestation',
      ],
      'with an attestation of a TPM': [{ format: 'tpm', statement: plain }, 'attestation'],
      'with an unknown attestation': [{ format: 'new-one', statement: plain }, 'attestation'],
    };
    for (const [name, [changes, reason]] of Object.entries(refusals)) {
      it(`refuses a response ${name}, and the challenge is used up`, async () => {
        const { passkeys } = fixture;
        const authenticator = createAuthenticator();
        const options = await begin();
        const error = await refusal(passkeys.finishRegistration(owner, 'b', authenticator.create(options, changes)));
        expect(error).to.deep.include({
          code: 'invalid_input',
          message: 'That passkey could not be added. Start again.',
        });
        expect(error.details.reason).to.equal(`passkey: ${reason}`);
        const again = await refusal(passkeys.finishRegistration(owner, 'b', authenticator.create(options)));
        expect(again.code).to.equal('expired');
        expect(await passkeys.countOf(owner.id)).to.equal(0);
      });
    }

    it('takes a self-signed statement and a related origin', async () => {
      const { passkeys } = fixture;
      const first = createAuthenticator().create(await begin(), { format: 'packed' });
      await passkeys.finishRegistration(owner, 'b', first);
      const second = createAuthenticator().create(await begin(), { origin: related });
      await passkeys.finishRegistration(owner, 'b', second);
      expect(await passkeys.countOf(owner.id)).to.equal(2);
    });

    it('takes a key without a touch only when it was offered without a click', async () => {
      const { passkeys } = fixture;
      const automatic = await passkeys.beginRegistration(owner, 'b', { automatic: true });
      expect(automatic.authenticatorSelection?.userVerification).to.equal('preferred');
      const authenticator = createAuthenticator({ synced: true });
      const response = authenticator.create(automatic, { present: false, verified: false });
      expect((await passkeys.finishRegistration(owner, 'b', response)).synced).to.equal(true);
    });

    it('refuses a challenge that is too old, of another browser, account or ceremony', async () => {
      const { passkeys, clock, newOwner } = fixture;
      const authenticator = createAuthenticator();
      const codeOf = async (work: Promise<unknown>) => (await refusal(work)).code;
      const other = await newOwner();
      const elsewhere = authenticator.create(await begin());
      expect(await codeOf(passkeys.finishRegistration(owner, 'other', elsewhere))).to.equal('expired');
      await passkeys.finishRegistration(owner, 'b', elsewhere);

      const ofOther = createAuthenticator().create(await begin());
      expect((await refusal(passkeys.finishRegistration(other, 'b', ofOther))).details.reason).to.equal(
        'passkey: account',
      );
      const request = await passkeys.beginAuthentication('b', owner.id);
      const wrongPurpose = createAuthenticator().create({ ...(await begin()), challenge: request.challenge });
      expect(await codeOf(passkeys.finishRegistration(owner, 'b', wrongPurpose))).to.equal('expired');

      const late = await begin();
      clock.advance(300);
      expect(await codeOf(passkeys.finishRegistration(owner, 'b', createAuthenticator().create(late)))).to.equal(
        'expired',
      );
    });

    it('adds one of fifty answers to one challenge', async () => {
      const { passkeys, events } = fixture;
      const options = await begin();
      const answers = Array.from({ length: 50 }, () =>
        passkeys.finishRegistration(owner, 'b', createAuthenticator().create(options)).catch((error) => error.code),
      );
      const results = await Promise.all(answers);
      expect(results.filter((result) => result === 'expired')).to.have.length(49);
      expect(await passkeys.countOf(owner.id)).to.equal(1);
      expect(await events(owner)).to.have.length(1);
    });

    it('adds a credential once in the whole installation', async () => {
      const { passkeys, newOwner, register } = fixture;
      const authenticator = await register(owner);
      const other = await newOwner();
      for (const who of [owner, other]) {
        const options = await passkeys.beginRegistration(who, 'b');
        const error = await refusal(passkeys.finishRegistration(who, 'b', authenticator.create(options)));
        expect(error.code).to.equal('conflict');
      }
      expect(await passkeys.countOf(other.id)).to.equal(0);
    });

    it('stops at the limit, also when the last ones come at the same time', async () => {
      const { passkeys } = fixture;
      const pending = [];
      for (let index = 0; index < mostPasskeys + 5; index += 1) {
        pending.push(await passkeys.beginRegistration(owner, `b${index}`));
      }
      const results = await Promise.all(
        pending.map((options, index) =>
          passkeys.finishRegistration(owner, `b${index}`, createAuthenticator().create(options)).then(
            () => 'added',
            (error) => error.code,
          ),
        ),
      );
      expect(results.filter((result) => result === 'added')).to.have.length(mostPasskeys);
      expect(results.filter((result) => result === 'conflict')).to.have.length(5);
      expect((await refusal(begin())).code).to.equal('conflict');
    });

    it('answers nonsense with a refusal that names nothing of it', async () => {
      const { passkeys } = fixture;
      const good = createAuthenticator().create(await begin());
      const { response } = good;
      const nonsense: unknown[] = [
        undefined,
        null,
        '',
        '{',
        '[]',
        '"x"',
        7,
        {},
        { ...good, id: '' },
        { ...good, id: 'a'.repeat(2000), rawId: 'a'.repeat(2000) },
        { ...good, id: 'not base64!', rawId: 'not base64!' },
        { ...good, rawId: 'other' },
        { ...good, type: 'password' },
        { ...good, response: undefined },
        { ...good, response: { ...response, clientDataJSON: 'AAAA' } },
        { ...good, response: { ...response, clientDataJSON: Buffer.from('{"type":1}').toString('base64url') } },
        { ...good, response: { ...response, clientDataJSON: ['x'] } },
        { ...good, response: { ...response, attestationObject: 'x'.repeat(20_000) } },
        { ...good, response: { ...response, attestationObject: {} } },
      ];
      for (const bad of nonsense) {
        const error = await refusal(passkeys.finishRegistration(owner, 'b', bad));
        expect(error.details.reason, JSON.stringify(bad)?.slice(0, 80)).to.equal('passkey: malformed');
      }
      const truncated = {
        ...good,
        response: { ...response, attestationObject: response.attestationObject.slice(0, 40) },
      };
      expect((await refusal(passkeys.finishRegistration(owner, 'b', truncated))).details.reason).to.equal(
        'passkey: verification',
      );
    });

    it('keeps only transports that could be some', async () => {
      const { passkeys } = fixture;
      const transports = ['usb', 'usb', 'new-way', 7, '<b>', { a: 1 }, 'x'.repeat(30), null];
      const passkey = await passkeys.finishRegistration(
        owner,
        'b',
        createAuthenticator().create(await begin(), { transports }),
      );
      expect(passkey.transports).to.deep.equal(['usb', 'new-way']);
    });
  });
}
