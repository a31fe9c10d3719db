import { expect } from 'chai';
import fc from 'fast-check';
import { normalisePassword } from '../../src/credentials/password.ts';
import { AppError } from '../../src/shared/errors.ts';
import { codesOf, createPolicyFixture, nobody, type PolicyFixture } from './password-fixture.ts';

const key = '\u{1F511}';

describe('the password policy', () => {
  let fixture: PolicyFixture;

  beforeEach(async () => {
    fixture = await createPolicyFixture('pglite');
  });

  it('asks for 15 characters alone and 8 beside a second factor, and says how many there are', async () => {
    expect(await codesOf(fixture, 'vq7-xmd-kp2-wz')).to.deep.equal(['too_short']);
    expect(await codesOf(fixture, 'vq7-xmd-kp2-wzb')).to.deep.equal([]);
    expect(await codesOf(fixture, 'vq7-xmd', { secondFactor: true })).to.include('too_short');
    expect(await codesOf(fixture, 'vq7-xmd4', { secondFactor: true })).to.deep.equal([]);
    const verdict = await fixture.policy.check('vq7-xmd-kp2-wz', nobody);
    expect(verdict).to.deep.include({ ok: false });
    expect(!verdict.ok && verdict.reasons[0]?.text).to.match(/15 characters or more.* has 14\./);
  });

  it('counts code points after normalisation, not UTF-16 units', async () => {
    fixture.change({ minScore: 0 });
    const emoji = [...'🔑🚪🏰🗝🌲🚲🎻🧭🪶🧩🥁🌊🍋🐢🛶'].slice(0, 15);
    expect(emoji).to.have.length(15);
    expect(await codesOf(fixture, emoji.join(''))).to.deep.equal([]);
    expect(await codesOf(fixture, emoji.slice(1).join(''))).to.deep.equal(['too_short']);
    // Fourteen letters, one of them typed as two code points.
    expect(await codesOf(fixture, 'cafe\u0301 gate wind')).to.deep.equal(['too_short']);
    expect(await codesOf(fixture, 'cafe\u0301 gate winds')).to.deep.equal([]);
  });

  it('takes 256 characters of any kind and refuses what cannot be a password, without measuring it', async () => {
    const start = 'green bicycle under the tower ';
    expect(await codesOf(fixture, start + 'x'.repeat(256 - start.length))).to.deep.equal([]);
    expect(await codesOf(fixture, 'a'.repeat(257))).to.deep.equal(['too_long']);
    expect(await codesOf(fixture, key.repeat(257))).to.deep.equal(['too_long']);
    expect(await codesOf(fixture, 'a'.repeat(5_000_000))).to.deep.equal(['too_long']);
    expect(await codesOf(fixture, '')).to.deep.equal(['empty']);
    expect(await codesOf(fixture, 'a green bicycle \ud800')).to.deep.equal(['not_text']);
  });

  it('refuses common passwords in any dress, and not phrases that contain one', async () => {
    for (const [password, secondFactor] of [
      ['passwordpassword', false],
      ['Password Password', false],
      ['P@$$w0rdP@$$w0rd', false],
      ['SunshineSunshine', false],
      ['zzzzzzzzzzzzzzzzzzzz', false],
      ['Sunshine2026!', true],
      ['!!football99', true],
      ['1234567890', true],
    ] as const) {
      expect(await codesOf(fixture, password, { secondFactor }), password).to.deep.equal(['common']);
    }
    expect(await codesOf(fixture, 'my password lives in a quiet tower')).to.deep.equal([]);
  });

  it('refuses the names of the service and of the person', async () => {
    const personal = ['Mara.Lindgren@weaver-guild.example', 'quellix77', 'Mara Åsa Lindgren'];
    for (const [password, code] of [
      ['Sallyport-2026-!', 'service_word'],
      ['s@llyp0rt-f3rnhill', 'service_word'],
      ['mara lindgren 1988', 'personal_word'],
      ['MaraLindgren!!!!', 'personal_word'],
      ['quellix77-quellix', 'personal_word'],
      ['Weaver Guild 1234', 'personal_word'],
      ['åsa-asa-åsa-asa-mara', 'personal_word'],
    ] as const) {
      expect(await codesOf(fixture, password, { personal }), password).to.deep.equal([code]);
    }
    expect(await codesOf(fixture, 'mara paints green bicycles', { personal })).to.deep.equal([]);
    expect(await codesOf(fixture, 'mara lindgren 1988')).not.to.include('personal_word');
  });

  it('refuses what is easy to guess, unless the installation does not mind', async () => {
    expect(await codesOf(fixture, 'abcdefg123456789x')).to.deep.equal(['weak']);
    fixture.change({ minScore: 0 });
    expect(await codesOf(fixture, 'abcdefg123456789x')).to.deep.equal([]);
  });

  it('asks for no kinds of characters, and for those that an auditor wants', async () => {
    for (const plain of ['quiet green bicycle tower', 'kqzxvwjphtrmbncdk', '84027719365520418863']) {
      expect(await codesOf(fixture, plain), plain).to.deep.equal([]);
    }
    fixture.change({ classes: { upper: 1, lower: 1, digit: 2, symbol: 1 } });
    expect(await codesOf(fixture, 'quietgreenbicycletower')).to.deep.equal([
      'needs_upper',
      'needs_digit',
      'needs_symbol',
    ]);
    expect(await codesOf(fixture, 'Quiet green bicycle 27')).to.deep.equal([]);
    const { texts } = await fixture.policy.rulesFor(false);
    expect(texts.join(' ')).to.contain('a capital letter, a small letter, 2 digits, and a space or symbol');
  });

  it('tells pages its rules, and callers what to say', async () => {
    expect(await fixture.policy.rulesFor(true)).to.include({ minLength: 8, maxLength: 256, minScore: 2 });
    expect((await fixture.policy.rulesFor(false)).texts[0]).to.match(/^Use 15 characters or more\./);
    const error = await fixture.policy.enforce('short', nobody).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(AppError).with.property('code', 'invalid_input');
    expect((error as AppError).details.fields?.password).to.match(/15 characters/);
    await fixture.policy.enforce('quiet green bicycle tower', nobody);
  });

  it('says how strong a password is', async () => {
    const weak = await fixture.policy.check('abcdefg123456789x', nobody);
    expect(weak.strength.score).to.be.lessThan(3);
    expect(['Very weak', 'Weak', 'Fair']).to.include(weak.strength.text);
    const strong = await fixture.policy.check('quiet green bicycle tower', nobody);
    expect(strong).to.deep.equal({ ok: true, strength: { score: 4, text: 'Strong' } });
  });

  it('generates passwords that it takes, whatever the settings', async () => {
    const seen = new Set<string>();
    for (const changes of [
      {},
      { classes: { upper: 3, lower: 9, digit: 9, symbol: 6 } },
      { minLength: 64, minScore: 4 as const },
    ]) {
      fixture.change(changes);
      for (let turn = 0; turn < 5; turn += 1) {
        const password = await fixture.policy.generate();
        expect(await codesOf(fixture, password), password).to.deep.equal([]);
        expect(password).to.match(/^([0-9a-hjkmnp-tv-z]{5}-){3}/);
        seen.add(password);
      }
    }
    expect(seen.size).to.equal(15);
  });

  it('answers any text with a verdict, and the same for both Unicode forms', async () => {
    const texts = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc
        .array(fc.constantFrom('4', '@', '8', '(', '|', '1', '$', 'aB', '19', '\u0301'), { maxLength: 200 })
        .map((all) => all.join('')),
    );
    await fc.assert(
      fc.asyncProperty(texts, fc.boolean(), async (text, secondFactor) => {
        const owner = { personal: [text.slice(0, 20)], secondFactor };
        const verdict = await fixture.policy.check(text, owner);
        if (!verdict.ok) expect(verdict.reasons).not.to.have.length(0);
        if (normalisePassword(text) === undefined) expect(verdict.ok).to.equal(false);
        else if (normalisePassword(text.normalize('NFD')) !== undefined) {
          expect(await fixture.policy.check(text.normalize('NFD'), owner)).to.deep.equal(verdict);
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('normalisation', () => {
  it('is one password for all forms of a text, and is done once', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        const once = normalisePassword(text);
        if (once === undefined) return;
        expect(normalisePassword(once)).to.equal(once);
        for (const form of ['NFC', 'NFD', 'NFKC', 'NFKD'] as const) {
          const other = normalisePassword(text.normalize(form));
          if (other !== undefined) expect(other).to.equal(once);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
