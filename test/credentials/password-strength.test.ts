import { setTimeout as pause } from 'node:timers/promises';
import { dictionary } from '@zxcvbn-ts/language-common';
import { expect } from 'chai';
import { createStrengthMeter } from '../../src/credentials/index.ts';
import { consistsOf, isListed, wordsOf } from '../../src/credentials/password-blocklist.ts';
import { AppError } from '../../src/shared/errors.ts';
import { logger } from './fixture.ts';
import { meter } from './password-fixture.ts';

interface Estimator {
  estimate(password: string, names?: readonly string[]): number;
  lengthOf(password: string): number;
}

const from = (alphabet: string, length: number): string =>
  Array.from({ length }, () => alphabet[Math.floor(Math.random() * alphabet.length)]).join('');

/** Texts that take a matcher long. */
const hostile = (length: number): string[] => [
  '4@8({3609!1|0$5+7'.repeat(20).slice(0, length),
  from('!"#$%&()*+,-./0123456789:;<=>?@ABCXYZ[]^_`abcxyz{|}~', length),
  from('0123456789', length),
  '19841231'.repeat(40).slice(0, length),
  'qwertyuiop[]asdfghjkl'.repeat(20).slice(0, length),
  '1|'.repeat(length).slice(0, length),
  'a'.repeat(length),
  '\u{1F511}'.repeat(length),
];

describe('the strength of passwords', () => {
  it('is measured off the event loop, in bounded time whatever the text', async () => {
    await meter.measure({ text: 'warm', words: [] });
    let ticks = 0;
    const ticking = setInterval(() => {
      ticks += 1;
    }, 5);
    const begun = performance.now();
    let longest = 0;
    for (const text of hostile(256)) {
      const start = performance.now();
      await meter.measure({ text, words: ['mara', 'lindgren', 'example'] });
      longest = Math.max(longest, performance.now() - start);
    }
    const took = performance.now() - begun;
    clearInterval(ticking);
    // Without the bounds one of these takes three seconds; alone on a core they take a tenth.
    expect(longest).to.be.lessThan(2_500);
    // On the loop they would leave no room for a single one.
    expect(ticks).to.be.above(took / 200);
  });

  it('refuses when too many wait, and goes on with those that do', async () => {
    await using narrow = createStrengthMeter({ logger, queue: 2 });
    const asked = Array.from({ length: 10 }, (_, index) => narrow.measure({ text: `word ${index}`, words: [] }));
    const answers = await Promise.allSettled(asked);
    expect(answers.filter(({ status }) => status === 'fulfilled')).to.have.length(3);
    for (const answer of answers) {
      if (answer.status !== 'rejected') continue;
      expect(answer.reason).to.be.instanceOf(AppError).with.property('code', 'unavailable');
    }
  });

  it('gives up on a text that takes too long, and measures the next', async () => {
    await using hasty = createStrengthMeter({ logger, limit: 1 });
    const error = await hasty.measure({ text: 'too slow', words: [] }).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(AppError).with.property('code', 'unavailable');
    await using patient = createStrengthMeter({ logger, idle: 1 });
    for (let turn = 0; turn < 2; turn += 1) {
      expect((await patient.measure({ text: 'quiet green bicycle', words: [] })).score).to.equal(4);
      // Long enough for the idle thread to end; the next turn starts another.
      await pause(20);
    }
  });

  it('ends with the server, and tells who waited', async () => {
    const closing = createStrengthMeter({ logger });
    const asked = ['one', 'two'].map((text) => closing.measure({ text, words: [] }).catch((error: unknown) => error));
    await closing[Symbol.asyncDispose]();
    for (const error of await Promise.all(asked)) expect(error).to.be.instanceOf(AppError);
    expect(await closing.measure({ text: 'x', words: [] }).catch((error: unknown) => error)).to.be.instanceOf(AppError);
  });
});

describe('the blocklist', () => {
  const list = new Set(['sunshine', 'password', 'dragon']);

  it('knows a word in its dresses, and only the whole password', () => {
    for (const text of [
      'sunshine',
      'SUNSHINE',
      '$un5h1ne',
      'Sunsh\u00efne!',
      '12sunshine34',
      'dragon-dragon',
      'drag on',
    ]) {
      expect(isListed(text, list), text).to.equal(true);
    }
    for (const text of ['sunshine over the tower', 'dragon73920174520', 'sunshinedragon', '', '12', 'dragons']) {
      expect(isListed(text, list), text).to.equal(false);
    }
  });

  it('has every common password of the list that it ships, as it is and as a title', () => {
    const common = dictionary['passwords-common'].map(String);
    expect(common.length).to.be.greaterThan(40_000);
    const all = new Set(common);
    for (const word of common.slice(0, 3000)) {
      expect(isListed(word, all), word).to.equal(true);
      expect(isListed(word.toUpperCase(), all), word).to.equal(true);
    }
  });

  it('takes names apart, and not more of them than it can compare', () => {
    expect(wordsOf(['Mara.Lindgren+shop@weaver-guild.example', '', 'Jo'])).to.have.members([
      'maralindgrenshop',
      'mara',
      'lindgren',
      'shop',
      'weaver',
      'guild',
    ]);
    expect(wordsOf([Array.from({ length: 500 }, (_, index) => `name${index}`).join(' ')]).length).to.be.at.most(40);
    expect(wordsOf(['x'.repeat(10_000)])).to.have.length(0);
  });

  it('minds words only where there is little else', () => {
    expect(consistsOf('mara1988', ['mara'])).to.equal(true);
    expect(consistsOf('xmaraq7kw', ['mara'])).to.equal(false);
    expect(consistsOf('🔑🚪🏰', ['mara'])).to.equal(false);
    expect(consistsOf('anything', [])).to.equal(false);
  });
});

describe('the meter on the page', () => {
  let page: Estimator;

  before(async () => {
    page = await import(new URL('../../views/assets/password-strength.js', import.meta.url).href);
  });

  it('counts as the server does', () => {
    expect(page.lengthOf('\u{1F511}cafe\u0301')).to.equal(5);
  });

  it('does not praise what everybody tries', () => {
    const common = dictionary['passwords-common'].map(String).filter((word) => word.length >= 8);
    for (const dress of [(word: string) => word, (word: string) => word + word, (word: string) => `${word}1!`]) {
      const praised = common.filter((word) => page.estimate(dress(word)) >= 3);
      expect(praised.length / common.length).to.be.lessThan(0.15);
    }
    for (const text of ['', 'qwertyuiop123456', 'aaaaaaaaaaaaaaaaaa', 'abcabcabcabcabcabc', 'mara lindgren 1988']) {
      expect(page.estimate(text, ['Mara Lindgren']), text).to.be.lessThan(2);
    }
  });

  it('praises phrases and random text, as the server does', async () => {
    const words = dictionary['diceware-common'].map(String).filter((word) => /^[a-z]{4,}$/.test(word));
    const word = (): string => words[Math.floor(Math.random() * words.length)] ?? '';
    for (let turn = 0; turn < 20; turn += 1) {
      for (const text of [`${word()} ${word()} ${word()} ${word()}`, from('abcdefghijkmnpqrstuvwxyz23456789', 20)]) {
        expect(page.estimate(text), text).to.be.at.least(3);
        expect((await meter.measure({ text, words: [] })).score, text).to.be.at.least(3);
      }
    }
  });

  it('takes any text in no time', () => {
    for (const text of [...hostile(256), 'x'.repeat(1_000_000), '\ud800\udc00\ud800', '\u0301'.repeat(300)]) {
      const start = performance.now();
      expect(page.estimate(text, ['mara'])).to.be.within(0, 4);
      expect(performance.now() - start).to.be.lessThan(1_000);
    }
  });
});
