import { expect } from 'chai';
import { unitOfWork } from '../../src/storage/unit-of-work.ts';
import {
  type ArtifactLane,
  type Fixture,
  fifty,
  issue,
  newGrant,
  reasonsOf,
  refreshOnce,
  settle,
  valuesOf,
} from './artifact-lane.ts';

/** Rotation of refresh tokens, with a second try for a client whose answer got lost. */
export function describeRefreshTokens(lane: ArtifactLane): void {
  let at: Fixture;
  let first: string;
  let grantId: string;

  const start = async (fixture: Fixture, clientId = 'app_1'): Promise<void> => {
    at = fixture;
    const grant = await newGrant(at.stores, clientId);
    grantId = grant.grantId;
    first = (await issue(at.stores, grant)).refresh;
    at.clock.advance(1);
  };
  const refresh = (id: string, startedAt?: number) =>
    at.unit(() => refreshOnce(at.stores, id), startedAt === undefined ? {} : { startedAt });
  /** Refreshes a second after whatever came before. */
  const later = async (id: string) => {
    at.clock.advance(1);
    return refresh(id);
  };
  const tokenOf = (result: Awaited<ReturnType<typeof refreshOnce>>): string => {
    expect(result.outcome).to.equal('ok');
    return result.outcome === 'ok' ? result.refresh : '';
  };
  const isLive = async (id: string): Promise<boolean> => {
    const found = await at.request({ redeeming: false }, () => at.stores('RefreshToken').find(id));
    return found !== undefined && !found.consumed;
  };
  /** Runs a request whose refusal is an answer too, so that what it wrote is kept. */
  const attempt = (id: string, startedAt?: number) => {
    const work = () =>
      refreshOnce(at.stores, id).catch((error: { error?: string }) => ({ outcome: error.error ?? String(error) }));
    return at.unit(work, startedAt === undefined ? {} : { startedAt });
  };

  beforeEach(async () => start(await lane.open()));

  it('rotates: the old token is used up, the new one works', async () => {
    const second = tokenOf(await refresh(first));
    expect(await isLive(first)).to.equal(false);
    const third = tokenOf(await later(second));
    expect(await isLive(third)).to.equal(true);
  });

  it('lets one of 50 parallel refreshes through and leaves exactly one live chain', async () => {
    const results = await Promise.all(fifty(() => attempt(first)));
    const winners = results.filter(({ outcome }) => outcome === 'ok') as { refresh: string }[];
    expect(winners).to.have.length(1);
    expect(results.filter(({ outcome }) => outcome === 'invalid_grant')).to.have.length(49);
    expect(await isLive(winners[0]!.refresh)).to.equal(true);
    const next = tokenOf(await later(winners[0]!.refresh));
    expect(await isLive(next)).to.equal(true);
    expect(await at.stores('Grant').find(grantId)).not.to.equal(undefined);
  });

  it('gives a client whose answer got lost a new token, again and again, and ends the unheard one', async () => {
    const unheard = tokenOf(await refresh(first));
    const alsoUnheard = tokenOf(await later(first));
    const heard = tokenOf(await later(first));
    expect(await Promise.all([unheard, alsoUnheard, heard].map(isLive))).to.deep.equal([false, false, true]);
    const next = tokenOf(await later(heard));
    expect(await isLive(next)).to.equal(true);
  });

  it('refuses who comes in the tenth of a second after the answer, leaves the family alone and allows no retry then', async () => {
    const second = tokenOf(await refresh(first));
    at.clock.advance(0.1);
    expect(await attempt(first)).to.deep.equal({ outcome: 'invalid_grant' });
    at.clock.advance(1);
    expect(await attempt(first), 'two presenters were seen').to.deep.equal({ outcome: 'invalid_grant' });
    expect(await isLive(second)).to.equal(true);
  });

  it('takes who comes a little later for a client whose answer got lost', async () => {
    tokenOf(await refresh(first));
    at.clock.advance(0.101);
    tokenOf(await refresh(first));
  });

  it('takes it for a reuse when the successor was used, within that tenth of a second too', async () => {
    const second = tokenOf(await refresh(first));
    at.clock.advance(0.05);
    tokenOf(await refresh(second));
    expect(await refresh(first)).to.deep.equal({ outcome: 'reused' });
  });

  it('takes an unheard token that turns up after all for a reuse', async () => {
    const unheard = tokenOf(await refresh(first));
    tokenOf(await later(first));
    expect(await later(unheard)).to.deep.equal({ outcome: 'reused' });
  });

  it('takes it for a reuse when the successor was used, however soon', async () => {
    const second = tokenOf(await refresh(first));
    tokenOf(await later(second));
    expect(await later(first)).to.deep.equal({ outcome: 'reused' });
  });

  it('takes it for a reuse outside the window, counted from the first use', async () => {
    tokenOf(await refresh(first));
    at.clock.advance(6);
    tokenOf(await refresh(first));
    at.clock.advance(5);
    expect(await refresh(first)).to.deep.equal({ outcome: 'reused' });
  });

  it('takes it for a reuse when its client is strict, or retries are off', async () => {
    await start(await lane.open(), 'strict_app');
    tokenOf(await refresh(first));
    expect(await later(first)).to.deep.equal({ outcome: 'reused' });
    await start(await lane.open({ refreshRetrySeconds: 0 }));
    tokenOf(await refresh(first));
    expect(await later(first)).to.deep.equal({ outcome: 'reused' });
  });

  it('refuses who arrived before the first was answered, and leaves the family alone', async () => {
    const arrived = at.clock.now();
    at.clock.advance(1);
    const second = tokenOf(await refresh(first));
    at.clock.advance(1);
    expect(await attempt(first, arrived)).to.deep.equal({ outcome: 'invalid_grant' });
    expect(await attempt(first, arrived + 1000)).to.deep.equal({ outcome: 'invalid_grant' });
    expect(await attempt(first), 'two presenters were seen').to.deep.equal({ outcome: 'invalid_grant' });
    expect(await isLive(second)).to.equal(true);
    tokenOf(await later(second));
    expect(await later(first), 'its successor was used').to.deep.equal({ outcome: 'reused' });
  });

  it('ends the family of a strict client at a parallel use: one answer, and nothing works afterwards', async () => {
    await start(await lane.open(), 'strict_app');
    const results = await Promise.all(fifty(() => attempt(first)));
    const winners = results.filter(({ outcome }) => outcome === 'ok') as { refresh: string; access: string }[];
    expect(winners).to.have.length(1);
    expect(await isLive(winners[0]!.refresh)).to.equal(false);
    expect(await at.stores('AccessToken').find(winners[0]!.access)).to.equal(undefined);
    expect(await at.stores('Grant').find(grantId)).to.equal(undefined);
  });

  it('gives one of 50 parallel retries a token, and no more retries after that', async () => {
    tokenOf(await refresh(first));
    at.clock.advance(1);
    const results = await Promise.all(fifty(() => attempt(first)));
    const winners = results.filter(({ outcome }) => outcome === 'ok') as { refresh: string }[];
    expect(winners).to.have.length(1);
    expect(results.filter(({ outcome }) => outcome === 'invalid_grant')).to.have.length(49);
    expect(await isLive(winners[0]!.refresh)).to.equal(true);
    at.clock.advance(1);
    expect(await attempt(first), 'two presenters were seen').to.deep.equal({ outcome: 'invalid_grant' });
    expect(await isLive(winners[0]!.refresh)).to.equal(true);
  });

  it('lets either the retry or the use of the successor win, never both', async () => {
    const second = tokenOf(await refresh(first));
    at.clock.advance(1);
    const results = await Promise.all(fifty((index) => attempt(index % 2 ? first : second)));
    const winners = results.filter(({ outcome }) => outcome === 'ok') as { refresh: string }[];
    expect(winners).to.have.length(1);
    expect(await isLive(winners[0]!.refresh)).to.equal(true);
  });

  for (const meanwhile of ['its successor is used', 'somebody else presents it too'] as const) {
    it(`checks a retry again when it happens: ${meanwhile}`, async () => {
      const arrived = at.clock.now();
      at.clock.advance(1);
      const second = tokenOf(await refresh(first));
      at.clock.advance(1);
      let next = second;
      const late = await at.unit(async () => {
        const found = await at.stores('RefreshToken').find(first);
        expect(found, 'passes').not.to.have.property('consumed');
        await unitOfWork.exit(async () => {
          if (meanwhile === 'its successor is used') next = tokenOf(await refresh(second));
          else expect(await attempt(first, arrived)).to.deep.equal({ outcome: 'invalid_grant' });
        });
        return at
          .stores('RefreshToken')
          .consume(first)
          .catch((error: unknown) => error);
      });
      expect(late).to.have.property('error', 'invalid_grant');
      expect(await isLive(next)).to.equal(true);
    });
  }

  it('never passes a used token as live outside the token endpoint', async () => {
    tokenOf(await refresh(first));
    at.clock.advance(1);
    await at.unit(() =>
      at.request({ redeeming: false }, async () => {
        expect(await at.stores('RefreshToken').find(first)).to.have.property('consumed');
      }),
    );
    expect(await at.stores('RefreshToken').find(first), 'without a unit of work').to.have.property('consumed');
  });

  it('leaves the token usable when the request failed, at the latest after the lease', async () => {
    const lost = await at.unit(() => refreshOnce(at.stores, first), { keep: false });
    at.clock.advance(11);
    expect(await isLive(tokenOf(lost))).to.equal(false);
    const second = tokenOf(await refresh(first));
    expect(await isLive(second)).to.equal(true);
  });

  it('lets one of 50 through without a unit of work too', async () => {
    const results = await settle(fifty(() => refreshOnce(at.stores, first)));
    const winners = valuesOf(results).filter(({ outcome }) => outcome === 'ok');
    expect(winners).to.have.length(1);
    expect(reasonsOf(results).every((reason) => 'error' in reason && reason.error === 'invalid_grant')).to.equal(true);
  });
}
