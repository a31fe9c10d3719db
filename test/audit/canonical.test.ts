import { expect } from 'chai';
import fc from 'fast-check';
import { newEventId } from '../../src/audit/audit-log.ts';
import {
  type ChainedEvent,
  canonicalJson,
  chainStart,
  linkText,
  nextHead,
  personalDigest,
} from '../../src/audit/chain.ts';

const event: ChainedEvent = {
  id: 'evt_1',
  at: '1767225600000000',
  type: 'key.revoked',
  outcome: 'success',
  actorKind: 'operator',
  actorId: null,
  subject: 'k1',
  clientId: null,
  sessionId: null,
  requestId: null,
  ip: null,
  userAgent: null,
  details: { reason: 'lost', ä: 1, a: [true, { z: 1e21, y: null }] },
};

describe('the canonical form of an event', () => {
  it('is one text, whatever the order of the keys', () => {
    expect(canonicalJson({ b: [1, 'x\n"'], a: { d: null, c: true } })).to.equal(
      '{"a":{"c":true,"d":null},"b":[1,"x\\n\\""]}',
    );
    expect(canonicalJson({ '\u20ac': 1, '\r': 2, '1': 3, '\ud83d\ude02': 4, '\ufb33': 5 }), 'RFC 8785 §3.2.3').to.equal(
      '{"\\r":2,"1":3,"\u20ac":1,"\ud83d\ude02":4,"\ufb33":5}',
    );
    expect(canonicalJson([1e21, 1e-7, 0.1, -0, 100])).to.equal('[1e+21,1e-7,0.1,0,100]');
  });

  it('survives JSON and any order, and differs where the value does', () => {
    const shuffle = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(shuffle)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(
              Object.entries(value)
                .reverse()
                .map(([key, item]) => [key, shuffle(item)]),
            )
          : value;
    const json = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(json, json, (one, other) => {
        const text = canonicalJson(one);
        expect(canonicalJson(shuffle(JSON.parse(JSON.stringify(one))))).to.equal(text);
        expect(canonicalJson(JSON.parse(text))).to.equal(text);
        expect(text === canonicalJson(other)).to.equal(canonicalJson(JSON.parse(JSON.stringify(other))) === text);
      }),
      { numRuns: 60 },
    );
  });

  it('has what is personal as a digest only, which depends on the salt', () => {
    const digest = personalDigest(event, '00'.repeat(16));
    expect(digest).to.match(/^[0-9a-f]{64}$/);
    expect(personalDigest(event, '01'.repeat(16))).not.to.equal(digest);
    expect(personalDigest({ ...event, ip: '' }, '00'.repeat(16)), 'nothing is not the empty text').not.to.equal(digest);
    const text = linkText(event, 1, digest);
    expect(text).to.include(`"personal":"${digest}"`).and.not.include('lost').and.not.include('details');
    expect(JSON.parse(text)).to.include({ number: 1, version: 1, subject: 'k1', actorId: null });
  });

  it('makes every head depend on all before it', () => {
    const one = nextHead(chainStart, event, 'aa');
    expect(one.number).to.equal(1);
    expect(nextHead({ ...chainStart, hash: '01'.repeat(32) }, event, 'aa').hash).not.to.equal(one.hash);
    expect(nextHead({ ...chainStart, number: 1 }, event, 'aa').hash).not.to.equal(one.hash);
    expect(nextHead(chainStart, event, 'ab').hash).not.to.equal(one.hash);
  });
});

describe('ids of events', () => {
  it('sort by their time and are never the same', () => {
    const times = [0, 1, 31, 32, 1_767_225_600_000, 1_767_225_600_001, 32 ** 9 - 1];
    const ids = times.map(newEventId);
    expect([...ids].sort()).to.deep.equal(ids);
    for (const id of ids) expect(id).to.match(/^evt_[0-9a-hjkmnp-z]{21}$/);
    expect(new Set(Array.from({ length: 200 }, () => newEventId(5))).size).to.equal(200);
  });
});
