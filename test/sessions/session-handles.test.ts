import { expect } from 'chai';
import type { ActivityStore } from '../../src/sessions/index.ts';
import { createSessionHandles, type SessionHandles } from '../../src/sessions/session-handles.ts';
import type { SessionKey } from '../../src/sessions/session-store.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { asAccountId, asSessionId } from '../../src/shared/ids.ts';
import { sqlLanes } from '../support/database.ts';
import { createFixture } from './fixture.ts';

const accountId = asAccountId('acc_mara');
const uid = 'uid-1';
const grant = { accountId, grantId: 'grant-1' };

describe('the handles of sessions', () => {
  let clock: FixedClock;
  let asked: SessionKey[];
  let stored: Record<string, unknown> | undefined;
  let handles: SessionHandles;

  beforeEach(() => {
    clock = new FixedClock();
    asked = [];
    stored = { id: 'ses_1', expiresAt: clock.now() + 3_600_000 };
    const find = async (key: SessionKey) => {
      asked.push(key);
      return stored as never;
    };
    handles = createSessionHandles({ find }, clock);
  });

  const touched = (id: string, endedAt?: number) => {
    const found = { id: asSessionId(id), endedAt, fresh: true, accountId, before: { at: 0, ip: undefined } };
    const store = handles.watch({ touch: async () => found } as unknown as ActivityStore);
    return store.touch({ uid }, { now: clock.now(), idleSince: 0, ip: undefined });
  };

  it('are known without a look-up once a session was touched, for a minute', async () => {
    await touched('ses_2');
    expect(await handles.find({ uid })).to.equal('ses_2');
    expect(asked).to.deep.equal([]);
    clock.advance(61);
    expect(await handles.find({ uid })).to.equal('ses_1');
    expect(asked).to.deep.equal([{ uid }]);
  });

  it('are looked up once a minute otherwise, by browser and by grant', async () => {
    for (const key of [{ uid }, grant]) {
      for (let turn = 0; turn < 3; turn += 1) expect(await handles.find(key)).to.equal('ses_1');
    }
    expect(asked).to.deep.equal([{ uid }, grant]);
  });

  it('are none of a session that is over, and are not remembered then', async () => {
    for (const over of [{ ...stored, endedAt: clock.now() }, { ...stored, expiresAt: clock.now() }, undefined]) {
      stored = over;
      expect(await handles.find({ uid })).to.equal(undefined);
    }
    await touched('ses_2', clock.now());
    expect(await handles.find({ uid })).to.equal(undefined);
    expect(asked).to.have.length(4);
  });

  it('are forgotten with the end of their session', async () => {
    await touched('ses_2');
    await handles.find(grant);
    handles.forget({ accountId, uid, grants: [{ clientId: 'app_1', grantId: 'grant-1' }] });
    stored = undefined;
    expect(await handles.find({ uid })).to.equal(undefined);
    expect(await handles.find(grant)).to.equal(undefined);
  });

  it('do not grow for ever', async () => {
    for (let count = 0; count <= 10_000; count += 1) await handles.find({ uid: `uid-${count}` });
    asked = [];
    await handles.find({ uid: 'uid-10000' });
    expect(asked).to.deep.equal([]);
    await handles.find({ uid: 'uid-0' });
    expect(asked).to.deep.equal([{ uid: 'uid-0' }]);
  });

  for (const lane of sqlLanes()) {
    it(`are found on ${lane} by each of both, on a node that has not seen the session`, async () => {
      const fixture = await createFixture(lane);
      const owner = await fixture.account();
      const [first, second] = [await fixture.signIn(owner), await fixture.signIn(owner)];
      for (const { id, uid: browser, grantId } of [first, second]) {
        expect(await fixture.otherNode().handleOf({ uid: browser })).to.equal(id);
        expect(await fixture.otherNode().handleOf({ accountId: owner, grantId })).to.equal(id);
        expect(await fixture.otherNode().handleOf({ accountId: owner, clientId: 'app_other', grantId })).to.equal(
          undefined,
        );
      }
      expect(await fixture.otherNode().handleOf({ accountId, grantId: first.grantId })).to.equal(undefined);
      await fixture.sessions.end(first.id, { kind: 'operator' });
      expect(await fixture.otherNode().handleOf({ uid: first.uid })).to.equal(undefined);
      expect(await fixture.sessions.handleOf({ uid: first.uid })).to.equal(undefined);
    });
  }
});
