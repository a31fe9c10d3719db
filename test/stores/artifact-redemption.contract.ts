import { expect } from 'chai';
import { type NewToken, tokenIdFor } from '../../src/oidc/artifact-store.ts';
import { unitOfWork } from '../../src/storage/unit-of-work.ts';
import { type ArtifactLane, type Fixture, fifty, issue, newGrant, refreshOnce } from './artifact-lane.ts';

/** A refresh in one look and one write, beside the ordinary one. */
export function describeRedemptions(lane: ArtifactLane): void {
  let at: Fixture;
  let first: string;
  let grantId: string;

  beforeEach(async () => {
    at = await lane.open();
    const grant = await newGrant(at.stores);
    grantId = grant.grantId;
    first = (await issue(at.stores, grant)).refresh;
    at.clock.advance(1);
  });

  const successors = (): [NewToken, NewToken] => {
    const common = { accountId: 'acc_1', clientId: 'app_1', grantId };
    const make = (model: NewToken['model'], expiresIn: number): NewToken => {
      const id = tokenIdFor(model, grantId);
      return { model, id, payload: { ...common, jti: id, kind: model }, expiresIn };
    };
    return [make('RefreshToken', 1_209_600), make('AccessToken', 600)];
  };
  const isLive = async (id: string): Promise<boolean> => {
    const found = await at.request({ redeeming: false }, () => at.stores('RefreshToken').find(id));
    return found !== undefined && !found.consumed;
  };
  const ordinary = (startedAt?: number) =>
    at.unit(
      () =>
        refreshOnce(at.stores, first).catch((error: { error?: string }) => ({ outcome: error.error ?? String(error) })),
      startedAt === undefined ? {} : { startedAt },
    );
  const redemptions = () => at.stores.redemptions;

  it('shows an unused token with its grant, as the other way does', async () => {
    const found = await redemptions().find(first);
    expect(found?.token).to.deep.equal(await at.stores('RefreshToken').find(first));
    expect(await found?.grant()).to.deep.equal(await at.stores('Grant').find(grantId));
  });

  it('shows nothing else', async () => {
    expect(await redemptions().find('rt_none')).to.equal(undefined);
    expect(await redemptions().find(tokenIdFor('RefreshToken', grantId))).to.equal(undefined);
    expect(await redemptions().find(successors()[1].id)).to.equal(undefined);
    await at.unit(() => refreshOnce(at.stores, first));
    expect(await redemptions().find(first), 'used').to.equal(undefined);
  });

  it('shows no expired token, and no token of a grant that was ended', async () => {
    const found = await redemptions().find(first);
    await at.stores('Grant').destroy(grantId);
    expect(await (await redemptions().find(first))?.grant()).to.equal(undefined);
    expect(found && (await redemptions().redeem(first, successors())), 'ended since it was shown').to.equal(false);
    at.clock.advance(1_209_600);
    expect(await redemptions().find(first)).to.equal(undefined);
  });

  it('uses a token up and stores what comes of it, for both ways', async () => {
    const [refresh, access] = successors();
    expect(await redemptions().redeem(first, [refresh, access])).to.equal(true);
    expect(await isLive(first)).to.equal(false);
    expect(await at.stores('AccessToken').find(access.id)).to.deep.equal(access.payload);
    expect((await redemptions().find(refresh.id))?.token).to.deep.equal(refresh.payload);
    at.clock.advance(1);
    expect((await at.unit(() => refreshOnce(at.stores, refresh.id))).outcome).to.equal('ok');
  });

  it('redeems what the other way issued, and is revoked with its grant', async () => {
    const next = await at.unit(() => refreshOnce(at.stores, first));
    expect(next.outcome).to.equal('ok');
    first = next.outcome === 'ok' ? next.refresh : '';
    const [refresh, access] = successors();
    expect(await redemptions().redeem(first, [refresh, access])).to.equal(true);
    await at.stores('AccessToken').revokeByGrantId(grantId);
    expect(await at.stores('AccessToken').find(access.id)).to.equal(undefined);
    expect(await isLive(refresh.id)).to.equal(false);
  });

  it('tells one of fifty that it was the one, and stores nothing of the others', async () => {
    const tries = fifty(successors);
    const told = await Promise.all(tries.map((tokens) => redemptions().redeem(first, tokens)));
    expect(told.filter(Boolean)).to.have.length(1);
    const live = await Promise.all(tries.map(([refresh]) => isLive(refresh.id)));
    expect(live).to.deep.equal(told);
    const stored = await Promise.all(tries.map(([, access]) => at.stores('AccessToken').find(access.id)));
    expect(stored.map((token) => token !== undefined)).to.deep.equal(told);
  });

  it('shares one success among both ways', async () => {
    const startedAt = at.clock.now();
    const told = await Promise.all(
      fifty(async (index) =>
        index % 2 ? redemptions().redeem(first, successors()) : (await ordinary(startedAt)).outcome === 'ok',
      ),
    );
    expect(told.filter(Boolean)).to.have.length(1);
    expect(await at.stores('Grant').find(grantId)).not.to.equal(undefined);
  });

  it('leaves a token alone that another request is redeeming', async () => {
    let told: Promise<boolean> | undefined;
    const tokens = successors();
    const theirs = await at.unit(async () => {
      const result = await refreshOnce(at.stores, first);
      told = unitOfWork.exit(() => redemptions().redeem(first, tokens));
      return result;
    });
    expect(await told).to.equal(false);
    expect(await isLive(tokens[0].id)).to.equal(false);
    expect(theirs.outcome === 'ok' && (await isLive(theirs.refresh))).to.equal(true);
  });

  it('lets a client whose answer got lost try again, and takes who came together for that', async () => {
    const arrived = at.clock.now();
    const [unheard] = successors();
    await redemptions().redeem(first, [unheard]);
    at.clock.advance(1);
    const retried = await ordinary();
    expect(retried.outcome).to.equal('ok');
    expect(await isLive(unheard.id)).to.equal(false);
    expect((await ordinary(arrived)).outcome).to.equal('invalid_grant');
    expect('refresh' in retried && (await isLive(retried.refresh))).to.equal(true);
  });

  it('takes who saw the token unused and did not get it for one of several', async () => {
    const [winner] = successors();
    expect(await redemptions().redeem(first, [winner])).to.equal(true);
    expect(await redemptions().redeem(first, successors())).to.equal(false);
    at.clock.advance(1);
    expect((await ordinary()).outcome).to.equal('invalid_grant');
    expect(await isLive(winner.id)).to.equal(true);
  });

  it('shows a second use outside the window as such', async () => {
    await redemptions().redeem(first, successors());
    at.clock.advance(11);
    expect((await ordinary()).outcome).to.equal('reused');
  });
}
