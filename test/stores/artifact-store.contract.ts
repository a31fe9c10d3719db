import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { tokenIdFor } from '../../src/oidc/artifact-store.ts';
import { unitOfWork } from '../../src/storage/unit-of-work.ts';
import {
  type ArtifactLane,
  type Fixture,
  fifty,
  issue,
  newGrant,
  reasonsOf,
  settle,
  valuesOf,
} from './artifact-lane.ts';

/** What oidc-provider and we rely on for everything that is not a refresh token or a session. */
export function describeArtifactStore(lane: ArtifactLane): void {
  let at: Fixture;
  beforeEach(async () => {
    at = await lane.open();
  });

  describe('keeps', () => {
    for (const kind of [
      'AccessToken',
      'RefreshToken',
      'AuthorizationCode',
      'ClientCredentials',
      'DeviceCode',
      'Grant',
      'Interaction',
      'PushedAuthorizationRequest',
      'RegistrationAccessToken',
      'BackchannelAuthenticationRequest',
      'InitialAccessToken',
      'PreAuthorizedCode',
    ]) {
      it(`${kind}: what was stored, until it expires by the clock`, async () => {
        const grantId = randomUUID();
        const id = tokenIdFor(kind, grantId);
        const payload = { jti: id, kind, accountId: 'acc_1', exp: 5, claims: { id_token: { acr: null } } };
        await at.stores(kind).upsert(id, payload, 60);
        expect(await at.stores(kind).find(id)).to.deep.equal(payload);
        await at.stores(kind).upsert(id, { ...payload, scope: 'openid' }, 60);
        expect(await at.stores(kind).find(id)).to.have.property('scope', 'openid');
        expect(await at.stores(kind).find(tokenIdFor(kind, grantId))).to.equal(undefined);
        at.clock.advance(60 + 300);
        expect(await at.stores(kind).find(id)).to.equal(undefined);
      });
    }

    it('no id, user code or secret that a reader of a dump could use', async () => {
      const secret = `spy-${randomUUID()}`;
      const { grantId } = await newGrant(at.stores);
      const ids = ['AccessToken', 'RefreshToken', 'AuthorizationCode', 'ClientCredentials'].map((kind) =>
        tokenIdFor(kind, grantId),
      );
      const payloads = {
        AccessToken: { grantId },
        RefreshToken: { grantId },
        AuthorizationCode: { grantId, nonce: secret },
        ClientCredentials: {},
      };
      for (const [index, [kind, payload]] of Object.entries(payloads).entries()) {
        await at.stores(kind).upsert(ids[index]!, { jti: ids[index]!, ...payload }, 60);
      }
      const sealed = {
        DeviceCode: { userCode: `U${secret}`, params: { code: secret } },
        Interaction: { deviceCode: secret, parJti: secret, session: { cookie: secret } },
        PushedAuthorizationRequest: { request: secret },
        Session: { uid: `uid-${secret}`, state: { secret } },
      };
      for (const [kind, payload] of Object.entries(sealed)) {
        await at.stores(kind).upsert(`${kind}-${secret}`, { jti: `${kind}-${secret}`, ...payload }, 60);
        expect(await at.stores(kind).find(`${kind}-${secret}`)).to.deep.include(payload);
      }
      const dump = await at.dump();
      expect(dump).not.to.contain(secret);
      for (const id of ids) expect(dump).not.to.contain(id.slice(13));
      expect(dump.length).to.be.greaterThan(1000);
    });

    it('a device code that is found by its user code and can be saved again', async () => {
      const id = tokenIdFor('DeviceCode', undefined);
      const userCode = randomUUID();
      await at.stores('DeviceCode').upsert(id, { jti: id, userCode, clientId: 'app_1' }, 60);
      const found = await at.stores('DeviceCode').findByUserCode(userCode);
      expect(found).to.deep.include({ jti: id, userCode, clientId: 'app_1' });
      await at.stores('DeviceCode').upsert(id, { ...found, accountId: 'acc_1' }, 60);
      expect(await at.stores('DeviceCode').findByUserCode(userCode)).to.have.property('accountId', 'acc_1');
      expect(await at.stores('DeviceCode').findByUserCode('other')).to.equal(undefined);
      at.clock.advance(100);
      expect(await at.stores('DeviceCode').find(id), 'expired_token is told a while').not.to.equal(undefined);
    });

    it('nothing for an id of another kind', async () => {
      const { grantId } = await newGrant(at.stores);
      const { access } = await issue(at.stores, { grantId, clientId: 'app_1' });
      expect(await at.stores('RefreshToken').find(access)).to.equal(undefined);
      expect(await at.stores('AccessToken').find('at_short')).to.equal(undefined);
    });

    it('nothing that was destroyed', async () => {
      const id = tokenIdFor('Interaction', undefined);
      await at.stores('Interaction').upsert(id, { jti: id }, 60);
      await at.stores('Interaction').destroy(id);
      expect(await at.stores('Interaction').find(id)).to.equal(undefined);
      await at.stores('Interaction').destroy(id);
    });
  });

  describe('uses once', () => {
    it('shows a later reader that a code was used, and punishes who uses it anyway', async () => {
      const { codeId } = await newGrant(at.stores);
      const codes = at.stores('AuthorizationCode');
      await at.unit(() => codes.consume(codeId));
      expect(await at.unit(() => codes.find(codeId)))
        .to.have.property('consumed')
        .that.is.a('number');
      const [error] = reasonsOf(await settle([at.unit(() => codes.consume(codeId))]));
      expect(error).to.have.property('error', 'invalid_grant');
      expect(error?.constructor.name).to.equal('InvalidGrant');
    });

    for (const inUnit of [true, false]) {
      it(`lets one of 50 parallel uses through, ${inUnit ? 'in a unit of work' : 'one by one'}`, async () => {
        const { codeId } = await newGrant(at.stores);
        const use = async (): Promise<void> => {
          await at.stores('AuthorizationCode').find(codeId);
          await at.stores('AuthorizationCode').consume(codeId);
        };
        const results = await settle(fifty(() => (inUnit ? at.unit(use) : use())));
        expect(valuesOf(results)).to.have.length(1);
        for (const reason of reasonsOf(results)) expect(reason).to.have.property('error', 'invalid_grant');
      });
    }

    it('ends the grant when a code is raced: one answer, and nothing of it works afterwards', async () => {
      const { codeId, grantId, clientId } = await newGrant(at.stores);
      const redeem = async () => {
        const code = await at.stores('AuthorizationCode').find(codeId);
        if (!code || code.consumed) throw new Error('reuse that the library sees');
        await at.stores('AuthorizationCode').consume(codeId);
        return issue(at.stores, { grantId, clientId });
      };
      const [tokens, ...more] = valuesOf(
        await settle(
          fifty(() => {
            let refusal: unknown;
            const work = async () => {
              try {
                return await redeem();
              } catch (error) {
                refusal = error;
                return undefined;
              }
            };
            return at.unit(work).then((result) => {
              if (refusal) throw refusal;
              return result;
            });
          }),
        ),
      );
      expect(more).to.have.length(0);
      expect(await at.stores('Grant').find(grantId)).to.equal(undefined);
      expect(await at.stores('AccessToken').find(tokens!.access)).to.equal(undefined);
      expect(await at.stores('RefreshToken').find(tokens!.refresh)).to.equal(undefined);
    });

    it('answers invalid_request_uri for a pushed request', async () => {
      const id = tokenIdFor('PushedAuthorizationRequest', undefined);
      await at.stores('PushedAuthorizationRequest').upsert(id, { jti: id, request: 'r' }, 60);
      const results = await settle(fifty(() => at.stores('PushedAuthorizationRequest').consume(id)));
      expect(valuesOf(results)).to.have.length(1);
      expect(reasonsOf(results)[0]).to.have.property('error', 'invalid_request_uri');
    });

    it('refuses what is not there or has expired', async () => {
      const { codeId, grantId } = await newGrant(at.stores);
      at.clock.advance(61);
      for (const id of [codeId, tokenIdFor('AuthorizationCode', grantId)]) {
        const [reason] = reasonsOf(await settle([at.stores('AuthorizationCode').consume(id)]));
        expect(reason).to.have.property('error', 'invalid_grant');
      }
    });

    it('leaves a code usable when its request failed, at the latest after the lease', async () => {
      const { codeId, grantId, clientId } = await newGrant(at.stores);
      const redeem = async () => {
        await at.stores('AuthorizationCode').consume(codeId);
        return issue(at.stores, { grantId, clientId });
      };
      const lost = await at.unit(redeem, { keep: false });
      expect(await at.stores('AccessToken').find(lost.access)).to.equal(undefined);
      at.clock.advance(11);
      expect(await at.stores('AuthorizationCode').find(codeId)).not.to.have.property('consumed');
      const tokens = await at.unit(redeem);
      expect(await at.stores('AccessToken').find(tokens.access)).to.have.property('jti', tokens.access);
      expect(await at.stores('AuthorizationCode').find(codeId)).to.have.property('consumed');
    });

    it('shows a request its own writes before they are kept', async () => {
      const { codeId, grantId, clientId } = await newGrant(at.stores);
      await at.unit(async () => {
        await at.stores('AuthorizationCode').consume(codeId);
        expect(await at.stores('AuthorizationCode').find(codeId)).to.have.property('consumed');
        const { access, refresh } = await issue(at.stores, { grantId, clientId });
        expect(await at.stores('AccessToken').find(access)).to.deep.include({ jti: access, grantId });
        await at.stores('RefreshToken').destroy(refresh);
        expect(await at.stores('RefreshToken').find(refresh)).to.equal(undefined);
      });
    });

    it('redeems a device code into tokens of its grant', async () => {
      const { grantId, clientId } = await newGrant(at.stores);
      const id = tokenIdFor('DeviceCode', undefined);
      const pending = { jti: id, clientId, userCode: randomUUID() };
      await at.stores('DeviceCode').upsert(id, pending, 60);
      await at.stores('DeviceCode').upsert(id, { ...pending, accountId: 'acc_1', grantId }, 60);
      const tokens = await at.unit(async () => {
        await at.stores('DeviceCode').consume(id);
        return issue(at.stores, { grantId, clientId });
      });
      expect(await at.stores('RefreshToken').find(tokens.refresh)).to.have.property('grantId', grantId);
      expect(await at.stores('DeviceCode').find(id)).to.have.property('consumed');
      const results = await settle([at.unit(() => at.stores('DeviceCode').consume(id))]);
      expect(reasonsOf(results)[0]).to.have.property('error', 'invalid_grant');
    });
  });

  describe('revokes', () => {
    it('every token and code of a grant, and nothing of another', async () => {
      const one = await newGrant(at.stores);
      const other = await newGrant(at.stores);
      const gone = await issue(at.stores, one);
      const stays = await issue(at.stores, other);
      const device = tokenIdFor('DeviceCode', undefined);
      await at.stores('DeviceCode').upsert(device, { jti: device, grantId: one.grantId }, 60);
      await Promise.all(
        ['AccessToken', 'RefreshToken', 'AuthorizationCode'].map((kind) =>
          at.stores(kind).revokeByGrantId(one.grantId),
        ),
      );
      expect(await at.stores('AccessToken').find(gone.access)).to.equal(undefined);
      expect(await at.stores('RefreshToken').find(gone.refresh)).to.equal(undefined);
      expect(await at.stores('AuthorizationCode').find(one.codeId)).to.equal(undefined);
      expect(await at.stores('DeviceCode').find(device)).to.equal(undefined);
      expect(await at.stores('Grant').find(one.grantId)).not.to.equal(undefined);
      expect(await at.stores('AccessToken').find(stays.access)).not.to.equal(undefined);
    });

    it('for good: a grant that was ended takes nothing new and is not saved again', async () => {
      const { grantId, clientId, common } = await newGrant(at.stores);
      await at.stores('Grant').destroy(grantId);
      await at.stores('Grant').upsert(grantId, { ...common, jti: grantId }, 3600);
      const { access, refresh } = await issue(at.stores, { grantId, clientId });
      expect(await at.stores('Grant').find(grantId)).to.equal(undefined);
      expect(await at.stores('AccessToken').find(access)).to.equal(undefined);
      expect(await at.stores('RefreshToken').find(refresh)).to.equal(undefined);
    });

    it('what a redemption stores while it runs', async () => {
      const { codeId, grantId, clientId } = await newGrant(at.stores);
      let revoked: Promise<unknown> | undefined;
      const tokens = await at.unit(async () => {
        await at.stores('AuthorizationCode').consume(codeId);
        const result = await issue(at.stores, { grantId, clientId });
        // On SQL the revocation waits for the row that the redemption holds.
        revoked = at.request({}, () =>
          unitOfWork.exit(() =>
            Promise.all([at.stores('AccessToken').revokeByGrantId(grantId), at.stores('Grant').destroy(grantId)]),
          ),
        );
        await Promise.race([revoked, new Promise((resolve) => setTimeout(resolve, 50))]);
        return result;
      });
      await revoked;
      const grant = await at.stores('Grant').find(grantId);
      const [access, refresh] = await Promise.all([
        at.stores('AccessToken').find(tokens.access),
        at.stores('RefreshToken').find(tokens.refresh),
      ]);
      expect(grant === undefined || (!access && !refresh)).to.equal(true);
      expect(grant).to.equal(undefined);
    });

    it('inside the request that redeems', async () => {
      const { codeId, grantId, clientId } = await newGrant(at.stores);
      const tokens = await at.unit(async () => {
        await at.stores('AuthorizationCode').consume(codeId);
        const result = await issue(at.stores, { grantId, clientId });
        await Promise.all([at.stores('AccessToken').revokeByGrantId(grantId), at.stores('Grant').destroy(grantId)]);
        return result;
      });
      expect(await at.stores('AccessToken').find(tokens.access)).to.equal(undefined);
      expect(await at.stores('Grant').find(grantId)).to.equal(undefined);
    });
  });

  describe('detects replay', () => {
    it('lets one of 50 equal assertions through, and another one when it has expired', async () => {
      const id = randomUUID();
      const replay = at.stores('ReplayDetection');
      for (const run of [at.unit, <T>(work: () => Promise<T>) => work()]) {
        const results = await settle(fifty(() => run(() => replay.upsert(id, { jti: id, iss: 'app_1' }, 60))));
        expect(valuesOf(results)).to.have.length(1);
        expect(reasonsOf(results)[0]).to.have.property('error', 'invalid_request');
        expect(await replay.find(id)).to.have.property('iss', 'app_1');
        at.clock.advance(60);
        expect(await replay.find(id)).to.equal(undefined);
      }
    });
  });
}
